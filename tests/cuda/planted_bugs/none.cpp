// Does right what the others do wrong. No tool may report anything.
#include "planted_bugs.hpp"

namespace {

constexpr unsigned threads = 64;
constexpr unsigned blocks = 5;

// Sums the threads' indices by way of shared memory, shuffles and atomics.
__global__ void sum_indices(const float* values, float* sum) {
  float* reversed = test::shared<float>();
  float* of_warp = reversed + threads;
  const unsigned t = threadIdx.x;
  reversed[t] = values[blockIdx.x * threads + threads - 1 - t];
  __syncthreads();
  of_warp[t] = reversed[threads - 1 - t];
  __syncwarp();
  float mine = of_warp[t ^ 1];
  for (int lanes = 16; lanes > 0; lanes /= 2) mine += __shfl_xor_sync(full_mask, mine, lanes);
  if (t % 32 == 0) atomicAdd(sum, mine);
}

// Passes messages from block to block, in the order in which blocks start.
__global__ void pass_on(unsigned* ticket, unsigned* ready, float* messages) {
  if (threadIdx.x != 0) return;
  const unsigned me = atomicAdd(ticket, 1u);
  float message = 1;
  if (me > 0) {
    while (cuda_emulator::load_acquire(&ready[me - 1]) == 0) __nanosleep(20);
    message += messages[me - 1];
  }
  messages[me] = message;
  cuda_emulator::store_release(&ready[me], 1);
}

PLANTED_BUG(none) {
  std::vector<float> values(blocks * threads);
  float expected = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
    expected += values[i];
  }
  const test::DeviceArray<float> input(values), sum(std::vector<float>{0}), messages(blocks);
  const test::DeviceArray<unsigned> ticket(std::vector<unsigned>{0});
  const test::DeviceArray<unsigned> ready(std::vector<unsigned>(blocks, 0));
  test::launch({blocks, threads, 2 * threads * sizeof(float)}, sum_indices, input.data(),
               sum.data());
  test::launch({blocks, threads}, pass_on, ticket.data(), ready.data(), messages.data());
  return sum.values()[0] == expected && messages.values()[blocks - 1] == blocks;
}

}  // namespace
