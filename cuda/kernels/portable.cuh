// The functions and macros that nvcc and the tests' emulator spell differently.
#pragma once

#include <cuda_runtime.h>

#define GIVENS_DEVICE __host__ __device__

#if defined(GIVENS_CUDA_EMULATOR)

// Declares `name`, the dynamic shared memory of the thread block, aligned to 16 bytes.
#define GIVENS_DYNAMIC_SHARED(name) \
  unsigned char* const name = static_cast<unsigned char*>(cuda_emulator::dynamic_shared())

namespace givens::cuda {

__device__ inline int load_acquire(const int* p) { return cuda_emulator::load_acquire(p); }
__device__ inline void store_release(int* p, int value) { cuda_emulator::store_release(p, value); }
__device__ inline void hide(int&) {}

}  // namespace givens::cuda

#else

#define GIVENS_DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]

namespace givens::cuda {

// These order memory between the thread blocks of a grid.
__device__ inline int load_acquire(const int* p) {
  int value;
  asm volatile("ld.acquire.gpu.global.s32 %0, [%1];" : "=r"(value) : "l"(p) : "memory");
  return value;
}
__device__ inline void store_release(int* p, int value) {
  asm volatile("st.release.gpu.global.s32 [%0], %1;" : : "l"(p), "r"(value) : "memory");
}
// Keeps the compiler from knowing the value after this line.
__device__ __forceinline__ void hide(int& value) { asm volatile("" : "+r"(value)); }

}  // namespace givens::cuda

#endif
