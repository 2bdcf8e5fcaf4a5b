// A kernel writes to an optional output that it was not given.
#include "planted_bugs.hpp"

namespace {

__global__ void write_output(float* out) { out[threadIdx.x] = 1; }

PLANTED_BUG(null_pointer) {
  // The emulator must have device memory at all.
  const test::DeviceArray<float> unused(1);
  return test::launch({1, 32}, write_output, nullptr) == cudaSuccess;
}

}  // namespace
