#pragma once

// <math.h>, not <cmath>: in C++ it brings the overloads for float into the global namespace, where
// CUDA has them.
#include <math.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

using std::max;
using std::min;

namespace cuda_emulator {

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

template <class To, class From>
To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace cuda_emulator

inline void sincospi(double x, double* sine, double* cosine) {
  cuda_emulator::sincospi(x, sine, cosine);
}

inline void sincospif(float x, float* sine, float* cosine) {
  double s, c;
  cuda_emulator::sincospi(static_cast<double>(x), &s, &c);
  *sine = static_cast<float>(s);
  *cosine = static_cast<float>(c);
}

inline void sincospi(float x, float* sine, float* cosine) { sincospif(x, sine, cosine); }
inline void sincos(float x, float* sine, float* cosine) { sincosf(x, sine, cosine); }

inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrtf(float x) { return static_cast<float>(rsqrt(static_cast<double>(x))); }
inline float rsqrt(float x) { return rsqrtf(x); }

inline double sinpi(double x) {
  double sine, cosine;
  sincospi(x, &sine, &cosine);
  return sine;
}
inline double cospi(double x) {
  double sine, cosine;
  sincospi(x, &sine, &cosine);
  return cosine;
}
inline float sinpif(float x) { return static_cast<float>(sinpi(static_cast<double>(x))); }
inline float cospif(float x) { return static_cast<float>(cospi(static_cast<double>(x))); }

// Rounded one by one: nvcc contracts no product and sum that are written so.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __fdividef(float a, float b) { return a / b; }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Product = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Product>(a) * b >> 64);
}

inline int __float_as_int(float x) { return cuda_emulator::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return cuda_emulator::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return cuda_emulator::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return cuda_emulator::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return cuda_emulator::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return cuda_emulator::bit_cast<double>(x); }
