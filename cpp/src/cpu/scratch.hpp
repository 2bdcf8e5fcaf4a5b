// Memory for intermediate results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace givens::cpu {

// An array of numbers, aligned for vectors, not initialised, that keeps its memory when it is made
// smaller and loses its values when it is made larger.
template <class R>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::int64_t size) { resize(size); }
  ~Scratch() { release(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void resize(std::int64_t size) {
    if (size <= capacity_) return;
    release();
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(R);
    alignment_ = bytes >= kLarge ? kHugePage : kCacheLine;
    data_ = static_cast<R*>(::operator new(bytes, std::align_val_t(alignment_)));
    capacity_ = size;
#if defined(__linux__)
    // Where the system gives such memory page by page, first touching it takes longer than most of
    // what is done with it.
    if (bytes >= kLarge) madvise(data_, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  }

  R* data() const { return data_; }

 private:
  static constexpr std::size_t kCacheLine = 64;
  static constexpr std::size_t kHugePage = std::size_t{1} << 21;
  static constexpr std::size_t kLarge = 2 * kHugePage;

  void release() {
    if (data_) ::operator delete(data_, std::align_val_t(alignment_));
    data_ = nullptr;
    capacity_ = 0;
  }

  R* data_ = nullptr;
  std::int64_t capacity_ = 0;
  std::size_t alignment_ = kCacheLine;
};

}  // namespace givens::cpu
