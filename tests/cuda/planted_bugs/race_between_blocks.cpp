// All blocks use the same scratch memory.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned threads = 64;

__global__ void reverse_indices(unsigned* scratch, unsigned* out) {
  scratch[threadIdx.x] = blockIdx.x + threadIdx.x;
  __syncthreads();
  out[blockIdx.x * threads + threadIdx.x] = scratch[threads - 1 - threadIdx.x];
}

PLANTED_BUG(race_between_blocks) {
  const test::DeviceArray<unsigned> scratch(threads), out(2 * threads);
  test::launch({2, threads}, reverse_indices, scratch.data(), out.data());
  return true;
}

}  // namespace
