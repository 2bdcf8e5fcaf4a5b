// Vector packs: kLanes columns of a row of a panel, and what a rotation does to two of them.
// Compiled for each instruction set; see engine_headers.hpp.
//
// F is the field of the rotations: float, double, or complex where there are phases. A row of a
// panel of complex numbers has, pack by pack, a vector of real parts and one of imaginary parts.
#pragma once

#include "cpu/simd/fma-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The reals in a number of F.
template <class F>
inline constexpr std::int64_t kReals = is_complex_v<F> ? 2 : 1;

// The reals in a vector pack.
template <class F>
inline constexpr std::int64_t kPackReals = kReals<F> * kLanes<real_t<F>>;

// The coefficients of a rotation; see rotate_packs.
template <class F>
inline constexpr std::int64_t kCoefficients = 2 * kReals<F>;

template <class R>
struct VectorPack {
  Vector<R> v;

  [[gnu::always_inline]] static VectorPack load_from(const R* p) { return {load(p)}; }
  [[gnu::always_inline]] void store_to(R* p) const { store(p, v); }
  [[gnu::always_inline]] void scale(R factor) { v = v * factor; }
};

template <class R>
struct VectorPack<std::complex<R>> {
  Vector<R> re;
  Vector<R> im;

  [[gnu::always_inline]] static VectorPack load_from(const R* p) {
    return {load(p), load(p + kLanes<R>)};
  }
  [[gnu::always_inline]] void store_to(R* p) const {
    store(p, re);
    store(p + kLanes<R>, im);
  }
  [[gnu::always_inline]] void scale(R factor) {
    re = re * factor;
    im = im * factor;
  }
};

// (x, y) <- (x - p y, y + q x). c is (p, q), for complex numbers (Re p, Im p, Re q, Im q).
template <class R>
[[gnu::always_inline]] inline void rotate_packs(VectorPack<R>& x, VectorPack<R>& y, const R* c) {
  const Vector<R> old = x.v;
  x.v = fnma(y.v, c[0], x.v);
  y.v = fma(old, c[1], y.v);
}

template <class R>
[[gnu::always_inline]] inline void rotate_packs(VectorPack<std::complex<R>>& x,
                                                VectorPack<std::complex<R>>& y, const R* c) {
  const VectorPack<std::complex<R>> old = x;
  x.re = fma(y.im, c[1], fnma(y.re, c[0], x.re));
  x.im = fnma(y.re, c[1], fnma(y.im, c[0], x.im));
  y.re = fnma(old.im, c[3], fma(old.re, c[2], y.re));
  y.im = fma(old.re, c[3], fma(old.im, c[2], y.im));
}

// x <- a x - conj(q) y, y <- a y + q x (the old one). c is (a, q), for complex packs
// (a, Re q, Im q).
template <class R>
[[gnu::always_inline]] inline void rotate_standard(VectorPack<R>& x, VectorPack<R>& y, const R* c) {
  const Vector<R> old = x.v;
  x.v = fnma(y.v, c[1], x.v * c[0]);
  y.v = fma(old, c[1], y.v * c[0]);
}

template <class R>
[[gnu::always_inline]] inline void rotate_standard(VectorPack<std::complex<R>>& x,
                                                   VectorPack<std::complex<R>>& y, const R* c) {
  const VectorPack<std::complex<R>> old = x;
  x.re = fnma(y.im, c[2], fnma(y.re, c[1], x.re * c[0]));
  x.im = fma(y.re, c[2], fnma(y.im, c[1], x.im * c[0]));
  y.re = fnma(old.im, c[2], fma(old.re, c[1], y.re * c[0]));
  y.im = fma(old.re, c[2], fma(old.im, c[1], y.im * c[0]));
}

// Adds g_j conj(y_i) - y_j conj(g_i), column by column, from which the gradients by the angle and
// the phase of a rotation of rows i and j follow.
template <class R>
[[gnu::always_inline]] inline void add_products(VectorPack<R>& sum, const VectorPack<R>& yi,
                                                const VectorPack<R>& yj, const VectorPack<R>& gi,
                                                const VectorPack<R>& gj) {
  sum.v = fnma(gi.v, yj.v, fma(gj.v, yi.v, sum.v));
}

template <class R>
[[gnu::always_inline]] inline void add_products(VectorPack<std::complex<R>>& sum,
                                                const VectorPack<std::complex<R>>& yi,
                                                const VectorPack<std::complex<R>>& yj,
                                                const VectorPack<std::complex<R>>& gi,
                                                const VectorPack<std::complex<R>>& gj) {
  sum.re = fma(gj.im, yi.im, fma(gj.re, yi.re, sum.re));
  sum.re = fnma(yj.im, gi.im, fnma(yj.re, gi.re, sum.re));
  sum.im = fnma(gj.re, yi.im, fma(gj.im, yi.re, sum.im));
  sum.im = fma(yj.re, gi.im, fnma(yj.im, gi.re, sum.im));
}

[[gnu::always_inline]] inline float conjugate(float x) { return x; }
[[gnu::always_inline]] inline double conjugate(double x) { return x; }
template <class R>
[[gnu::always_inline]] inline std::complex<R> conjugate(const std::complex<R>& x) {
  return {x.real(), -x.imag()};
}

template <class R>
[[gnu::always_inline]] inline VectorPack<R> times(const VectorPack<R>& x, R factor) {
  return {x.v * factor};
}

template <class R>
[[gnu::always_inline]] inline VectorPack<std::complex<R>> times(
    const VectorPack<std::complex<R>>& x, R factor) {
  return {x.re * factor, x.im * factor};
}

template <class R>
[[gnu::always_inline]] inline VectorPack<std::complex<R>> times(
    const VectorPack<std::complex<R>>& x, const std::complex<R>& factor) {
  const R re = factor.real();
  const R im = factor.imag();
  return {fma(x.re, re, -(x.im * im)), fma(x.im, re, x.re * im)};
}

}  // namespace givens::cpu::GIVENS_ISA
