// The numbers that the reference engine computes with, from those in the caller's memory, and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "arguments/problem.hpp"
#include "givens/half.hpp"

namespace givens::reference {

inline std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(x));
  return bits;
}

inline float from_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

// bits / 2^shift, rounded to nearest, ties to even.
inline std::uint32_t rounded_shift(std::uint32_t bits, int shift) {
  const std::uint32_t odd = (bits >> shift) & 1;
  return (bits + (std::uint32_t{1} << (shift - 1)) - 1 + odd) >> shift;
}

template <class T>
T widened(const T& x) {
  return x;
}

inline float widened(BFloat16 x) { return from_bits(static_cast<std::uint32_t>(x.bits) << 16); }

inline float widened(Half x) {
  const int exponent = (x.bits >> 10) & 31;
  const int fraction = x.bits & 1023;
  float size = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  if (exponent == 0) size = std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 31) size = fraction == 0 ? INFINITY : NAN;
  return std::copysign(size, x.bits >> 15 ? -1.0F : 1.0F);
}

// The nearest number of T; of two, the one whose last bit is 0.
template <class T>
T rounded(const computed_t<T>& x) {
  return x;
}

template <>
inline BFloat16 rounded<BFloat16>(const float& x) {
  std::uint32_t bits = (bits_of(x) >> 16) | 0x40;  // a NaN stays one
  if (!std::isnan(x)) bits = rounded_shift(bits_of(x), 16);
  return {static_cast<std::uint16_t>(bits)};
}

template <>
inline Half rounded<Half>(const float& x) {
  constexpr std::uint32_t kLeast = 127 - 14;  // the exponent of the smallest normal number, biased
  const std::uint32_t size = bits_of(x) & 0x7fffffff;
  std::uint32_t bits;
  if (std::isnan(x)) {
    bits = 0x7e00;
  } else if (size >= 0x47800000) {  // 2^16 and more
    bits = 0x7c00;
  } else if (size < 0x33000000) {  // less than half of the smallest number, 2^-24
    bits = 0;
  } else {
    const std::uint32_t exponent = size >> 23;
    const std::uint32_t significand = (size & 0x7fffff) | 0x800000;
    const std::uint32_t subnormal = kLeast - std::min(exponent, kLeast);
    // The first of the 11 bits that are left of a normal significand adds 1 to the exponent.
    bits = ((exponent + subnormal - kLeast) << 10) +
           rounded_shift(significand, 13 + static_cast<int>(subnormal));
  }
  return {static_cast<std::uint16_t>(((bits_of(x) >> 16) & 0x8000) | bits)};
}

}  // namespace givens::reference
