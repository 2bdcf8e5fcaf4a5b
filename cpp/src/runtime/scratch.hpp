// Memory for intermediate results.
#pragma once

#include <cstddef>
#include <cstdint>

namespace givens::runtime {

// Memory aligned for vectors. The system gives memory page by page, and first touching it takes
// longer than most of what is done with it: each thread keeps what it gave back, at most kMostKept,
// for its next call. None is kept under the address sanitizer, which so sees every use of memory
// that was given back.
struct ScratchMemory {
  void* data = nullptr;
  std::size_t bytes = 0;
};

inline constexpr std::size_t kMostKept = std::size_t{1} << 26;

// At least `bytes`. Throws std::bad_alloc.
ScratchMemory take_scratch(std::size_t bytes);
void give_back_scratch(const ScratchMemory& memory) noexcept;

// The bytes that the calling thread keeps.
std::size_t kept_scratch();

// An array of numbers, not initialised, that keeps its memory when it is made smaller and loses its
// values when it is made larger.
template <class R>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::int64_t size) { resize(size); }
  ~Scratch() { release(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void resize(std::int64_t size) {
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(R);
    if (bytes <= memory_.bytes) return;
    release();
    memory_ = take_scratch(bytes);
  }

  R* data() const { return static_cast<R*>(memory_.data); }

 private:
  void release() {
    if (memory_.data) give_back_scratch(memory_);
    memory_ = {};
  }

  ScratchMemory memory_;
};

}  // namespace givens::runtime
