#pragma once

// A block's shared memory is on the heap, so that the address sanitizer sees an access beyond it.
// It is filled with bytes that are NaN in every type of floating point, so that the use of what was
// never written shows in the results.
//
// What nvcc knows as `extern __shared__` cannot be had from a host compiler. Sources for both
// choose with a macro, as cuda/kernels/portable.cuh does.

namespace cuda_emulator {

// The shared memory that the launch asked for, aligned to 16 bytes.
void* dynamic_shared();

}  // namespace cuda_emulator
