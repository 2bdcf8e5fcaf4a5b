// Sine and cosine of any angle. CUDA's own functions use an array in local memory for large angles.
#pragma once

#include <cstdint>

#include "kernels/portable.cuh"

namespace givens::cuda {

// high + low, |low| < 2^-35.
struct HalfTurns {
  double high;
  double low;
};

// x / pi modulo 2 for |x| >= 2^20, by the method of Payne and Hanek ("Radian reduction for
// trigonometric functions", 1983): x is M 2^e, and only the bits of 1/pi count whose product with
// M 2^e is less than 2. 192 of them are used. The error is below 2^-104.
__device__ inline HalfTurns half_turns_of_large(double x) {
  // 64 zero bits, then the bits of 1/pi.
  static constexpr std::uint64_t kInversePi[] = {
      0x0000000000000000, 0x517cc1b727220a94, 0xfe13abe8fa9a6ee0, 0x6db14acc9e21c820,
      0xff28b1d5ef5de2b0, 0xdb92371d2126e970, 0x0324977504e8c90e, 0x7f0ef58e5894d39f,
      0x74411afa975da242, 0x74ce38135a2fbf20, 0x9cc8eb1cc1a99cfa, 0x4e422fc5defc941d,
      0x8ffc4bffef02cc07, 0xf79788c5ad05368f, 0xb69b3f6793e584db, 0xa7a31fb34f2ff516,
      0xba93dd63f5f2f8bd, 0x9e839cfbc5294975, 0x35fdafd88fc6ae84, 0x2b0198237e3db5d5};
  const auto bits = static_cast<std::uint64_t>(__double_as_longlong(fabs(x)));
  const std::uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000;
  const int exponent = static_cast<int>(bits >> 52) - 1075;  // -32 .. 971
  // The first bit is the one whose product is 1.
  const int first = exponent + 63;
  const int shift = first % 64;
  const auto word = [&](int k) {
    const std::uint64_t* const at = kInversePi + first / 64 + k;
    return at[0] << shift | at[1] >> 1 >> (63 - shift);
  };
  // `high` counts units of 2^-63 and `low` units of 2^-127.
  const std::uint64_t product = mantissa * word(1);
  const std::uint64_t low = product + __umul64hi(mantissa, word(2));
  const std::uint64_t high =
      mantissa * word(0) + __umul64hi(mantissa, word(1)) + (low < product ? 1 : 0);
  // The result is in -1 .. 1: the upper 53 bits exactly, then the rest.
  const double sign = x < 0 ? -1.0 : 1.0;
  constexpr std::uint64_t kRest = 0x7FF;
  return {
      sign * 0x1p-63 * static_cast<double>(static_cast<std::int64_t>(high & ~kRest)),
      sign * (0x1p-63 * static_cast<double>(high & kRest) + 0x1p-127 * static_cast<double>(low))};
}

// sin(x) and cos(x), x in radians: each within 3 * 2^-53 of the true value, NaN if x is not finite.
__device__ inline void sine_and_cosine(double x, double* sine, double* cosine) {
  constexpr double kInversePi = 0x1.45f306dc9c883p-2;
  constexpr double kInversePiRest = -0x1.6b01ec5417056p-56;
  HalfTurns t;
  if (fabs(x) < 0x1p20) {
    t.high = x * kInversePi;
    t.low = fma(x, kInversePiRest, fma(x, kInversePi, -t.high));
  } else {
    t = half_turns_of_large(x);
    if (!isfinite(x)) t.high = x - x;
  }
  // These are within 2 * 2^-53. What `low` adds is far more exact, and its second order is below
  // 2^-67.
  double s, c;
  sincospi(t.high, &s, &c);
  const double angle = 3.14159265358979323846 * t.low;
  *sine = fma(angle, c, s);
  *cosine = fma(-angle, s, c);
}

}  // namespace givens::cuda
