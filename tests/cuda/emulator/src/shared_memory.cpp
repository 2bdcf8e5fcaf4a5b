#include "shared_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cuda_emulator/shared_memory.hpp"
#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

// Without a sanitizer, bytes behind the memory tell whether something wrote there.
constexpr std::size_t guard_bytes = address_sanitizer ? 0 : 4096;

struct SharedMemory {
  unsigned char* memory = nullptr;  // the running block's
  std::size_t bytes = 0;
  std::vector<unsigned char*> ended;  // earlier blocks' memory
};

SharedMemory& shared() {
  static auto& instance = *new SharedMemory;
  return instance;
}

bool guard_is_untouched() {
  const unsigned char* guard = shared().memory + shared().bytes;
  return std::all_of(guard, guard + guard_bytes, [](unsigned char byte) { return byte == poison; });
}

void free_ended() {
  for (unsigned char* one : shared().ended) std::free(one);
  shared().ended.clear();
}

}  // namespace

void start_shared_memory(std::size_t bytes) {
  SharedMemory& s = shared();
  s.memory = static_cast<unsigned char*>(std::malloc(bytes + guard_bytes));
  if (!s.memory) std::abort();
  std::memset(s.memory, poison, bytes + guard_bytes);
  s.bytes = bytes;
}

void end_shared_memory() {
  SharedMemory& s = shared();
  if (!guard_is_untouched()) {
    fail_block("something wrote beyond the end of an array of " + std::to_string(s.bytes) +
               " bytes in shared memory");
  }
  s.ended.push_back(std::exchange(s.memory, nullptr));
  // Memory that is used again would order its users in the eyes of the thread sanitizer.
  if (!thread_sanitizer) free_ended();
}

void free_shared_memory(bool keep) {
  static auto& kept = *new std::vector<unsigned char*>;
  SharedMemory& s = shared();
  if (s.memory) s.ended.push_back(std::exchange(s.memory, nullptr));
  if (keep) {
    kept.insert(kept.end(), s.ended.begin(), s.ended.end());
    s.ended.clear();
  } else {
    free_ended();
  }
}

void* dynamic_shared() { return shared().memory; }

}  // namespace cuda_emulator
