// The emulator as kernels see it: indices, barriers, warps, atomics, shared memory, and the order
// of execution.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "cuda_emulator/control.hpp"
#include "emulator/tests/device_array.hpp"

namespace {

using cuda_emulator::Order;
using test::DeviceArray;
using test::launch;

constexpr unsigned full_mask = 0xffffffffu;

// Whether a kernel that failed was reported so. No report is left for the next test.
bool reported(const std::string& text) {
  return cuda_emulator::take_reports().find(text) != std::string::npos;
}

// Runs check in every order of execution.
template <class Check>
void in_all_orders(Check&& check) {
  for (const Order order : {Order::forward, Order::reverse, Order::random}) {
    CAPTURE(static_cast<int>(order));
    cuda_emulator::set_order(order, 7);
    check();
  }
  cuda_emulator::set_order(Order::random);
}

// --- Indices -----------------------------------------------------------------------------------

__global__ void number_threads(unsigned* numbers) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
  numbers[number] = number;
}

TEST_CASE("every thread of every block runs once, with its own indices") {
  in_all_orders([] {
    const DeviceArray<unsigned> numbers(2 * 3 * 2 * 5 * 4 * 3);
    REQUIRE(launch({{2, 3, 2}, {5, 4, 3}}, number_threads, numbers.data()) == cudaSuccess);
    const auto values = numbers.values();
    for (unsigned i = 0; i < values.size(); ++i) REQUIRE(values[i] == i);
  });
}

__global__ void note_turn(unsigned* turn, unsigned* turns) {
  turns[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(turn, 1u);
}

std::vector<unsigned> turns_of(unsigned blocks, unsigned threads) {
  const DeviceArray<unsigned> turn(std::vector<unsigned>{0});
  const DeviceArray<unsigned> turns(std::size_t{blocks} * threads);
  REQUIRE(launch({blocks, threads}, note_turn, turn.data(), turns.data()) == cudaSuccess);
  return turns.values();
}

TEST_CASE("blocks and threads run in the order that was chosen") {
  cuda_emulator::set_order(Order::forward);
  CHECK(turns_of(2, 3) == std::vector<unsigned>{0, 1, 2, 3, 4, 5});
  cuda_emulator::set_order(Order::reverse);
  CHECK(turns_of(2, 3) == std::vector<unsigned>{5, 4, 3, 2, 1, 0});
  cuda_emulator::set_order(Order::random, 1);
  const auto first = turns_of(4, 64);
  CHECK(turns_of(4, 64) != first);
  cuda_emulator::set_order(Order::random, 1);
  CHECK(turns_of(4, 64) == first);
}

// --- Barriers and shared memory ----------------------------------------------------------------

__global__ void reverse_in_shared_memory(const int* from, int* to) {
  int* values = test::shared<int>();
  const unsigned t = threadIdx.x;
  values[t] = from[t];
  __syncthreads();
  to[t] = values[blockDim.x - 1 - t];
}

TEST_CASE("threads meet at barriers and share memory") {
  in_all_orders([] {
    std::vector<int> values(96);
    for (int i = 0; i < 96; ++i) values[static_cast<std::size_t>(i)] = i;
    const DeviceArray<int> from(values), to(96);
    REQUIRE(launch({1, 96, 96 * sizeof(int)}, reverse_in_shared_memory, from.data(), to.data()) ==
            cudaSuccess);
    const auto reversed = to.values();
    for (int i = 0; i < 96; ++i) REQUIRE(reversed[static_cast<std::size_t>(i)] == 95 - i);
  });
}

__global__ void read_what_was_never_written(float* value) {
  *value = std::isnan(*test::shared<double>()) ? *test::shared<float>() : 0.0f;
}

TEST_CASE("memory that was never written is not a number") {
  const DeviceArray<float> value(1);
  CHECK(std::isnan(value.values()[0]));
  REQUIRE(launch({1, 1, 8}, read_what_was_never_written, value.data()) == cudaSuccess);
  CHECK(std::isnan(value.values()[0]));
}

__global__ void leave_some_before_barrier() {
  if (threadIdx.x < 8) return;
  __syncthreads();
}

__global__ void part_at_barrier() {
  if (threadIdx.x < 8) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST_CASE("threads that miss a barrier are reported, and the next launch works") {
  in_all_orders([] {
    CHECK(launch({1, 64}, leave_some_before_barrier) == cudaErrorLaunchFailure);
    CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
    CHECK(
        reported("deadlock: of 64 threads, 8 have left the kernel, 56 wait at a barrier (thread "
                 "(8,0,0) at "));
    CHECK(launch({1, 64}, part_at_barrier) == cudaErrorLaunchFailure);
    CHECK(reported("divergent barrier: thread (0,0,0) at "));
    CHECK(turns_of(2, 64).size() == 128);
  });
}

#if !defined(__SANITIZE_ADDRESS__)
__global__ void write_beyond_shared_memory() { test::shared<int>()[4] = 1; }

TEST_CASE("a write beyond shared memory is reported even without the address sanitizer") {
  CHECK(launch({1, 1, 16}, write_beyond_shared_memory) == cudaErrorLaunchFailure);
  CHECK(reported("something wrote beyond the end of an array of 16 bytes in shared memory"));
}
#endif

// --- Warps -------------------------------------------------------------------------------------

__global__ void exchange_and_vote(int* values, unsigned* votes, double* sums) {
  const unsigned lane = threadIdx.x % 32;
  values[threadIdx.x] = __shfl_xor_sync(full_mask, static_cast<int>(100 + lane), 9);
  votes[threadIdx.x] = __ballot_sync(full_mask, lane % 3 == 0);
  double sum = lane;
  for (int other = 16; other > 0; other /= 2) sum += __shfl_xor_sync(full_mask, sum, other);
  sums[threadIdx.x] = sum;
}

TEST_CASE("lanes read each other, vote and sum") {
  in_all_orders([] {
    const DeviceArray<int> values(64);
    const DeviceArray<unsigned> votes(64);
    const DeviceArray<double> sums(64);
    REQUIRE(launch({1, 64}, exchange_and_vote, values.data(), votes.data(), sums.data()) ==
            cudaSuccess);
    const auto read = values.values();
    for (int t = 0; t < 64; ++t) CHECK(read[static_cast<std::size_t>(t)] == 100 + (t % 32 ^ 9));
    CHECK(votes.values() == std::vector<unsigned>(64, 0x49249249u));
    CHECK(sums.values() == std::vector<double>(64, 31 * 32 / 2));
  });
}

__global__ void halves_go_separate_ways(unsigned* ballots) {
  const unsigned lane = threadIdx.x;
  if (lane < 16) {
    for (unsigned i = 0; i < lane % 2 + 2; ++i) __syncwarp(1u << lane);
    ballots[lane] = __ballot_sync(0x0000ffffu, lane % 2);
    __syncwarp(0x0000ffffu);
  } else {
    ballots[lane] = __ballot_sync(0xffff0000u, 1);
  }
  __syncwarp();
}

TEST_CASE("parts of a warp meet separately") {
  in_all_orders([] {
    const DeviceArray<unsigned> ballots(32);
    REQUIRE(launch({1, 32}, halves_go_separate_ways, ballots.data()) == cudaSuccess);
    const auto values = ballots.values();
    for (std::size_t lane = 0; lane < 32; ++lane) {
      CHECK(values[lane] == (lane < 16 ? 0x0000aaaau : 0xffff0000u));
    }
  });
}

__global__ void ballot_without_those_who_left(unsigned* ballot) {
  if (threadIdx.x % 2 == 1) return;
  const unsigned even = __ballot_sync(full_mask, 1);
  if (threadIdx.x == 0) *ballot = even;
}

__global__ void read_lane_that_left(int* out) {
  if (threadIdx.x == 31) return;
  out[threadIdx.x] = __shfl_xor_sync(full_mask, 1, 1);
}

__global__ void shuffle_in_half_a_warp(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(full_mask, 1, 1);
  __syncthreads();
}

__global__ void shuffle_outside_the_mask(int* out) { *out = __shfl_xor_sync(0x1u, 1, 0); }

TEST_CASE("no lane waits for lanes that have left or reads them") {
  in_all_orders([] {
    const DeviceArray<unsigned> ballot(1);
    REQUIRE(launch({1, 24}, ballot_without_those_who_left, ballot.data()) == cudaSuccess);
    CHECK(ballot.values()[0] == 0x00555555u);
    const DeviceArray<int> out(32);
    CHECK(launch({1, 32}, read_lane_that_left, out.data()) == cudaErrorLaunchFailure);
    CHECK(reported("shuffle reads lane 31, which takes no part: thread (30,0,0) at "));
    CHECK(launch({1, 32}, shuffle_in_half_a_warp, out.data()) == cudaErrorLaunchFailure);
    CHECK(reported("16 wait at a barrier"));
    CHECK(launch({1, 2}, shuffle_outside_the_mask, out.data()) == cudaErrorLaunchFailure);
    CHECK(reported("a lane is not in its own mask: thread (1,0,0) at "));
  });
}

// --- Atomics and waiting -----------------------------------------------------------------------

__global__ void add_up(double* sum, float* halves, unsigned* count) {
  const unsigned t = blockIdx.x * blockDim.x + threadIdx.x;
  atomicAdd(sum, t);
  atomicAdd(halves, 0.5f);
  atomicAdd(count, 1u);
}

TEST_CASE("atomic sums have every thread's part") {
  const DeviceArray<double> sum(std::vector<double>{0});
  const DeviceArray<float> halves(std::vector<float>{0});
  const DeviceArray<unsigned> count(std::vector<unsigned>{0});
  REQUIRE(launch({4, 32}, add_up, sum.data(), halves.data(), count.data()) == cudaSuccess);
  CHECK(sum.values()[0] == 127 * 128 / 2);
  CHECK(halves.values()[0] == 64);
  CHECK(count.values()[0] == 128);
}

// Each block adds to what the block with the ticket before it has published.
__global__ void chain_blocks(unsigned* ticket, unsigned* ready, int* sums) {
  unsigned* mine = test::shared<unsigned>();
  if (threadIdx.x == 0) *mine = atomicAdd(ticket, 1u);
  __syncthreads();
  if (threadIdx.x != 0) return;
  const unsigned me = *mine;
  int before = 0;
  if (me > 0) {
    while (cuda_emulator::load_acquire(&ready[me - 1]) == 0) __nanosleep(10);
    before = sums[me - 1];
  }
  sums[me] = before + 1;
  cuda_emulator::store_release(&ready[me], 1);
}

TEST_CASE("a block can wait for one that started earlier") {
  in_all_orders([] {
    const DeviceArray<unsigned> ticket(std::vector<unsigned>(1, 0));
    const DeviceArray<unsigned> ready(std::vector<unsigned>(20, 0));
    const DeviceArray<int> sums(20);
    REQUIRE(launch({20, 32, sizeof(unsigned)}, chain_blocks, ticket.data(), ready.data(),
                   sums.data()) == cudaSuccess);
    CHECK(sums.values()[19] == 20);
  });
}

// Thread 0 passes the turn on to thread 1, and so on.
__global__ void take_turns(unsigned* turn, int* count) {
  while (cuda_emulator::load_acquire(turn) != threadIdx.x) {
  }
  *count += 1;
  cuda_emulator::store_release(turn, threadIdx.x + 1);
}

TEST_CASE("threads of a block can wait for each other in a loop") {
  in_all_orders([] {
    const DeviceArray<unsigned> turn(std::vector<unsigned>(1, 0));
    const DeviceArray<int> count(std::vector<int>(1, 0));
    REQUIRE(launch({1, 64}, take_turns, turn.data(), count.data()) == cudaSuccess);
    CHECK(count.values()[0] == 64);
  });
}

__global__ void wait_for_ever(const unsigned* flag) {
  while (cuda_emulator::load_acquire(flag) == 0) __nanosleep(10);
}

__global__ void wait_for_ever_together(const unsigned* flag) {
  while (cuda_emulator::load_acquire(flag) == 0) __syncthreads();
}

__global__ void pass_many_barriers() {
  for (int i = 0; i < 2000; ++i) __syncthreads();
}

TEST_CASE("a block that waits for ever is reported, but a block that only takes long is not") {
  cuda_emulator::set_hang_limit(1000);
  const DeviceArray<unsigned> flag(std::vector<unsigned>(1, 0));
  CHECK(launch({1, 64}, wait_for_ever, flag.data()) == cudaErrorLaunchFailure);
  CHECK(reported("hung: thread "));
  CHECK(launch({1, 64}, wait_for_ever_together, flag.data()) == cudaErrorLaunchFailure);
  CHECK(reported("hung: thread "));
  CHECK(launch({1, 64}, pass_many_barriers) == cudaSuccess);
  cuda_emulator::set_hang_limit(100000);
}

// --- Mathematics -------------------------------------------------------------------------------

TEST_CASE("sincospi is exact at multiples of a quarter turn and right between them") {
  // The angle and the result are rounded once each, and are at most 1.
  const double tolerance = 4 * std::numeric_limits<double>::epsilon();
  double sine, cosine;
  for (int i = -16; i <= 16; ++i) {
    CAPTURE(i);
    sincospi(i / 2.0, &sine, &cosine);
    const int quarter = ((i % 4) + 4) % 4;
    CHECK(sine == (quarter == 1 ? 1 : quarter == 3 ? -1 : 0));
    CHECK(cosine == (quarter == 0 ? 1 : quarter == 2 ? -1 : 0));
    const double angle = 3.14159265358979323846 * (i / 16.0);
    sincospi(i / 16.0, &sine, &cosine);
    CHECK(std::fabs(sine - std::sin(angle)) <= tolerance);
    CHECK(std::fabs(cosine - std::cos(angle)) <= tolerance);
  }
  sincospi(HUGE_VAL, &sine, &cosine);
  CHECK(std::isnan(sine));
  CHECK(std::isnan(cosine));
}

}  // namespace
