// Functions that wait for another thread without sleeping.
#pragma once

#include <chrono>
#include <thread>

namespace givens::runtime {

// Leaves the processor core to its other hardware threads for a moment.
inline void pause_thread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when ready() is true, after `longest`, or earlier if another process wants the processor.
// Gives up the processor now and then, because there may be more threads than processors.
template <class Ready>
void wait_until(Ready&& ready, std::chrono::microseconds longest) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + longest;
  for (int tries = 1; !ready(); ++tries) {
    pause_thread();
    if (tries % 64 != 0) continue;
    const auto before = Clock::now();
    if (before >= end) return;
    std::this_thread::yield();
    if (Clock::now() - before > longest / 4) return;
  }
}

}  // namespace givens::runtime
