// The last thread reads beyond the shared memory that the launch asked for.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned threads = 64;

__global__ void copy_neighbour(float* out) {
  float* values = test::shared<float>();
  values[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x + 1];
}

PLANTED_BUG(shared_out_of_bounds) {
  const test::DeviceArray<float> out(threads);
  test::launch({1, threads, threads * sizeof(float)}, copy_neighbour, out.data());
  return true;
}

}  // namespace
