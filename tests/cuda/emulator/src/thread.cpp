#include "thread.hpp"

namespace cuda_emulator {

void Thread::start(unsigned number, dim3 block_size) {
  state = State::ready;
  index = {number % block_size.x, number / block_size.x % block_size.y,
           number / block_size.x / block_size.y};
  warp = number / warpSize;
  lane = number % warpSize;
  fences = {};
}

std::string Thread::name() const {
  return "thread (" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

std::string Thread::name_and_place() const {
  return name() + " at " + site.file + ":" + std::to_string(site.line);
}

}  // namespace cuda_emulator
