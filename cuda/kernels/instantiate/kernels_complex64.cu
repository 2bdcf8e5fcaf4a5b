#include "kernels/instantiate/kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_FIELD(std::complex<float>)
GIVENS_INSTANTIATE_PHASES(float)

}  // namespace givens::cuda
