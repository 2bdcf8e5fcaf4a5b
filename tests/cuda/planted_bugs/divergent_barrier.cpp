// Warps wait at different barriers.
#include "planted_bugs.hpp"

namespace {

__global__ void part_ways(int* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    *out = 1;
    __syncthreads();
  }
}

PLANTED_BUG(divergent_barrier) {
  const test::DeviceArray<int> out(1);
  return test::launch({1, 33}, part_ways, out.data()) == cudaSuccess;
}

}  // namespace
