// Sine and cosine to more digits than a double has. The C library's own in long double will not do:
// on some systems they reduce by a pi of 66 bits, which shows near its multiples.
#pragma once

#include <cmath>

namespace test {

struct ExactSinCos {
  long double sine;
  long double cosine;
};

// For |t| <= 10^6: pi/2 is taken away in three parts, of which the first two have 41 and 40 bits,
// so that their multiples are exact. The C library then has an angle below pi/4. Beyond, where the
// engines call the C library, what it has for doubles.
inline ExactSinCos exact_sincos(double t) {
  if (!(std::abs(t) <= 1e6)) return {std::sin(t), std::cos(t)};
  const long double quotient = std::round(static_cast<long double>(t) / 0x1.921fb54442d18p0L);
  const long double rest = ((static_cast<long double>(t) - quotient * 0x1.921fb54442p0L) -
                            quotient * 0x0.d18469898cp-40L) -
                           quotient * 0x0.c51701b839a25205p-80L;
  const long double s = std::sin(rest);
  const long double c = std::cos(rest);
  switch (static_cast<long>(quotient) & 3) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace test
