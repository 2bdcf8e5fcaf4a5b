#include "kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_FIELD(float)
GIVENS_INSTANTIATE_STORAGE(float, float)

}  // namespace givens::cuda
