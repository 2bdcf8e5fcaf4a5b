#include "kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_STORAGE(__half, float)

}  // namespace givens::cuda
