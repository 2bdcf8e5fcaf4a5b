#pragma once

#include "types.hpp"

// The indices of the running CUDA thread. The scheduler sets threadIdx whenever it resumes a
// thread.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;
