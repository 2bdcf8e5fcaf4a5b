// A kernel gets a pointer to memory of the host.
#include "planted_bugs.hpp"

namespace {

__global__ void write_one(float* out) { *out = 1; }

PLANTED_BUG(host_pointer) {
  float value = 0;
  return test::launch({1, 1}, write_one, &value) == cudaSuccess;
}

}  // namespace
