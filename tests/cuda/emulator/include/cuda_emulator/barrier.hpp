#pragma once

#include "call_site.hpp"

namespace cuda_emulator {

enum class BarrierVote { all, any, count };

// Waits for all threads of the block and returns their vote. Every thread of the block must come to
// the same line.
int block_barrier(BarrierVote vote, bool predicate, CallSite site);

}  // namespace cuda_emulator

inline void __syncthreads(cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  cuda_emulator::block_barrier(cuda_emulator::BarrierVote::all, true, site);
}

inline int __syncthreads_and(int predicate,
                             cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::block_barrier(cuda_emulator::BarrierVote::all, predicate != 0, site);
}

inline int __syncthreads_or(int predicate,
                            cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::block_barrier(cuda_emulator::BarrierVote::any, predicate != 0, site);
}

inline int __syncthreads_count(int predicate,
                               cuda_emulator::CallSite site = cuda_emulator::CallSite::here()) {
  return cuda_emulator::block_barrier(cuda_emulator::BarrierVote::count, predicate != 0, site);
}
