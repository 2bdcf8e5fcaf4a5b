#include "barrier.hpp"

#include <cstdio>
#include <string>

#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

std::string hexadecimal(unsigned mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

void report_deadlock() {
  const Thread* first[4] = {};
  unsigned count[4] = {};
  for (unsigned i = 0; i < running_block.size; ++i) {
    const Thread* thread = running_block.threads[i];
    const auto state = static_cast<unsigned>(thread->state);
    ++count[state];
    if (!first[state]) first[state] = thread;
  }
  const auto in = [](State state) { return static_cast<unsigned>(state); };
  std::string message = "deadlock: of " + std::to_string(running_block.size) + " threads, " +
                        std::to_string(count[in(State::done)]) + " have left the kernel, " +
                        std::to_string(count[in(State::at_barrier)]) + " wait at a barrier";
  if (const Thread* thread = first[in(State::at_barrier)]) {
    message += " (" + thread->name_and_place() + ")";
  }
  message += ", " + std::to_string(count[in(State::at_warp_operation)]) + " for lanes of a warp";
  if (const Thread* thread = first[in(State::at_warp_operation)]) {
    message +=
        " (" + thread->name_and_place() + ", mask " + hexadecimal(thread->request.mask) + ")";
  }
  fail_block(message);
}

}  // namespace

void block_barrier(CallSite site) {
  Thread& thread = *current_thread;
  thread.site = site;
  thread.state = State::at_barrier;
  char* key = &running_block.keys->barrier[running_block.barriers % 2];
  release(key);
  switch_to_others();
  acquire(key);
}

void release_barrier() {
  Block& block = running_block;
  const Thread& first = *block.threads.front();
  for (unsigned i = 0; i < block.size; ++i) {
    const Thread& thread = *block.threads[i];
    if (thread.state != State::at_barrier) return report_deadlock();
    if (!same_place(thread.site, first.site)) {
      return fail_block("divergent barrier: " + first.name_and_place() + " but " +
                        thread.name_and_place());
    }
  }
  for (unsigned i = 0; i < block.size; ++i) block.threads[i]->state = State::ready;
  ++block.barriers;
}

}  // namespace cuda_emulator
