// Products that are added to, with one rounding where the instruction set has fused multiply-adds.
// Compiled for each instruction set; see engine_headers.hpp.
//
// The compilers do not contract a * b + c in the engines: which of two products they would fuse
// depends on the code around them, and results must not.
#pragma once

#include "cpu/simd/vector-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// fused_add(a, b, c) is a * b + c, fused_subtract(a, b, c) is c - a * b. SSE2 has no instruction
// for them and rounds twice.
#define GIVENS_FUSED(R, add, subtract)                                                           \
  [[gnu::always_inline]] inline Vector<R> fused_add(const Vector<R>& a, const Vector<R>& b,      \
                                                    const Vector<R>& c) {                        \
    return add;                                                                                  \
  }                                                                                              \
  [[gnu::always_inline]] inline Vector<R> fused_subtract(const Vector<R>& a, const Vector<R>& b, \
                                                         const Vector<R>& c) {                   \
    return subtract;                                                                             \
  }
#if defined(__aarch64__)
GIVENS_FUSED(float, vfmaq_f32(c, a, b), vfmsq_f32(c, a, b))
GIVENS_FUSED(double, vfmaq_f64(c, a, b), vfmsq_f64(c, a, b))
#elif GIVENS_VECTOR_BYTES == 64
GIVENS_FUSED(float, _mm512_fmadd_ps(a, b, c), _mm512_fnmadd_ps(a, b, c))
GIVENS_FUSED(double, _mm512_fmadd_pd(a, b, c), _mm512_fnmadd_pd(a, b, c))
#elif GIVENS_VECTOR_BYTES == 32
GIVENS_FUSED(float, _mm256_fmadd_ps(a, b, c), _mm256_fnmadd_ps(a, b, c))
GIVENS_FUSED(double, _mm256_fmadd_pd(a, b, c), _mm256_fnmadd_pd(a, b, c))
#else
GIVENS_FUSED(float, a* b + c, c - a * b)
GIVENS_FUSED(double, a* b + c, c - a * b)
#endif
#undef GIVENS_FUSED

// The same of single numbers.
#if defined(__aarch64__) || GIVENS_VECTOR_BYTES >= 32
[[gnu::always_inline]] inline float fused_add(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
[[gnu::always_inline]] inline double fused_add(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
#else
[[gnu::always_inline]] inline float fused_add(float a, float b, float c) { return a * b + c; }
[[gnu::always_inline]] inline double fused_add(double a, double b, double c) { return a * b + c; }
#endif
[[gnu::always_inline]] inline float fused_subtract(float a, float b, float c) {
  return fused_add(-a, b, c);
}
[[gnu::always_inline]] inline double fused_subtract(double a, double b, double c) {
  return fused_add(-a, b, c);
}

// x itself, or a vector with x in all lanes; x - 0 is x for -0 too.
template <class V, class X>
[[gnu::always_inline]] inline V all_lanes(const X& x) {
  if constexpr (std::is_same_v<V, X>) {
    return x;
  } else {
    return x - V{};
  }
}

// a * b + c, where b and c are vectors or single numbers.
template <class V, class B, class C>
[[gnu::always_inline]] inline V fma(const V& a, const B& b, const C& c) {
  return fused_add(a, all_lanes<V>(b), all_lanes<V>(c));
}

// c - a * b.
template <class V, class B, class C>
[[gnu::always_inline]] inline V fnma(const V& a, const B& b, const C& c) {
  return fused_subtract(a, all_lanes<V>(b), all_lanes<V>(c));
}

}  // namespace givens::cpu::GIVENS_ISA
