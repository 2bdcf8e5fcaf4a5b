#pragma once

// <math.h>, not <cmath>: in C++ it brings the overloads for float into the global namespace, where
// CUDA has them.
#include <math.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

using std::max;
using std::min;

// sin(pi x) and cos(pi x). The remainder of x by a half is exact, so both are as accurate near
// their zeros as anywhere.
inline void sincospi(double x, double* sine, double* cosine) {
  const double turns = x - 2 * nearbyint(x / 2);  // -1 .. 1, in half turns
  const double quarter = nearbyint(2 * turns);
  const double angle = 3.14159265358979323846 * (turns - quarter / 2);
  const double s = sin(angle);
  const double c = cos(angle);
  switch (isfinite(x) ? static_cast<int>(quarter) & 3 : 0) {
    case 0:
      *sine = s, *cosine = c;
      break;
    case 1:
      *sine = c, *cosine = -s;
      break;
    case 2:
      *sine = -s, *cosine = -c;
      break;
    default:
      *sine = -c, *cosine = s;
      break;
  }
}

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Product = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Product>(a) * b >> 64);
}

inline long long __double_as_longlong(double x) {
  long long bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
