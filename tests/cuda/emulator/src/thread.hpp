#pragma once

#include <cstdint>
#include <string>

#include "cuda_emulator/barrier.hpp"
#include "cuda_emulator/types.hpp"
#include "cuda_emulator/warp.hpp"
#include "fiber.hpp"

namespace cuda_emulator {

enum class State { ready, at_barrier, at_warp_operation, done };

bool same_place(CallSite a, CallSite b);

// A CUDA thread. The object outlives it and is used again for threads of later blocks.
struct Thread {
  explicit Thread(void (*entry)()) : fiber(entry) {}

  void start(unsigned number, dim3 block_size);

  // Says "thread (1,0,0)", or that with the place where it waits.
  std::string name() const;
  std::string name_and_place() const;

  Fiber fiber;
  State state = State::done;
  uint3 index{};
  unsigned warp = 0;
  unsigned lane = 0;

  // What the thread waits for, and what it gets.
  CallSite site{};
  WarpRequest request{};
  std::uint64_t warp_result = 0;
};

}  // namespace cuda_emulator
