#pragma once

#include "types.hpp"

// Of the CUDA thread that runs now; the scheduler changes threadIdx with every thread it resumes.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;
