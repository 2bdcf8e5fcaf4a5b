// Sine and cosine of eight angles at once. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_SIMD_SINCOS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_SIMD_SINCOS_INL_HPP
#undef GIVENS_CPU_SIMD_SINCOS_INL_HPP
#else
#define GIVENS_CPU_SIMD_SINCOS_INL_HPP
#endif

#include "cpu/simd/double8-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Beyond this the reduction below would lose digits.
inline constexpr double kLargestReduced = 1e6;

// A polynomial, coefficients from the highest power down.
template <std::size_t N>
[[gnu::always_inline]] inline Double8 polynomial(const Double8& z,
                                                 const double (&coefficients)[N]) {
  Double8 p = z * coefficients[0] + coefficients[1];
#pragma GCC unroll 8
  for (std::size_t k = 2; k < N; ++k) p = p * z + coefficients[k];
  return p;
}

// sin(x) and cos(x) for |x| <= kLargestReduced; within 2 ulp of double for R = double, and within
// 6.5e-11 of the value and 2^-67 for R = float, for which fewer terms do. Cody-Waite reduction to
// |r| <= pi/4 with pi/2 in parts, all but the last of 33 bits, so that their products with a
// quotient below 2^20 are exact: three for R = double, where what r loses to rounding goes into
// sine and cosine, two for R = float. Then polynomials: Taylor's for R = double, those of the least
// relative error (Remez; sine 5.2e-12, cosine 6.4e-11) for R = float.
template <class R>
[[gnu::always_inline]] inline void sincos_reduced(const Double8& x, Double8& sine,
                                                  Double8& cosine) {
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  constexpr double kPart1 = 1.57079632673412561417e+00;
  const Double8 shifted = x * 0.63661977236758134308 + kRound;
  const Double8 quotient = shifted - kRound;
  const Int64x8 quadrant = bits_of(shifted);
  const Double8 exact = x - quotient * kPart1;
  Double8 s, c;
  if constexpr (sizeof(R) == 4) {
    constexpr double kPart2 = 6.07710050650619224932e-11;
    const Double8 r = exact - quotient * kPart2;
    const Double8 z = r * r;
    s = r + r * (z * polynomial(z, {2.7181215849560429916e-6, -1.9839312264852945107e-4,
                                    8.3333293048274837781e-3, -0.16666666640796903308}));
    c = polynomial(z, {2.4383566926096291508e-5, -1.3886681643861880707e-3,
                       4.1666620356998060378e-2, -0.49999999694474754636, 1.0});
  } else {
    constexpr double kPart2 = 6.07710050630396597660e-11;
    constexpr double kPart3 = 2.02226624879595063154e-21;
    const Double8 second = quotient * kPart2;
    const Double8 third = quotient * kPart3;
    const Double8 r = exact - second;
    const Double8 z = r * r;
    const Double8 rest = ((exact - r) - second) - third;
    // 1 - z / 2 is rounded; what is lost goes into the tail.
    const Double8 half = z * 0.5;
    const Double8 whole = 1.0 - half;
    const Double8 head = polynomial(z, {-1 / 1307674368000.0, 1 / 6227020800.0, -1 / 39916800.0,
                                        1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0});
    const Double8 tail = polynomial(z, {1 / 20922789888000.0, -1 / 87178291200.0, 1 / 479001600.0,
                                        -1 / 3628800.0, 1 / 40320.0, -1 / 720.0, 1 / 24.0});
    s = r + (r * (z * head) + rest * whole);
    c = whole + ((((1.0 - whole) - half) - r * rest) + z * z * tail);
  }
  const Int64x8 odd = (quadrant & 1) != 0;
  // The sign bit, from bit 1 of the quadrant.
  sine = from_bits(bits_of(select(odd, c, s)) ^ ((quadrant & 2) << 62));
  cosine = from_bits(bits_of(select(odd, s, c)) ^ (((quadrant + 1) & 2) << 62));
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

#endif
