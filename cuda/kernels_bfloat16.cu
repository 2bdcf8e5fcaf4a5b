#include "kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_STORAGE(__nv_bfloat16, float)

}  // namespace givens::cuda
