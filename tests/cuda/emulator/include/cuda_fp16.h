// Stands in for CUDA's own header. It has conversions only: kernels compute in float.
#pragma once

#include "cuda_emulator/narrow_float.hpp"
#include "cuda_emulator/types.hpp"

struct __half_raw {
  unsigned short x;
};

using __half = cuda_emulator::NarrowNumber<10, __half_raw>;

struct alignas(4) __half2 {
  __half x, y;
};

inline float __half2float(__half value) { return value; }
inline __half __float2half_rn(float value) { return value; }
inline __half __double2half(double value) { return value; }
inline unsigned short __half_as_ushort(__half value) { return static_cast<__half_raw>(value).x; }
inline __half __ushort_as_half(unsigned short bits) { return __half_raw{bits}; }

inline float2 __half22float2(__half2 value) { return {value.x, value.y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
