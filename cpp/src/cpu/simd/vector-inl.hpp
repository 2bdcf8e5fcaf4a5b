// Vectors of the instruction set. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/engine_headers.hpp"
#if !defined(GIVENS_ISA)
#include "cpu/targets/begin_baseline.hpp"
#endif

namespace givens::cpu::GIVENS_ISA {

// A register of numbers. Memory is accessed with the alignment of one number: panels are aligned,
// callers' arrays need not be.
template <class R>
struct VectorOf {
  typedef R type __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  typedef R unaligned
      __attribute__((vector_size(GIVENS_VECTOR_BYTES), aligned(alignof(R)), may_alias));
};
template <class R>
using Vector = typename VectorOf<R>::type;

// A register of integers as wide as R: its bits, or the result of a comparison, all bits of a lane
// or none.
template <class R>
using Bits = Vector<std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>>;

template <class R>
inline constexpr std::int64_t kLanes = GIVENS_VECTOR_BYTES / sizeof(R);

template <class R>
[[gnu::always_inline]] inline Vector<R> load(const R* p) {
  return *reinterpret_cast<const typename VectorOf<R>::unaligned*>(p);
}

template <class R>
[[gnu::always_inline]] inline void store(R* p, const Vector<R>& v) {
  *reinterpret_cast<typename VectorOf<R>::unaligned*>(p) = v;
}

[[gnu::always_inline]] inline Bits<float> bits_of(const Vector<float>& v) { return (Bits<float>)v; }
[[gnu::always_inline]] inline Bits<double> bits_of(const Vector<double>& v) {
  return (Bits<double>)v;
}
[[gnu::always_inline]] inline Vector<float> from_bits(const Bits<float>& v) {
  return (Vector<float>)v;
}
[[gnu::always_inline]] inline Vector<double> from_bits(const Bits<double>& v) {
  return (Vector<double>)v;
}

// The sum of the lanes, in a fixed order.
template <class R>
[[gnu::always_inline]] inline R sum(const Vector<R>& v) {
  R lanes[kLanes<R>];
  store(lanes, v);
  for (std::int64_t width = kLanes<R> / 2; width > 0; width /= 2) {
    for (std::int64_t k = 0; k < width; ++k) lanes[k] += lanes[k + width];
  }
  return lanes[0];
}

// Whether all lanes of a comparison's result are false.
template <class R>
[[gnu::always_inline]] inline bool none(const Bits<R>& mask) {
  bool out = true;
  for (std::int64_t k = 0; k < kLanes<R>; ++k) out = out && mask[k] == 0;
  return out;
}

// Calls body(std::integral_constant<int, m>) for m = 0 .. Count - 1: loops over arrays of vectors
// that must stay in registers, which compilers leave in memory where an index is not a constant
// from the start.
template <class Body, int... M>
[[gnu::always_inline]] inline void unrolled_over(Body&& body, std::integer_sequence<int, M...>) {
  (body(std::integral_constant<int, M>{}), ...);
}
template <int Count, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
  unrolled_over(body, std::make_integer_sequence<int, Count>{});
}

}  // namespace givens::cpu::GIVENS_ISA
