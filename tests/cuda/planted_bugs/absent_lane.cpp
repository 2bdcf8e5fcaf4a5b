// Half a warp shuffles with the mask of the whole warp, while the rest waits at a barrier.
#include "planted_bugs.hpp"

namespace {

__global__ void shuffle_in_branch(float* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(full_mask, 1.0f, 1);
  __syncthreads();
}

PLANTED_BUG(absent_lane) {
  const test::DeviceArray<float> out(16);
  return test::launch({1, 32}, shuffle_in_branch, out.data()) == cudaSuccess;
}

}  // namespace
