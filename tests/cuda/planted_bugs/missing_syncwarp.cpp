// A warp sums in shared memory as if its lanes ran in step.
#include "planted_bugs.hpp"

namespace {

__global__ void sum_lanes(float* sum) {
  float* parts = test::shared<float>();
  const unsigned lane = threadIdx.x;
  parts[lane] = 1;
  __syncwarp();
  for (unsigned half = 16; half > 0; half /= 2) {
    if (lane < half) parts[lane] += parts[lane + half];
  }
  if (lane == 0) *sum = parts[0];
}

PLANTED_BUG(missing_syncwarp) {
  const test::DeviceArray<float> sum(1);
  test::launch({1, 32, 32 * sizeof(float)}, sum_lanes, sum.data());
  return sum.values()[0] == 32;
}

}  // namespace
