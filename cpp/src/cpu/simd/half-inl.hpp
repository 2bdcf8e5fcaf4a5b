// Vectors of 16-bit numbers in memory, which become vectors of float and back. Compiled for each
// instruction set; see engine_headers.hpp.
//
// The conversions work on bits. The two operations on floats have the same results whether or not
// the thread flushes subnormal floats to zero.
#pragma once

#include "cpu/simd/vector-inl.hpp"
#include "givens/half.hpp"

namespace givens::cpu::GIVENS_ISA {

// What lies in the memory of an array of T: the reals of complex numbers, else T itself.
template <class T>
using storage_t = std::conditional_t<is_complex_v<T>, real_t<T>, T>;

// In registers 16-bit numbers are floats.
template <>
struct VectorOf<Half> : VectorOf<float> {};
template <>
struct VectorOf<BFloat16> : VectorOf<float> {};

typedef std::uint16_t Halves
    __attribute__((vector_size(GIVENS_VECTOR_BYTES / 2), aligned(2), may_alias));

// The bits of kLanes<float> numbers in memory, in the lower halves of the lanes.
[[gnu::always_inline]] inline Bits<float> load_halves(const void* p) {
  return __builtin_convertvector(*static_cast<const Halves*>(p), Bits<float>);
}

[[gnu::always_inline]] inline void store_halves(void* p, const Bits<float>& bits) {
  *static_cast<Halves*>(p) = __builtin_convertvector(bits, Halves);
}

// bits / 2^shift, rounded to nearest, ties to even.
[[gnu::always_inline]] inline Bits<float> rounded_shift(const Bits<float>& bits, int shift) {
  return (bits + ((1 << (shift - 1)) - 1) + ((bits >> shift) & 1)) >> shift;
}

// The bits of |x|. As integers, infinity is above all numbers and below all NaN.
[[gnu::always_inline]] inline Bits<float> magnitude_of(const Vector<float>& x) {
  return bits_of(x) & 0x7fffffff;
}
inline constexpr std::int32_t kInfinity = 0x7f800000;

// The sign of x where a 16-bit number has it.
[[gnu::always_inline]] inline Bits<float> sign_of(const Vector<float>& x) {
  return (bits_of(x) >> 16) & 0x8000;
}

// --- bfloat16: the upper half of a float ---

[[gnu::always_inline]] inline Vector<float> load(const BFloat16* p) {
  return from_bits(load_halves(p) << 16);
}

[[gnu::always_inline]] inline void store(BFloat16* p, const Vector<float>& v) {
  const Bits<float> magnitude = magnitude_of(v);
  const Bits<float> rounded =
      magnitude > kInfinity ? (magnitude >> 16) | 0x40 : rounded_shift(magnitude, 16);
  store_halves(p, rounded | sign_of(v));
}

// --- float16: 5 bits of exponent, whose bias is less by 112, and 10 of fraction ---

inline constexpr std::int32_t kBias = 112 << 23;

[[gnu::always_inline]] inline Vector<float> load(const Half* p) {
  const Bits<float> half = load_halves(p);
  const Bits<float> magnitude = half & 0x7fff;
  const Bits<float> normal = (magnitude << 13) + kBias;
  const Bits<float> finite =
      magnitude < 0x400
          ? bits_of(__builtin_convertvector(magnitude, Vector<float>) * 0x1p-24F)  // subnormal
          : normal;
  return from_bits((magnitude < 0x7c00 ? finite : normal + kBias) | ((half & 0x8000) << 16));
}

[[gnu::always_inline]] inline void store(Half* p, const Vector<float>& v) {
  const Bits<float> magnitude = magnitude_of(v);
  // Below 2^-14 numbers are multiples of 2^-24, to which the sum with 1/2 is rounded.
  const Bits<float> subnormal = bits_of(from_bits(magnitude) + 0.5F) - 0x3f000000;
  const Bits<float> finite =
      magnitude < 0x38800000 ? subnormal : rounded_shift(magnitude - kBias, 13);
  const Bits<float> others =
      magnitude > kInfinity ? Bits<float>{} + 0x7e00 : Bits<float>{} + 0x7c00;
  const Bits<float> rounded = magnitude < 0x47800000 ? finite : others;
  store_halves(p, rounded | sign_of(v));
}

// Fills a vector in memory with number(k) of type S for its first `count` lanes, and with zeros.
template <class S, class R, class Number>
[[gnu::always_inline]] inline void fill_lanes(R* to, std::int64_t count, Number&& number) {
  if constexpr (std::is_same_v<S, R>) {  // what is stored in parts should not be loaded at once
    for (std::int64_t k = 0; k < count; ++k) to[k] = number(k);
    for (std::int64_t k = count; k < kLanes<R>; ++k) to[k] = R(0);
  } else {
    S numbers[kLanes<R>] = {};
    for (std::int64_t k = 0; k < count; ++k) numbers[k] = number(k);
    store(to, load(numbers));
  }
}

}  // namespace givens::cpu::GIVENS_ISA
