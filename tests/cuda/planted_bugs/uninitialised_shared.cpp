// The padding of an array in shared memory is added up but never written.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned size = 60;
constexpr unsigned padded = 64;

__global__ void sum_with_padding(float* sum) {
  float* values = test::shared<float>();
  if (threadIdx.x < size) values[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x != 0) return;
  *sum = 0;
  for (unsigned i = 0; i < padded; ++i) *sum += values[i];
}

PLANTED_BUG(uninitialised_shared) {
  const test::DeviceArray<float> sum(1);
  test::launch({1, padded, padded * sizeof(float)}, sum_with_padding, sum.data());
  return sum.values()[0] == size;
}

}  // namespace
