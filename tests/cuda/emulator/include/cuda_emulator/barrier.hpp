#pragma once

#include "call_site.hpp"

namespace cuda_emulator {

// Waits for all threads of the block. Every thread of the block must come to the same line.
void block_barrier(CallSite site);

}  // namespace cuda_emulator

inline void __syncthreads(cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  cuda_emulator::block_barrier(site);
}
