// Dual numbers over real and complex ones, and vectors of several columns at once.
#pragma once

#include <cstdint>
#include <type_traits>

namespace givens::dual {

// The number of columns that are computed at once: 16 bytes of reals, for which every machine has
// registers.
template <class R>
inline constexpr std::int64_t kLanes = 16 / static_cast<std::int64_t>(sizeof(R));

template <class R>
struct LanesOf {
  typedef R type __attribute__((vector_size(16)));
};
template <class R>
using Lanes = typename LanesOf<R>::type;

template <class R>
R sum(const Lanes<R>& lanes) {
  R total = lanes[0];
  for (std::int64_t l = 1; l < kLanes<R>; ++l) total += lanes[l];
  return total;
}

// std::complex cannot hold vectors, and its product checks for infinities.
template <class A>
struct Complex {
  A re;
  A im;
};

template <class A>
Complex<A> operator+(const Complex<A>& a, const Complex<A>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <class A>
Complex<A> operator-(const Complex<A>& a, const Complex<A>& b) {
  return {a.re - b.re, a.im - b.im};
}
template <class A, class B>
auto operator*(const Complex<A>& a, const Complex<B>& b) {
  return Complex<decltype(a.re * b.re)>{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class R, class B, class = std::enable_if_t<std::is_floating_point_v<R>>>
Complex<B> operator*(R a, const Complex<B>& b) {
  return {a * b.re, a * b.im};
}

// v + e d with e * e = 0: a value and its tangent.
template <class A>
struct Dual {
  A v;
  A d;
};

template <class A>
Dual<A> operator+(const Dual<A>& a, const Dual<A>& b) {
  return {a.v + b.v, a.d + b.d};
}
template <class A>
Dual<A> operator-(const Dual<A>& a, const Dual<A>& b) {
  return {a.v - b.v, a.d - b.d};
}
template <class A, class B>
auto operator*(const Dual<A>& a, const Dual<B>& b) {
  return Dual<decltype(a.v * b.v)>{a.v * b.v, a.d * b.v + a.v * b.d};
}

template <class A>
A conjugate(const A& a) {
  return a;
}
template <class A>
Complex<A> conjugate(const Complex<A>& a) {
  return {a.re, -a.im};
}
template <class A>
Dual<A> conjugate(const Dual<A>& a) {
  return {conjugate(a.v), conjugate(a.d)};
}

template <class A>
Dual<A> real_part(const Dual<Complex<A>>& a) {
  return {a.v.re, a.d.re};
}
template <class A>
Dual<A> imaginary_part(const Dual<Complex<A>>& a) {
  return {a.v.im, a.d.im};
}

}  // namespace givens::dual
