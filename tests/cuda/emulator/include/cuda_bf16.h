// Stands in for CUDA's own header. It has conversions only: kernels compute in float.
#pragma once

#include "cuda_emulator/narrow_float.hpp"
#include "cuda_emulator/types.hpp"

struct __nv_bfloat16_raw {
  unsigned short x;
};

using __nv_bfloat16 = cuda_emulator::NarrowNumber<7, __nv_bfloat16_raw>;

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

inline float __bfloat162float(__nv_bfloat16 value) { return value; }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return value; }
inline __nv_bfloat16 __double2bfloat16(double value) { return value; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) {
  return static_cast<__nv_bfloat16_raw>(value).x;
}
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return __nv_bfloat16_raw{bits}; }

inline float2 __bfloat1622float2(__nv_bfloat162 value) { return {value.x, value.y}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 value) { return {value.x, value.y}; }
