// Segments: kLanes columns of a row of a panel, and what a rotation does to two of them. Compiled
// for each instruction set; see engine_headers.hpp.
//
// F is the field of the rotations: float, double, or complex for those with phases. A row of a
// panel of complex numbers has, segment by segment, a vector of real parts and one of imaginary
// parts.
#if defined(GIVENS_CPU_SIMD_VECTOR_PACK_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_SIMD_VECTOR_PACK_INL_HPP
#undef GIVENS_CPU_SIMD_VECTOR_PACK_INL_HPP
#else
#define GIVENS_CPU_SIMD_VECTOR_PACK_INL_HPP
#endif

#include "cpu/simd/vector-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Reals in an element.
template <class F>
inline constexpr std::int64_t kReals = is_complex_v<F> ? 2 : 1;

// Reals in a segment.
template <class F>
inline constexpr std::int64_t kPackReals = kReals<F> * kLanes<real_t<F>>;

// Coefficients of a rotation; see rotate_packs.
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

// x <- x - p y, y <- y + q x (the old one). c is (p, q), of complex ones (Re p, Im p, Re q, Im q).
template <class R>
[[gnu::always_inline]] inline void rotate_packs(VectorPack<R>& x, VectorPack<R>& y, const R* c) {
  const Vector<R> old = x.v;
  x.v = x.v - y.v * c[0];
  y.v = y.v + old * c[1];
}

template <class R>
[[gnu::always_inline]] inline void rotate_packs(VectorPack<std::complex<R>>& x,
                                                VectorPack<std::complex<R>>& y, const R* c) {
  const VectorPack<std::complex<R>> old = x;
  x.re = x.re - y.re * c[0] + y.im * c[1];
  x.im = x.im - y.im * c[0] - y.re * c[1];
  y.re = y.re + old.re * c[2] - old.im * c[3];
  y.im = y.im + old.im * c[2] + old.re * c[3];
}

// x <- a x - p y, y <- a y + q x (the old one). c is (a, p, q), each complex one but a in two
// parts.
template <class R>
[[gnu::always_inline]] inline void rotate_standard(VectorPack<R>& x, VectorPack<R>& y, const R* c) {
  const Vector<R> old = x.v;
  x.v = x.v * c[0] - y.v * c[1];
  y.v = y.v * c[0] + old * c[2];
}

template <class R>
[[gnu::always_inline]] inline void rotate_standard(VectorPack<std::complex<R>>& x,
                                                   VectorPack<std::complex<R>>& y, const R* c) {
  const VectorPack<std::complex<R>> old = x;
  x.re = x.re * c[0] - y.re * c[1] + y.im * c[2];
  x.im = x.im * c[0] - y.im * c[1] - y.re * c[2];
  y.re = y.re * c[0] + old.re * c[3] - old.im * c[4];
  y.im = y.im * c[0] + old.im * c[3] + old.re * c[4];
}

// Adds g_j conj(y_i) - y_j conj(g_i), column by column: what the gradients by the angle and the
// phase of a rotation of rows i and j are made of.
template <class R>
[[gnu::always_inline]] inline void add_products(VectorPack<R>& sum, const VectorPack<R>& yi,
                                                const VectorPack<R>& yj, const VectorPack<R>& gi,
                                                const VectorPack<R>& gj) {
  sum.v = sum.v + gj.v * yi.v;
  sum.v = sum.v - gi.v * yj.v;
}

template <class R>
[[gnu::always_inline]] inline void add_products(VectorPack<std::complex<R>>& sum,
                                                const VectorPack<std::complex<R>>& yi,
                                                const VectorPack<std::complex<R>>& yj,
                                                const VectorPack<std::complex<R>>& gi,
                                                const VectorPack<std::complex<R>>& gj) {
  sum.re = sum.re + gj.re * yi.re + gj.im * yi.im;
  sum.re = sum.re - yj.re * gi.re - yj.im * gi.im;
  sum.im = sum.im + gj.im * yi.re - gj.re * yi.im;
  sum.im = sum.im - yj.im * gi.re + yj.re * gi.im;
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
  return {x.re * re - x.im * im, x.im * re + x.re * im};
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
