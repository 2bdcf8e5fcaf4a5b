// There are more threads than elements, and the kernel does not check.
#include "planted_bugs.hpp"

namespace {

__global__ void fill(float* out) { out[threadIdx.x] = 1; }

PLANTED_BUG(global_out_of_bounds) {
  const test::DeviceArray<float> out(63);
  test::launch({1, 64}, fill, out.data());
  return true;
}

}  // namespace
