// Stands in for CUDA's own header. It has conversions only: kernels compute in float.
#pragma once

#include "cuda_emulator/narrow_float.hpp"

using __half = cuda_emulator::NarrowFloat<10>;

inline float __half2float(__half value) { return value; }
inline __half __float2half_rn(float value) { return __half(value); }
