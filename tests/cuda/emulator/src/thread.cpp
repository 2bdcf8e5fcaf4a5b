#include "thread.hpp"

#include <cstring>

namespace cuda_emulator {

bool same_place(CallSite a, CallSite b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

void Thread::start(unsigned number, dim3 block_size) {
  state = State::ready;
  index = {number % block_size.x, number / block_size.x % block_size.y,
           number / block_size.x / block_size.y};
  warp = number / warpSize;
  lane = number % warpSize;
}

std::string Thread::name() const {
  return "thread (" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

std::string Thread::name_and_place() const {
  return name() + " at " + site.file + ":" + std::to_string(site.line);
}

}  // namespace cuda_emulator
