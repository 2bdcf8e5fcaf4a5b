// Nested loops over several strided operands at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "givens/view.hpp"

namespace givens {

// A vector with a stride, counted in elements. A null `data` stands for an operand that is absent.
template <class T>
struct Strided {
  T* data = nullptr;
  std::int64_t stride = 1;

  constexpr explicit operator bool() const { return data != nullptr; }
  constexpr T& operator[](std::int64_t k) const { return data[k * stride]; }
  constexpr Strided at(std::int64_t offset) const {
    return {data ? data + offset : nullptr, stride};
  }
};

// The index space of nested loops in which each operand moves by a stride of its own. Neighbouring
// loops that all operands walk as one are merged as they are added.
template <std::size_t Operands>
class StridedLoop {
 public:
  using Offsets = std::array<std::int64_t, Operands>;

  // Adds a loop inside those added before.
  void add(std::int64_t extent, const Offsets& strides) {
    size_ *= extent;
    if (extent == 1) return;
    if (depth_ > 0) {
      Loop& outer = loops_[static_cast<std::size_t>(depth_ - 1)];
      bool one_walk = true;
      for (std::size_t p = 0; p < Operands; ++p) {
        one_walk = one_walk && outer.strides[p] == strides[p] * extent;
      }
      if (one_walk) {
        outer = {outer.extent * extent, strides};
        return;
      }
    }
    loops_[static_cast<std::size_t>(depth_++)] = {extent, strides};
  }

  std::int64_t size() const { return size_; }
  int depth() const { return depth_; }
  // The extent of a loop, and the stride of an operand in it. Level 0 is the outermost loop.
  std::int64_t extent(int level) const { return loops_[static_cast<std::size_t>(level)].extent; }
  std::int64_t stride(int level, std::size_t operand) const {
    return loops_[static_cast<std::size_t>(level)].strides[operand];
  }

  // Whether an operand has the same offset for several indices.
  bool repeats(std::size_t operand) const {
    for (int level = 0; level < depth_; ++level) {
      if (loops_[static_cast<std::size_t>(level)].strides[operand] == 0) return true;
    }
    return false;
  }

  // The offsets at an index, counted in the order of for_each.
  Offsets at(std::int64_t index) const {
    Offsets offsets{};
    for (int level = depth_ - 1; level >= 0; --level) {
      const Loop& loop = loops_[static_cast<std::size_t>(level)];
      const std::int64_t k = index % loop.extent;
      index /= loop.extent;
      for (std::size_t p = 0; p < Operands; ++p) offsets[p] += k * loop.strides[p];
    }
    return offsets;
  }

  // Calls body(offsets) for every index, the loop added last running fastest.
  template <class Body>
  void for_each(Body&& body) const {
    if (size_ > 0) nest(0, Offsets{}, body);
  }

 private:
  struct Loop {
    std::int64_t extent = 1;
    Offsets strides{};
  };

  template <class Body>
  void nest(int level, Offsets offsets, Body& body) const {
    if (level == depth_) {
      body(static_cast<const Offsets&>(offsets));
      return;
    }
    const Loop& loop = loops_[static_cast<std::size_t>(level)];
    for (std::int64_t k = 0; k < loop.extent; ++k) {
      nest(level + 1, offsets, body);
      for (std::size_t p = 0; p < Operands; ++p) offsets[p] += loop.strides[p];
    }
  }

  std::array<Loop, kMaxDimensions> loops_{};
  int depth_ = 0;
  std::int64_t size_ = 1;
};

}  // namespace givens
