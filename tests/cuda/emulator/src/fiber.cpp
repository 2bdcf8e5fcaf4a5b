#include "fiber.hpp"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <memory>
#include <utility>

#if defined(GIVENS_EMULATOR_THREAD_SANITIZER)
// The sanitizer reads this before TSAN_OPTIONS. Otherwise the program would sleep for a second at
// its end to let threads of the operating system run, which fibers are not.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options() {
  return "atexit_sleep_ms=0";
}
#endif

namespace cuda_emulator {

namespace {

namespace context = boost::context;

constexpr std::size_t stack_bytes = 256 * 1024;

struct Scheduler {
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;
  Identity identity = nullptr;
};

Scheduler scheduler;

}  // namespace

Fiber::Fiber(void (*entry)()) : identity_(new_identity()) {
  context::protected_fixedsize_stack allocator(stack_bytes);
  const context::stack_context stack = allocator.allocate();
  stack_ = static_cast<const char*>(stack.sp) - stack.size;
  stack_bytes_ = stack.size;
  context_ = context::fiber(std::allocator_arg, context::preallocated(stack.sp, stack.size, stack),
                            allocator, [this, entry](context::fiber&& resumed_by) {
                              scheduler_ = std::move(resumed_by);
                              finish_switch_to_fiber();
                              entry();
                              return std::move(scheduler_);
                            });
}

void Fiber::resume() {
  start_switch_to_fiber();
  context_ = std::move(context_).resume();
  finish_switch_to_scheduler();
}

void Fiber::suspend() {
  start_switch_to_scheduler();
  scheduler_ = std::move(scheduler_).resume();
  finish_switch_to_fiber();
}

void Fiber::start_switch_to_fiber() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler.fake_stack, stack_, stack_bytes_);
#endif
  become(identity_);
}

void Fiber::finish_switch_to_fiber() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, &scheduler.stack, &scheduler.stack_bytes);
#endif
}

void Fiber::start_switch_to_scheduler() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_stack_, scheduler.stack, scheduler.stack_bytes);
#endif
  become(scheduler.identity);
}

void Fiber::finish_switch_to_scheduler() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(scheduler.fake_stack, nullptr, nullptr);
#endif
}

void become_scheduler() { scheduler.identity = current_identity(); }

ActingAs::ActingAs(const Fiber& fiber) { become(fiber.identity()); }

ActingAs::~ActingAs() { become(scheduler.identity); }

AsScheduler::AsScheduler(const Fiber& fiber) : fiber_(fiber) { become(scheduler.identity); }

AsScheduler::~AsScheduler() { become(fiber_.identity()); }

}  // namespace cuda_emulator
