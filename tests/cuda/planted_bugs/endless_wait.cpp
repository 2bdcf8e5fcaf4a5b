// A block waits for a block that starts later, and perhaps not before this one ends.
#include "planted_bugs.hpp"

namespace {

__global__ void wait_for_next(unsigned* ticket, unsigned* ready) {
  const unsigned me = atomicAdd(ticket, 1u);
  if (me + 1 < gridDim.x) {
    while (cuda_emulator::load_acquire(&ready[me + 1]) == 0) __nanosleep(20);
  }
  cuda_emulator::store_release(&ready[me], 1);
}

PLANTED_BUG(endless_wait) {
  const test::DeviceArray<unsigned> ticket(std::vector<unsigned>{0});
  const test::DeviceArray<unsigned> ready(std::vector<unsigned>(2, 0));
  return test::launch({2, 1}, wait_for_next, ticket.data(), ready.data()) == cudaSuccess;
}

}  // namespace
