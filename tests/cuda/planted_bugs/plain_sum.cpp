// Blocks add to a sum without an atomic function.
#include "planted_bugs.hpp"

namespace {

__global__ void count_blocks(int* sum) {
  if (threadIdx.x == 0) *sum += 1;
}

PLANTED_BUG(plain_sum) {
  const test::DeviceArray<int> sum(std::vector<int>{0});
  test::launch({2, 32}, count_blocks, sum.data());
  return sum.values()[0] == 2;
}

}  // namespace
