#include "kernels/instantiate/kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_FIELD(std::complex<double>)
GIVENS_INSTANTIATE_PHASES(double)

}  // namespace givens::cuda
