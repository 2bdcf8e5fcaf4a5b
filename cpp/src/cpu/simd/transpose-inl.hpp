// Transposing numbers in registers. Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/simd/shuffle-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Transposes the kLanes columns of M vectors, a power of two: element l of vector m becomes number
// l M + m, counted through the vectors.
template <class R, int M>
[[gnu::always_inline]] inline void interleave(Vector<R>* v) {
  GIVENS_UNROLL(4)
  for (int round = 1; round < M; round *= 2) {
    Vector<R> next[M];
    GIVENS_UNROLL(8)
    for (int m = 0; m < M / 2; ++m) {
      next[2 * m] = shuffle<FirstHalvesInTurn>(v[m], v[m + M / 2]);
      next[2 * m + 1] = shuffle<SecondHalvesInTurn>(v[m], v[m + M / 2]);
    }
    GIVENS_UNROLL(16)
    for (int m = 0; m < M; ++m) v[m] = next[m];
  }
}

// Undoes `interleave`.
template <class R, int M>
[[gnu::always_inline]] inline void separate(Vector<R>* v) {
  GIVENS_UNROLL(4)
  for (int round = 1; round < M; round *= 2) {
    Vector<R> next[M];
    GIVENS_UNROLL(8)
    for (int m = 0; m < M / 2; ++m) {
      next[m] = shuffle<EvenLanes>(v[2 * m], v[2 * m + 1]);
      next[m + M / 2] = shuffle<OddLanes>(v[2 * m], v[2 * m + 1]);
    }
    GIVENS_UNROLL(16)
    for (int m = 0; m < M; ++m) v[m] = next[m];
  }
}

// Transposes a square of kLanes x kLanes numbers.
template <class R>
[[gnu::always_inline]] inline void transpose_square(Vector<R>* v) {
  interleave<R, static_cast<int>(kLanes<R>)>(v);
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
