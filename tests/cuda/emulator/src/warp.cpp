#include "warp.hpp"

#include <cstring>
#include <string>

#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

constexpr unsigned lanes = warpSize;

bool names(unsigned mask, unsigned lane) { return (mask >> lane & 1) != 0; }

bool same_operation(const Thread& a, const Thread& b) {
  return a.request.operation == b.request.operation && a.site.line == b.site.line &&
         (a.site.file == b.site.file || std::strcmp(a.site.file, b.site.file) == 0);
}

// The lane that a shuffle of this lane reads.
unsigned source_lane(const Thread& thread) {
  const int lane = static_cast<int>(thread.lane);
  const int argument = thread.request.argument;
  const int width = thread.request.width;
  const int first = lane & ~(width - 1);
  const int last = first + width - 1;
  int source = lane;
  switch (thread.request.operation) {
    case WarpOperation::shuffle: source = first + (argument & (width - 1)); break;
    case WarpOperation::shuffle_up: source = lane - argument; break;
    case WarpOperation::shuffle_down: source = lane + argument; break;
    case WarpOperation::shuffle_xor: source = lane ^ argument; break;
    case WarpOperation::ballot:
    case WarpOperation::sync: break;
  }
  const bool too_low = thread.request.operation == WarpOperation::shuffle_up && source < first;
  return static_cast<unsigned>(too_low || source > last ? lane : source);
}

// The lanes that have come to this thread's operation; 0 as long as some have yet to come. Lanes
// that have left the kernel, or that the block does not have, are not waited for.
unsigned arrived_lanes(const Thread& thread) {
  const Block& block = running_block();
  unsigned arrived = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!names(thread.request.mask, lane)) continue;
    const Thread* other = block.lane(thread.warp, lane);
    if (!other || other->state == State::done) continue;
    if (other->state != State::at_warp_operation || !same_operation(*other, thread)) return 0;
    arrived |= 1u << lane;
  }
  return arrived;
}

void give_results(const Thread& thread, unsigned arrived) {
  const Block& block = running_block();
  std::uint64_t ballot = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!names(arrived, lane)) continue;
    const Thread& member = *block.lane(thread.warp, lane);
    if (member.request.mask != thread.request.mask) {
      fail_block("lanes of one operation name different masks: " + thread.name_and_place() +
                 " and " + member.name());
      return;
    }
    if (member.request.value != 0) ballot |= std::uint64_t{1} << lane;
  }
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!names(arrived, lane)) continue;
    Thread& member = *block.lane(thread.warp, lane);
    if (member.request.operation == WarpOperation::ballot) {
      member.warp_result = ballot;
    } else if (member.request.operation != WarpOperation::sync) {
      const unsigned source = source_lane(member);
      if (!names(arrived, source)) {
        fail_block("shuffle reads lane " + std::to_string(source) + ", which takes no part: " +
                   member.name_and_place());
        return;
      }
      member.warp_result = block.lane(thread.warp, source)->request.value;
    }
    member.state = State::ready;
  }
}

unsigned lowest_lane(unsigned mask) { return static_cast<unsigned>(__builtin_ctz(mask)); }

void complete_if_arrived(const Thread& thread) {
  const unsigned arrived = arrived_lanes(thread);
  if (arrived == 0) return;
  Block& block = running_block();
  give_results(thread, arrived);
  ++block.warp_operations[thread.warp][lowest_lane(thread.request.mask)];
  block.progress = true;
}

}  // namespace

std::uint64_t warp_operation(const WarpRequest& request, CallSite site) {
  Thread& thread = *current_thread();
  const Block& block = running_block();
  thread.request = request;
  thread.site = site;
  if (!names(request.mask, thread.lane)) {
    fail_thread([&] { return "a lane is not in its own mask: " + thread.name_and_place(); });
  }
  const unsigned lowest = lowest_lane(request.mask);
  char* key = &block.keys->warp[thread.warp][lowest]
                               [block.warp_operations[thread.warp][lowest] % 2];
  const bool orders_memory = request.operation == WarpOperation::sync;
  if (orders_memory) release(key);
  thread.state = State::at_warp_operation;
  {
    const AsScheduler as_scheduler(thread.fiber);
    complete_if_arrived(thread);
  }
  switch_to_others();
  if (orders_memory) acquire(key);
  return thread.warp_result;
}

void warp_lost(const Thread& thread) {
  const Block& block = running_block();
  const AsScheduler as_scheduler(thread.fiber);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const Thread* other = block.lane(thread.warp, lane);
    if (other && other->state == State::at_warp_operation &&
        names(other->request.mask, thread.lane)) {
      complete_if_arrived(*other);
    }
  }
}

}  // namespace cuda_emulator
