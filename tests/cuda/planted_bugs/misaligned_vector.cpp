// Four numbers are loaded at once from where a row of odd length begins.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned size = 5;

__global__ void sum_rows(const float* rows, float* sums) {
  const float* row = rows + threadIdx.x * size;
  const float4 first = *reinterpret_cast<const float4*>(row);
  sums[threadIdx.x] = first.x + first.y + first.z + first.w + row[4];
}

PLANTED_BUG(misaligned_vector) {
  const test::DeviceArray<float> rows(std::vector<float>(2 * size, 1.0f)), sums(2);
  test::launch({1, 2}, sum_rows, rows.data(), sums.data());
  return true;
}

}  // namespace
