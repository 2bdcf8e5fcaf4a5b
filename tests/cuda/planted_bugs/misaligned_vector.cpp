// Four numbers are loaded at once from where a row of odd length begins.
#include "kernels/columns.cuh"
#include "planted_bugs.hpp"

namespace {

constexpr unsigned size = 5;

__global__ void sum_rows(const float* rows, float* sums) {
  const float* row = rows + threadIdx.x * size;
  const auto first = givens::cuda::load_vector<float, 4>(row);
  sums[threadIdx.x] = first.v[0] + first.v[1] + first.v[2] + first.v[3] + row[4];
}

PLANTED_BUG(misaligned_vector) {
  const test::DeviceArray<float> rows(std::vector<float>(2 * size, 1.0f)), sums(2);
  test::launch({1, 2}, sum_rows, rows.data(), sums.data());
  return true;
}

}  // namespace
