// Memory of the device is never freed.
#include "planted_bugs.hpp"

namespace planted_bugs {

bool leak() {
  float* memory = nullptr;
  return cudaMalloc(&memory, 40) == cudaSuccess;
}

}  // namespace planted_bugs
