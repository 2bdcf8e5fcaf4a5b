#include "kernels.cuh"

namespace givens::cuda {

GIVENS_INSTANTIATE_FIELD(double)
GIVENS_INSTANTIATE_STORAGE(double, double)

}  // namespace givens::cuda
