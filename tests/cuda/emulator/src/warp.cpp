#include "warp.hpp"

#include <string>

#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

constexpr unsigned lanes = warpSize;

bool names(unsigned mask, unsigned lane) { return (mask >> lane & 1) != 0; }

Warp& warp_of(const Thread& thread) { return running_block.warps[thread.warp]; }

Thread& lane_of(const Thread& thread, unsigned lane) {
  return *running_block.threads[thread.warp * lanes + lane];
}

bool same_operation(const Thread& a, const Thread& b) {
  return a.request.operation == b.request.operation && same_place(a.site, b.site);
}

// The lanes that have come to this thread's operation; 0 as long as some have yet to come. Lanes
// that have left the kernel, or that the block does not have, are not waited for.
unsigned arrived_lanes(const Thread& thread) {
  const unsigned expected = thread.request.mask & ~warp_of(thread).left;
  if ((expected & ~warp_of(thread).waiting) != 0) return 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (names(expected, lane) && !same_operation(lane_of(thread, lane), thread)) return 0;
  }
  return expected;
}

bool masks_agree(const Thread& thread, unsigned arrived) {
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!names(arrived, lane)) continue;
    const Thread& member = lane_of(thread, lane);
    if (member.request.mask == thread.request.mask) continue;
    fail_block("lanes of one operation name different masks: " + thread.name_and_place() + " and " +
               member.name());
    return false;
  }
  return true;
}

std::uint64_t ballot(const Thread& thread, unsigned arrived) {
  std::uint64_t votes = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (names(arrived, lane) && lane_of(thread, lane).request.value != 0) {
      votes |= std::uint64_t{1} << lane;
    }
  }
  return votes;
}

std::uint64_t shuffled_value(const Thread& thread, unsigned arrived) {
  const unsigned source = thread.lane ^ static_cast<unsigned>(thread.request.lanes);
  if (source < lanes && names(arrived, source)) return lane_of(thread, source).request.value;
  fail_block("shuffle reads lane " + std::to_string(source) +
             ", which takes no part: " + thread.name_and_place());
  return 0;
}

void give_results(const Thread& thread, unsigned arrived) {
  const WarpOperation operation = thread.request.operation;
  const std::uint64_t votes = operation == WarpOperation::ballot ? ballot(thread, arrived) : 0;
  for (unsigned lane = 0; lane < lanes && !running_block.failed; ++lane) {
    if (!names(arrived, lane)) continue;
    Thread& member = lane_of(thread, lane);
    const bool shuffles = operation == WarpOperation::shuffle_xor;
    member.warp_result = shuffles ? shuffled_value(member, arrived) : votes;
    member.state = State::ready;
  }
}

unsigned lowest_lane(unsigned mask) { return static_cast<unsigned>(__builtin_ctz(mask)); }

void complete_if_arrived(const Thread& thread) {
  const unsigned arrived = arrived_lanes(thread);
  if (arrived == 0 || !masks_agree(thread, arrived)) return;
  give_results(thread, arrived);
  Warp& warp = warp_of(thread);
  warp.waiting &= ~arrived;
  ++warp.operations[lowest_lane(thread.request.mask)];
  running_block.progress = true;
}

}  // namespace

std::uint64_t warp_operation(const WarpRequest& request, CallSite site) {
  Thread& thread = *current_thread;
  thread.request = request;
  thread.site = site;
  if (!names(request.mask, thread.lane)) {
    fail_thread([&] { return "a lane is not in its own mask: " + thread.name_and_place(); });
  }
  Warp& warp = warp_of(thread);
  const unsigned lowest = lowest_lane(request.mask);
  char* key = &running_block.keys->warp[thread.warp][lowest][warp.operations[lowest] % 2];
  const bool orders_memory = request.operation == WarpOperation::sync;
  if (orders_memory) release(key);
  thread.state = State::at_warp_operation;
  warp.waiting |= 1u << thread.lane;
  {
    const AsScheduler as_scheduler(thread.fiber);
    complete_if_arrived(thread);
  }
  switch_to_others();
  if (orders_memory) acquire(key);
  return thread.warp_result;
}

void warp_lost(const Thread& thread) {
  Warp& warp = warp_of(thread);
  warp.left |= 1u << thread.lane;
  if (warp.waiting == 0) return;
  const AsScheduler as_scheduler(thread.fiber);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!names(warp.waiting, lane)) continue;
    const Thread& other = lane_of(thread, lane);
    if (names(other.request.mask, thread.lane)) complete_if_arrived(other);
  }
}

}  // namespace cuda_emulator
