#include "shared_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cuda_emulator/shared_memory.hpp"
#include "device.hpp"
#include "scheduler.hpp"

namespace cuda_emulator {

namespace {

constexpr std::size_t max_static_bytes = 48 * 1024;

// Without a sanitizer, bytes behind an array tell whether something wrote there.
constexpr std::size_t guard_bytes = address_sanitizer ? 0 : 4096;

struct Array {
  const void* key;
  unsigned char* memory;
  std::size_t bytes;
};

struct SharedMemory {
  std::vector<Array> arrays;          // the running block's; the first is the dynamic one
  std::vector<unsigned char*> ended;  // earlier blocks' arrays
  std::size_t static_bytes = 0;
  char allocation_key = 0;  // orders the use of a static array after its allocation
};

SharedMemory& shared() {
  static auto& instance = *new SharedMemory;
  return instance;
}

Array new_array(const void* key, std::size_t bytes) {
  const std::size_t all = bytes + guard_bytes;
  auto* memory = static_cast<unsigned char*>(std::malloc(all));
  if (!memory) std::abort();
  std::memset(memory, poison, all);
  return {key, memory, bytes};
}

bool guard_is_untouched(const Array& array) {
  const unsigned char* guard = array.memory + array.bytes;
  return std::all_of(guard, guard + guard_bytes, [](unsigned char byte) { return byte == poison; });
}

void free_all(std::vector<unsigned char*>& memory) {
  for (unsigned char* one : memory) std::free(one);
  memory.clear();
}

}  // namespace

void start_shared_memory(std::size_t dynamic_bytes) {
  SharedMemory& s = shared();
  s.static_bytes = 0;
  s.arrays.push_back(new_array(nullptr, dynamic_bytes));
}

void end_shared_memory() {
  SharedMemory& s = shared();
  for (const Array& array : s.arrays) {
    if (!guard_is_untouched(array)) {
      fail_block("something wrote beyond the end of an array of " + std::to_string(array.bytes) +
                 " bytes in shared memory");
    }
    s.ended.push_back(array.memory);
  }
  s.arrays.clear();
  // Memory that is used again would order its users in the eyes of the thread sanitizer.
  if (!thread_sanitizer) free_all(s.ended);
}

void free_shared_memory(bool keep) {
  static auto& kept = *new std::vector<unsigned char*>;
  SharedMemory& s = shared();
  for (const Array& array : s.arrays) s.ended.push_back(array.memory);
  s.arrays.clear();
  if (keep) {
    kept.insert(kept.end(), s.ended.begin(), s.ended.end());
    s.ended.clear();
  } else {
    free_all(s.ended);
  }
}

void* dynamic_shared() { return shared().arrays.front().memory; }

std::size_t dynamic_shared_bytes() { return shared().arrays.front().bytes; }

void* static_shared_bytes(const void* key, std::size_t bytes) {
  SharedMemory& s = shared();
  for (const Array& array : s.arrays) {
    if (array.key != key) continue;
    acquire(&s.allocation_key);
    return array.memory;
  }
  s.static_bytes += bytes;
  if (s.static_bytes > max_static_bytes) {
    fail_thread([&] {
      return "static shared memory of " + std::to_string(s.static_bytes) +
             " bytes, which are more than the compiler accepts";
    });
  }
  const std::size_t all_bytes = s.static_bytes + dynamic_shared_bytes();
  if (all_bytes > running_device_shared_memory()) {
    fail_thread([&] {
      return "static and dynamic shared memory of " + std::to_string(all_bytes) +
             " bytes, which are more than the device has";
    });
  }
  {
    const AsScheduler as_scheduler(current_thread->fiber);
    s.arrays.push_back(new_array(key, bytes));
    release(&s.allocation_key);
  }
  acquire(&s.allocation_key);
  return s.arrays.back().memory;
}

}  // namespace cuda_emulator
