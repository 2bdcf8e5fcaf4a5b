#include "guarded_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "sanitizers.hpp"

namespace cuda_emulator {

namespace {

constexpr std::size_t alignment = 256;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// The pages of an allocation, between two untouchable ones. The memory ends where
// the pages end, as nearly as its alignment allows.
struct Pages {
  Pages(void* memory, std::size_t bytes)
      : size(round_up(round_up(bytes, alignment), page_size())),
        first(reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(memory) / page_size() *
                                      page_size())) {}

  std::size_t size;
  char* first;
};

}  // namespace

#if defined(__SANITIZE_ADDRESS__)

void* allocate_guarded(std::size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
}

void free_guarded(void* memory, std::size_t bytes) {
  allow_access(memory, bytes);
  std::free(memory);
}

void set_touchable(void* memory, std::size_t bytes, bool touchable) {
  touchable ? allow_access(memory, bytes) : forbid_access(memory, bytes);
}

#else

void* allocate_guarded(std::size_t bytes) {
  const std::size_t aligned = round_up(bytes, alignment);
  const std::size_t size = round_up(aligned, page_size());
  void* all = mmap(nullptr, size + 2 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  char* first = static_cast<char*>(all) + page_size();
  if (mprotect(first, size, PROT_READ | PROT_WRITE) != 0) std::abort();
  return first + size - aligned;
}

void free_guarded(void* memory, std::size_t bytes) {
  const Pages pages(memory, bytes);
  munmap(pages.first - page_size(), pages.size + 2 * page_size());
}

void set_touchable(void* memory, std::size_t bytes, bool touchable) {
  const Pages pages(memory, bytes);
  if (mprotect(pages.first, pages.size, touchable ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) {
    std::abort();
  }
}

#endif

}  // namespace cuda_emulator
