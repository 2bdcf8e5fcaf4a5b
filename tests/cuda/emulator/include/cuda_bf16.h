// Stands in for CUDA's own header. It has conversions only: kernels compute in float.
#pragma once

#include "cuda_emulator/narrow_float.hpp"

using __nv_bfloat16 = cuda_emulator::NarrowFloat<7>;

inline float __bfloat162float(__nv_bfloat16 value) { return value; }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
