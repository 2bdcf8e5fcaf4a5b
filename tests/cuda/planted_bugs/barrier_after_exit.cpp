// Threads that have nothing to do leave before a barrier.
#include "planted_bugs.hpp"

namespace {

__global__ void leave_early(unsigned size) {
  if (threadIdx.x >= size) return;
  __syncthreads();
}

PLANTED_BUG(barrier_after_exit) { return test::launch({1, 64}, leave_early, 60u) == cudaSuccess; }

}  // namespace
