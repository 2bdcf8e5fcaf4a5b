// The last block sums what the others wrote, but has no fence after the atomic that told it so.
#include "planted_bugs.hpp"

namespace {

__global__ void sum_in_last_block(unsigned* finished, int* parts, int* sum) {
  parts[blockIdx.x] = 1;
  __threadfence();
  if (atomicAdd(finished, 1u) != gridDim.x - 1) return;
  *sum = 0;
  for (unsigned block = 0; block < gridDim.x; ++block) *sum += parts[block];
}

PLANTED_BUG(missing_fence) {
  const test::DeviceArray<unsigned> finished(std::vector<unsigned>{0});
  const test::DeviceArray<int> parts(3), sum(1);
  test::launch({3, 1}, sum_in_last_block, finished.data(), parts.data(), sum.data());
  return sum.values()[0] == 3;
}

}  // namespace
