#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>

#include "sanitizers.hpp"

namespace cuda_emulator {

// A function on a stack of its own, which runs in turns with the scheduler that resumes it. Only
// one fiber runs at a time.
class Fiber {
 public:
  // entry must never return.
  explicit Fiber(void (*entry)());
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();   // called by the scheduler; returns when the fiber suspends itself
  void suspend();  // called by the fiber; returns when it is resumed

  Identity identity() const { return identity_; }

 private:
  void start_switch_to_fiber();
  void finish_switch_to_fiber();
  void start_switch_to_scheduler();
  void finish_switch_to_scheduler();

  boost::context::fiber context_;
  boost::context::fiber scheduler_;
  const void* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  // The address sanitizer's stack for variables that outlive their function.
  [[maybe_unused]] void* fake_stack_ = nullptr;
  Identity identity_;
};

// The host thread that is going to resume fibers calls this.
void become_scheduler();

// During its lifetime the sanitizers take what the scheduler does for the fiber's.
class ActingAs {
 public:
  explicit ActingAs(const Fiber& fiber);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;
};

// During its lifetime the sanitizers take what a fiber does for the scheduler's, whose memory it
// touches.
class AsScheduler {
 public:
  explicit AsScheduler(const Fiber& fiber);
  ~AsScheduler();
  AsScheduler(const AsScheduler&) = delete;
  AsScheduler& operator=(const AsScheduler&) = delete;

 private:
  const Fiber& fiber_;
};

}  // namespace cuda_emulator
