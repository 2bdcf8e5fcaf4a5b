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
  void* fake_stack_ = nullptr;  // the address sanitizer's, of variables that outlive their function
  Identity identity_;
};

// To be called by the host thread that is going to resume fibers.
void become_scheduler();

// For its lifetime, what the scheduler does counts as done by the fiber.
class ActingAs {
 public:
  explicit ActingAs(const Fiber& fiber);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;
};

// For its lifetime, what a fiber does counts as done by the scheduler, whose memory it touches.
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
