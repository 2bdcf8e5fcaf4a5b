// Vectors of the instruction set that is being compiled for. Included by the engine_*.cpp files
// only, which define GIVENS_ISA, the name of the instruction set and of its namespace, and
// GIVENS_VECTOR_BYTES. Everything included after them is compiled once for each instruction set.

#include <cstdint>

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

// Eight doubles or integers, whatever the registers' width: one row of a tile.
typedef double Double8 __attribute__((vector_size(64)));
typedef std::int64_t Int8 __attribute__((vector_size(64)));
// The same where memory is aligned for a double only, as that of a std::vector is.
typedef double Unaligned8 __attribute__((vector_size(64), aligned(8), may_alias));

typedef float Float8 __attribute__((vector_size(32)));

// By value: a reference would take the alignment of what it refers to for granted.
[[gnu::always_inline]] inline Double8 to_doubles(Float8 x) {
#if GIVENS_VECTOR_BYTES == 64
  // One instruction where GCC makes five. With a mask, because its header warns of the other form.
  return (Double8)_mm512_maskz_cvtps_pd(0xFF, (__m256)x);
#else
  return __builtin_convertvector(x, Double8);
#endif
}
[[gnu::always_inline]] inline Double8 to_doubles(Double8 x) { return x; }

}  // namespace givens::cpu::GIVENS_ISA
