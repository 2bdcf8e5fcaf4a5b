#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>

#include "thread.hpp"

namespace cuda_emulator {

constexpr unsigned max_threads = 1024;
constexpr unsigned max_warps = max_threads / warpSize;

// The addresses through which the thread sanitizer learns of the order of memory accesses. A
// barrier uses two in turn: a thread that is already at the next one must not be ordered before a
// thread that is still leaving this one.
struct SyncKeys {
  std::array<char, 2> barrier;
  std::array<std::array<std::array<char, 2>, warpSize>, max_warps> warp;  // by the lowest lane
};

struct Warp {
  unsigned waiting = 0;                         // lanes at an operation
  unsigned left = 0;                            // lanes that have left the kernel, or never were
  std::array<unsigned, warpSize> operations{};  // completed ones, by the lowest lane
};

struct Block {
  std::array<Thread*, max_threads> threads{};
  unsigned size = 0;
  std::array<Warp, max_warps> warps{};
  unsigned barriers = 0;  // how many were passed
  SyncKeys* keys = nullptr;
  bool yielded = false;   // some thread has: it may be waiting for another in a loop
  bool progress = false;  // some thread has done what others may be waiting for
  bool failed = false;
};

extern Block running_block;
extern Thread* current_thread;  // null in host code

// Suspends the current thread, which has set its state.
void switch_to_others();

// Reports what is wrong with the block and ends the launch.
void fail_block(const std::string& message);

// Suspends the current thread for ever.
[[noreturn]] void abandon_thread();

// Reports what is wrong with the current thread, which does not go on. Its stack keeps what is on
// it, so that message() is called only where the text can be destroyed again.
template <class Message>
[[noreturn]] void fail_thread(Message&& message) {
  {
    const AsScheduler as_scheduler(current_thread->fiber);
    fail_block(message());
  }
  abandon_thread();
}

struct GridLaunch {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared_bytes;
  const std::function<void()>& kernel;
};

// Runs all blocks, one after the other. False if the emulator found something wrong.
bool run_grid(const GridLaunch& launch);

}  // namespace cuda_emulator
