// Numbers in the caller's memory: float, double, or 16-bit floats that are worked on as float.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "portable.cuh"

namespace givens::cuda {

template <class S>
struct WorkedOn {
  using type = S;
};
template <>
struct WorkedOn<__half> {
  using type = float;
};
template <>
struct WorkedOn<__nv_bfloat16> {
  using type = float;
};

__device__ inline float read(const float* p) { return *p; }
__device__ inline double read(const double* p) { return *p; }
__device__ inline float read(const __half* p) { return __half2float(*p); }
__device__ inline float read(const __nv_bfloat16* p) { return __bfloat162float(*p); }

__device__ inline void write(float* p, float x) { *p = x; }
__device__ inline void write(double* p, double x) { *p = x; }
__device__ inline void write(__half* p, float x) { *p = __float2half_rn(x); }
__device__ inline void write(__nv_bfloat16* p, float x) { *p = __float2bfloat16_rn(x); }

}  // namespace givens::cuda
