// Memory of the device is never freed.
#include "planted_bugs.hpp"

namespace {

PLANTED_BUG(leak) {
  float* memory = nullptr;
  return cudaMalloc(&memory, 40) == cudaSuccess;
}

}  // namespace
