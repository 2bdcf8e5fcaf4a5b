// Waiting for another thread that is at work.
#pragma once

#include <chrono>
#include <thread>

namespace givens::runtime {

// A moment, in which the other threads of a core have it to themselves.
inline void pause_thread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when ready() is true, which another running thread will make so soon. Gives the processor
// up now and then, for where there are more threads than processors.
template <class Ready>
void wait_until(Ready&& ready) {
  for (int tries = 1; !ready(); ++tries) {
    pause_thread();
    if (tries % 64 == 0) std::this_thread::yield();
  }
}

// The same, but gives up after `longest`, or before if something else wants the processor.
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
