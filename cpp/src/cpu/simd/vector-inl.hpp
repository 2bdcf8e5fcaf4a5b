// Vectors of the instruction set. Compiled for each instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_SIMD_VECTOR_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_SIMD_VECTOR_INL_HPP
#undef GIVENS_CPU_SIMD_VECTOR_INL_HPP
#else
#define GIVENS_CPU_SIMD_VECTOR_INL_HPP
#endif

#include "cpu/engine_headers.hpp"
#if !defined(GIVENS_ISA)  // where an -inl header is read by itself
#include "cpu/targets/begin_baseline.hpp"
#endif

namespace givens::cpu::GIVENS_ISA {

// A register of floats or doubles. The element type's own alignment: panels are aligned, callers'
// arrays need not be.
template <class R>
struct VectorOf {
  typedef R type __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  typedef R unaligned
      __attribute__((vector_size(GIVENS_VECTOR_BYTES), aligned(alignof(R)), may_alias));
};
template <class R>
using Vector = typename VectorOf<R>::type;

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

#endif
