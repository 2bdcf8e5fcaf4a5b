#include "kernels/instantiate/kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_FIELD(double)

}  // namespace givens::cuda
