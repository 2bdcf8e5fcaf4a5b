// Memory for intermediate results.
#pragma once

#include <cstddef>
#include <cstdint>

namespace givens::runtime {

// Memory aligned to cache lines, or to huge pages if it is large. The first touch of new pages
// takes longer than most computations on them, so each thread keeps up to kMostKept bytes of the
// memory it gave back for its next call. Under the address sanitizer nothing is kept, so that it
// sees every use of memory that was given back.
struct ScratchMemory {
  void* data = nullptr;
  std::size_t bytes = 0;
};

inline constexpr std::size_t kMostKept = std::size_t{1} << 26;

// At least `bytes` bytes. Throws std::bad_alloc.
ScratchMemory take_scratch(std::size_t bytes);
void give_back_scratch(const ScratchMemory& memory) noexcept;

// How many bytes the calling thread keeps.
std::size_t kept_scratch();

// An uninitialised array of numbers. It keeps its memory when it is made smaller and loses its
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
