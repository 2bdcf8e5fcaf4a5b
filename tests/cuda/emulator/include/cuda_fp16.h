// Stands in for CUDA's own header: conversions only, for arithmetic is done in float.
#pragma once

#include "cuda_emulator/narrow_float.hpp"
#include "cuda_emulator/types.hpp"

struct __half_raw {
  unsigned short x;
};

struct __half {
  __half() = default;
  __half(__half_raw raw) : bits_(raw.x) {}
  __half(float value) : bits_(cuda_emulator::HalfFormat::from(static_cast<double>(value))) {}
  __half(double value) : bits_(cuda_emulator::HalfFormat::from(value)) {}

  operator float() const { return cuda_emulator::HalfFormat::to_float(bits_); }
  operator __half_raw() const { return {bits_}; }

 private:
  unsigned short bits_;
};
using half = __half;

struct alignas(4) __half2 {
  __half x, y;
};
using half2 = __half2;

inline float __half2float(__half value) { return value; }
inline __half __float2half(float value) { return value; }
inline __half __float2half_rn(float value) { return value; }
inline __half __double2half(double value) { return value; }
inline unsigned short __half_as_ushort(__half value) { return static_cast<__half_raw>(value).x; }
inline __half __ushort_as_half(unsigned short bits) { return __half_raw{bits}; }

inline float2 __half22float2(__half2 value) { return {value.x, value.y}; }
inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
inline __half2 __float22half2_rn(float2 value) { return {value.x, value.y}; }
