// The offsets of several strided operands, for kernels.
#pragma once

#include <cstdint>

#include "kernels/portable.cuh"

namespace givens::cuda {

// The most loops that cannot be merged.
inline constexpr int kMostLoops = 8;

// A StridedLoop that can be a kernel's argument.
template <int Operands>
struct DeviceLoop {
  struct Offsets {
    std::int64_t at[Operands];
  };

  int depth;
  std::int64_t size;
  std::int64_t extents[kMostLoops];
  std::int64_t strides[kMostLoops][Operands];

  // The offsets at an index. The last loop runs fastest.
  GIVENS_DEVICE Offsets at(std::int64_t index) const {
    Offsets out{};
    for (int level = depth - 1; level > 0; --level) {
      const std::int64_t k = index % extents[level];
      index /= extents[level];
      for (int p = 0; p < Operands; ++p) out.at[p] += k * strides[level][p];
    }
    if (depth > 0) {
      for (int p = 0; p < Operands; ++p) out.at[p] += index * strides[0][p];
    }
    return out;
  }
};

}  // namespace givens::cuda
