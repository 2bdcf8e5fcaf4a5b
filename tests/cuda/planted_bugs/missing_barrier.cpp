// Threads read what others write, without a barrier between.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned threads = 128;

__global__ void reverse(float* values) {
  float* reversed = test::shared<float>();
  reversed[threads - 1 - threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = reversed[threadIdx.x];
}

PLANTED_BUG(missing_barrier) {
  std::vector<float> values(threads);
  for (std::size_t i = 0; i < threads; ++i) values[i] = static_cast<float>(i);
  const test::DeviceArray<float> array(values);
  test::launch({1, threads, threads * sizeof(float)}, reverse, array.data());
  return array.values() == std::vector<float>(values.rbegin(), values.rend());
}

}  // namespace
