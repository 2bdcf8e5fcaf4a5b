#pragma once

// CUDA's qualifiers, for a host compiler. __shared__ is missing on purpose: shared
// memory comes from shared_memory.hpp, which can check it. __noinline__ is missing because the
// standard library uses it as an attribute's name.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
