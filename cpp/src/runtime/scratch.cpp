#include "runtime/scratch.hpp"

#include <algorithm>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace givens::runtime {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t(bytes >= 2 * kHugePage ? kHugePage : kCacheLine);
}

void release(const ScratchMemory& memory) noexcept {
  ::operator delete(memory.data, alignment_of(memory.bytes));
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

// The memory that a thread keeps, the latest last.
class Kept {
 public:
  std::size_t total() const { return total_; }

  ~Kept() {
    for (const ScratchMemory& memory : kept_) release(memory);
  }

  // The smallest kept memory of `bytes` to about twice as many; empty if there is none.
  ScratchMemory take(std::size_t bytes) {
    auto best = kept_.end();
    for (auto it = kept_.begin(); it != kept_.end(); ++it) {
      if (it->bytes < bytes || it->bytes / 2 > bytes) continue;
      if (best == kept_.end() || it->bytes < best->bytes) best = it;
    }
    if (best == kept_.end()) return {};
    const ScratchMemory memory = *best;
    kept_.erase(best);
    total_ -= memory.bytes;
    return memory;
  }

  // Releases the memory that has been kept longest if the new memory does not fit beside it.
  void keep(const ScratchMemory& memory) {
    if (memory.bytes > kMostKept) return release(memory);
    kept_.push_back(memory);
    total_ += memory.bytes;
    while (total_ > kMostKept || kept_.size() > kMostBlocks) {
      release(kept_.front());
      total_ -= kept_.front().bytes;
      kept_.erase(kept_.begin());
    }
  }

 private:
  static constexpr std::size_t kMostBlocks = 16;

  std::vector<ScratchMemory> kept_;
  std::size_t total_ = 0;
};

Kept& kept() {
  thread_local Kept memory;
  return memory;
}

}  // namespace

std::size_t kept_scratch() { return kept().total(); }

ScratchMemory take_scratch(std::size_t bytes) {
  // Whole cache lines, so that memory fits later calls of nearly the same size.
  bytes = std::max((bytes + kCacheLine - 1) / kCacheLine, std::size_t{1}) * kCacheLine;
  if (kKeeps) {
    const ScratchMemory memory = kept().take(bytes);
    if (memory.data) return memory;
  }
  void* const data = ::operator new(bytes, alignment_of(bytes));
#if defined(__linux__)
  if (bytes >= 2 * kHugePage) madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return {data, bytes};
}

void give_back_scratch(const ScratchMemory& memory) noexcept {
  if (!kKeeps) return release(memory);
  try {
    kept().keep(memory);
  } catch (...) {  // the list of kept memory could not grow
    release(memory);
  }
}

}  // namespace givens::runtime
