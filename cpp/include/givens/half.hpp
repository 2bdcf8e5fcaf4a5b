// The 16-bit floating-point numbers, as they lie in memory.
#pragma once

#include <cstdint>

#include "givens/view.hpp"

namespace givens {

// IEEE binary16.
struct Half {
  std::uint16_t bits;
};

// The upper half of an IEEE binary32.
struct BFloat16 {
  std::uint16_t bits;
};

// Their parameters, and all arithmetic, are float.
template <>
struct RealOf<Half> {
  using type = float;
};
template <>
struct RealOf<BFloat16> {
  using type = float;
};

}  // namespace givens
