#include "barrier.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

bool same_place(CallSite a, CallSite b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

std::string hexadecimal(unsigned mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

void report_deadlock(const Block& block) {
  const Thread* first[4] = {};
  unsigned count[4] = {};
  for (const Thread* thread : block.threads) {
    const auto state = static_cast<unsigned>(thread->state);
    ++count[state];
    if (!first[state]) first[state] = thread;
  }
  const auto in = [](State state) { return static_cast<unsigned>(state); };
  std::string message = "deadlock: of " + std::to_string(block.threads.size()) + " threads, " +
                        std::to_string(count[in(State::done)]) + " have left the kernel, " +
                        std::to_string(count[in(State::at_barrier)]) + " wait at a barrier";
  if (const Thread* thread = first[in(State::at_barrier)]) {
    message += " (" + thread->name_and_place() + ")";
  }
  message += ", " + std::to_string(count[in(State::at_warp_operation)]) + " for lanes of a warp";
  if (const Thread* thread = first[in(State::at_warp_operation)]) {
    message += " (" + thread->name_and_place() + ", mask " + hexadecimal(thread->request.mask) + ")";
  }
  fail_block(message);
}

}  // namespace

int block_barrier(BarrierVote vote, bool predicate, CallSite site) {
  Thread& thread = *current_thread();
  const Block& block = running_block();
  thread.vote = vote;
  thread.predicate = predicate;
  thread.site = site;
  thread.state = State::at_barrier;
  char* key = &block.keys->barrier[block.barriers % 2];
  release(key);
  switch_to_others();
  acquire(key);
  return thread.barrier_result;
}

void release_barrier() {
  Block& block = running_block();
  const Thread& first = *block.threads.front();
  int votes = 0;
  for (const Thread* thread : block.threads) {
    if (thread->state != State::at_barrier) return report_deadlock(block);
    if (!same_place(thread->site, first.site)) {
      return fail_block("divergent barrier: " + first.name_and_place() + " but " +
                        thread->name_and_place());
    }
    votes += thread->predicate;
  }
  const int count = static_cast<int>(block.threads.size());
  for (Thread* thread : block.threads) {
    switch (thread->vote) {
      case BarrierVote::all: thread->barrier_result = votes == count; break;
      case BarrierVote::any: thread->barrier_result = votes != 0; break;
      case BarrierVote::count: thread->barrier_result = votes; break;
    }
    thread->state = State::ready;
  }
  ++block.barriers;
}

}  // namespace cuda_emulator
