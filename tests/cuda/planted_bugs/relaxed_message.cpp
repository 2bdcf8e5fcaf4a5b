// A block waits for the one before without acquiring what that one has released.
#include "planted_bugs.hpp"

namespace {

__global__ void pass_on(unsigned* ticket, unsigned* ready, int* messages) {
  const unsigned me = atomicAdd(ticket, 1u);
  if (me > 0) {
    while (atomicAdd(&ready[me - 1], 0u) == 0) __nanosleep(20);
    messages[me] = messages[me - 1] + 1;
  } else {
    messages[me] = 1;
  }
  cuda_emulator::store_release(&ready[me], 1);
}

PLANTED_BUG(relaxed_message) {
  const test::DeviceArray<unsigned> ticket(std::vector<unsigned>{0});
  const test::DeviceArray<unsigned> ready(std::vector<unsigned>(3, 0));
  const test::DeviceArray<int> messages(3);
  test::launch({3, 1}, pass_on, ticket.data(), ready.data(), messages.data());
  return messages.values()[2] == 3;
}

}  // namespace
