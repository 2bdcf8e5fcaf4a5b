#include "scheduler.hpp"

#include <algorithm>
#include <memory>

#include "api.hpp"
#include "barrier.hpp"
#include "cuda_emulator/control.hpp"
#include "cuda_emulator/index.hpp"
#include "order.hpp"
#include "report.hpp"
#include "shared_memory.hpp"
#include "warp.hpp"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_emulator {

Block running_block;
Thread* current_thread = nullptr;

namespace {

// The thread sanitizer takes the accesses of one thread to be in order. So different blocks have
// different threads: they take turns with at least two sets of threads. There are not too many
// sets, because the sanitizer takes a millisecond to start each thread.
constexpr unsigned max_sets = 16;

struct Scheduler {
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<std::unique_ptr<Thread>> abandoned;  // suspended for ever, in blocks that failed
  std::array<SyncKeys, max_sets> keys{};
  char start_key = 0;
  char end_key = 0;
  const std::function<void()>* kernel = nullptr;
  std::vector<unsigned> ready;  // a member, to be allocated once
  std::size_t hang_limit = 100000;
};

// It is never destroyed, because fibers that have not returned cannot be.
Scheduler& scheduler() {
  static auto& instance = *new Scheduler;
  return instance;
}

void run_kernels() {
  Scheduler& s = scheduler();
  for (;;) {
    acquire(&s.start_key);
    (*s.kernel)();
    release(&s.end_key);
    current_thread->state = State::done;
    running_block.progress = true;
    warp_lost(*current_thread);
    switch_to_others();
  }
}

void resume(Thread& thread) {
  current_thread = &thread;
  threadIdx = thread.index;
  thread.fiber.resume();
  current_thread = nullptr;
}

unsigned set_count(unsigned threads) {
  return thread_sanitizer ? std::clamp(max_threads / 2 / threads, 2u, max_sets) : 1;
}

// The threads of the block that is the `turn`th to run.
void start_threads(dim3 block_size, std::size_t turn) {
  Scheduler& s = scheduler();
  const unsigned count = block_size.x * block_size.y * block_size.z;
  const std::size_t set = turn % set_count(count);
  while (s.threads.size() < (set + 1) * count) {
    s.threads.push_back(std::make_unique<Thread>(run_kernels));
  }
  running_block.size = count;
  running_block.keys = &s.keys[set];
  for (Warp& warp : running_block.warps) {
    warp = {};
    warp.left = ~0u;
  }
  for (unsigned i = 0; i < count; ++i) {
    Thread& thread = *s.threads[set * count + i];
    thread.start(i, block_size);
    running_block.threads[i] = &thread;
    running_block.warps[thread.warp].left &= ~(1u << thread.lane);
  }
}

void collect_ready() {
  Scheduler& s = scheduler();
  s.ready.clear();
  for (unsigned i = 0; i < running_block.size; ++i) {
    if (running_block.threads[i]->state == State::ready) s.ready.push_back(i);
  }
}

bool all_done() {
  const auto first = running_block.threads.begin();
  return std::all_of(first, first + running_block.size,
                     [](const Thread* thread) { return thread->state == State::done; });
}

void run_threads() {
  Scheduler& s = scheduler();
  std::size_t idle_rounds = 0;
  while (!running_block.failed) {
    collect_ready();
    if (s.ready.empty()) {
      if (all_done()) return;
      release_barrier();
      continue;
    }
    put_in_order(s.ready);
    running_block.yielded = false;
    running_block.progress = false;
    for (const unsigned i : s.ready) {
      resume(*running_block.threads[i]);
      if (running_block.failed) return;
    }
    if (running_block.progress) {
      idle_rounds = 0;
    } else if (running_block.yielded) {
      ++idle_rounds;
    }
    if (idle_rounds > s.hang_limit) {
      fail_block("hung: " + running_block.threads[s.ready.front()]->name() + " and " +
                 std::to_string(s.ready.size() - 1) +
                 " others wait for what does not come; blocks run one after the other here, so "
                 "that a block can only wait for one that started earlier");
    }
  }
}

void abandon_threads() {
  Scheduler& s = scheduler();
  for (auto& thread : s.threads) {
    {
      const ActingAs acting_as(thread->fiber);
      release(&s.end_key);
    }
    s.abandoned.push_back(std::move(thread));
  }
  s.threads.clear();
}

void run_block(const GridLaunch& launch, unsigned number, std::size_t turn) {
  Scheduler& s = scheduler();
  blockIdx = {number % launch.grid.x, number / launch.grid.x % launch.grid.y,
              number / launch.grid.x / launch.grid.y};
  running_block.barriers = 0;
  start_shared_memory(launch.dynamic_shared_bytes);
  start_threads(launch.block, turn);
  release(&s.start_key);
  run_threads();
  if (!running_block.failed) end_shared_memory();
}

}  // namespace

void switch_to_others() { current_thread->fiber.suspend(); }

void fail_block(const std::string& message) {
  running_block.failed = true;
  report("block (" + std::to_string(blockIdx.x) + "," + std::to_string(blockIdx.y) + "," +
         std::to_string(blockIdx.z) + "): " + message);
}

void abandon_thread() {
  for (;;) switch_to_others();
}

bool run_grid(const GridLaunch& launch) {
  Scheduler& s = scheduler();
  become_scheduler();
  blockDim = launch.block;
  gridDim = launch.grid;
  s.kernel = &launch.kernel;
  running_block.failed = false;

  std::vector<unsigned> blocks(std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  for (unsigned i = 0; i < blocks.size(); ++i) blocks[i] = i;
  put_in_order(blocks);
  for (std::size_t turn = 0; turn < blocks.size() && !running_block.failed; ++turn) {
    run_block(launch, blocks[turn], turn);
  }
  if (running_block.failed) abandon_threads();
  acquire(&s.end_key);
  free_shared_memory(running_block.failed);
  return !running_block.failed;
}

void set_hang_limit(std::size_t yields) {
  const ApiCall call;
  scheduler().hang_limit = yields;
}

}  // namespace cuda_emulator
