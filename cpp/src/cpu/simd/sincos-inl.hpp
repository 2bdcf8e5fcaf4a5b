// Sine and cosine of a vector of angles. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/double8-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Beyond this the reduction below would lose digits.
inline constexpr double kLargestReduced = 1e6;

// A polynomial in z, with its coefficients from the highest power down.
template <class V, class R, std::size_t N>
[[gnu::always_inline]] inline V polynomial(const V& z, const R (&coefficients)[N]) {
  V p = fma(z, coefficients[0], coefficients[1]);
  GIVENS_UNROLL(8)
  for (std::size_t k = 2; k < N; ++k) p = fma(p, z, coefficients[k]);
  return p;
}

// Makes the sine and cosine of x from s and c, which belong to what is left of x after `quadrant`
// quarter turns. They change places where bit 0 of the quadrant is set; bit 1 goes to the signs.
template <class V, class Integers>
[[gnu::always_inline]] inline void turn_by_quadrant(const V& s, const V& c,
                                                    const Integers& quadrant, V& sine, V& cosine) {
  constexpr int kToSign = 8 * sizeof(s[0]) - 2;
  const Integers exchange = (bits_of(s) ^ bits_of(c)) & -(quadrant & 1);
  sine = from_bits(bits_of(s) ^ exchange ^ ((quadrant & 2) << kToSign));
  cosine = from_bits(bits_of(c) ^ exchange ^ (((quadrant + 1) & 2) << kToSign));
}

// sin(x) and cos(x) of doubles, |x| <= kLargestReduced; within 2 ulp of double for R = double, and
// within 6.5e-11 of the value and 2^-67 for R = float, for which fewer terms do. The reduction to
// |r| <= pi/4 follows Cody and Waite, with pi/2 in parts, all but the last of 33 bits, so that
// their products with a quotient below 2^20 are exact: three for R = double, where what r loses to
// rounding goes into sine and cosine, two for R = float. The polynomials are Taylor's for R =
// double and have the least relative error (Remez; sine 5.2e-12, cosine 6.4e-11) for R = float.
template <class R, class V>
[[gnu::always_inline]] inline void sincos_reduced(const V& x, V& sine, V& cosine) {
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const V shifted = fma(x, 0.63661977236758134308, kRound);
  const V quotient = shifted - kRound;
  const V exact = fnma(quotient, 1.57079632673412561417e+00, x);
  V s, c;
  if constexpr (sizeof(R) == 4) {
    const V r = fnma(quotient, 6.07710050650619224932e-11, exact);
    const V z = r * r;
    s = fma(r,
            z * polynomial(z, {2.7181215849560429916e-6, -1.9839312264852945107e-4,
                               8.3333293048274837781e-3, -0.16666666640796903308}),
            r);
    c = polynomial(z, {2.4383566926096291508e-5, -1.3886681643861880707e-3,
                       4.1666620356998060378e-2, -0.49999999694474754636, 1.0});
  } else {
    const V second = quotient * 6.07710050630396597660e-11;
    const V r = exact - second;
    const V z = r * r;
    const V rest = fnma(quotient, 2.02226624879595063154e-21, (exact - r) - second);
    // 1 - z / 2 is rounded; what is lost goes into the tail.
    const V half = z * 0.5;
    const V whole = 1.0 - half;
    const V head = polynomial(z, {-1 / 1307674368000.0, 1 / 6227020800.0, -1 / 39916800.0,
                                  1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0});
    const V tail = polynomial(z, {1 / 20922789888000.0, -1 / 87178291200.0, 1 / 479001600.0,
                                  -1 / 3628800.0, 1 / 40320.0, -1 / 720.0, 1 / 24.0});
    s = r + fma(rest, whole, r * (z * head));
    c = whole + fma(z * z, tail, fnma(r, rest, (1.0 - whole) - half));
  }
  turn_by_quadrant(s, c, bits_of(shifted), sine, cosine);
}

// sin(x) and cos(x) of floats, |x| <= kLargestReducedFloat, within 2 ulp. Cody and Waite's
// reduction has pi/2 in four parts, the first three of 12 bits or fewer, so that their products
// with a quotient below 2^12 are exact; what r loses to rounding goes into the sine. The
// polynomials have the least error on |r| <= pi/4.
inline constexpr float kLargestReducedFloat = 6000.0F;

[[gnu::always_inline]] inline void sincos_reduced_float(const Vector<float>& x, Vector<float>& sine,
                                                        Vector<float>& cosine) {
  using V = Vector<float>;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const V shifted = fma(x, 0.636619772F, kRound);
  const V quotient = shifted - kRound;
  const V exact = fnma(quotient, 0x1.fb4p-12F, fnma(quotient, 0x1.92p+0F, x));
  const V third = quotient * 0x1.444p-24F;
  const V r = exact - third;
  const V rest = fnma(quotient, 0x1.68c234p-39F, (exact - r) - third);
  const V z = r * r;
  const V s =
      r + fma(r * z, polynomial(z, {-1.9515295891e-4F, 8.3321608736e-3F, -1.6666654611e-1F}), rest);
  const V c = fma(
      z * z, polynomial(z, {2.443315711809948e-5F, -1.388731625493765e-3F, 4.166664568298827e-2F}),
      fnma(z, 0.5F, 1.0F));
  turn_by_quadrant(s, c, bits_of(shifted), sine, cosine);
}

// The same for any angles, one after the other by the C library.
inline void sincos_any(const Double8& x, Double8& sine, Double8& cosine) {
  double s[8], c[8];
  for (int k = 0; k < 8; ++k) {
    s[k] = std::sin(x[k]);
    c[k] = std::cos(x[k]);
  }
  sine = load_eight(s);
  cosine = load_eight(c);
}

}  // namespace givens::cpu::GIVENS_ISA
