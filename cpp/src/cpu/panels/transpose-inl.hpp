// Transposing squares of numbers in registers. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_PANELS_TRANSPOSE_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_PANELS_TRANSPOSE_INL_HPP
#undef GIVENS_CPU_PANELS_TRANSPOSE_INL_HPP
#else
#define GIVENS_CPU_PANELS_TRANSPOSE_INL_HPP
#endif

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Rows become the columns of a square of kLanes x kLanes.
template <class R>
[[gnu::always_inline]] inline void transpose_square(Vector<R>* v) {
  constexpr int N = static_cast<int>(kLanes<R>);
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  // log2 N times: element 2 m, 2 m + 1 of the result are element m of the two halves' vectors.
#pragma GCC unroll 4
  for (int round = 1; round < N; round *= 2) {
    Vector<R> next[N];
#pragma GCC unroll 8
    for (int m = 0; m < N / 2; ++m) {
      Order low{}, high{};
      for (int k = 0; k < N / 2; ++k) {
        low[2 * k] = k;
        low[2 * k + 1] = N + k;
        high[2 * k] = N / 2 + k;
        high[2 * k + 1] = N + N / 2 + k;
      }
      next[2 * m] = __builtin_shuffle(v[m], v[m + N / 2], low);
      next[2 * m + 1] = __builtin_shuffle(v[m], v[m + N / 2], high);
    }
#pragma GCC unroll 16
    for (int m = 0; m < N; ++m) v[m] = next[m];
  }
}

template <class F>
[[gnu::always_inline]] inline void transpose_packs(VectorPack<F>* square) {
  using R = real_t<F>;
  constexpr int N = static_cast<int>(kLanes<R>);
  Vector<R> v[N];
  if constexpr (is_complex_v<F>) {
    for (int k = 0; k < N; ++k) v[k] = square[k].re;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].re = v[k];
    for (int k = 0; k < N; ++k) v[k] = square[k].im;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].im = v[k];
  } else {
    for (int k = 0; k < N; ++k) v[k] = square[k].v;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].v = v[k];
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
