#pragma once

#include <cuda_runtime.h>

// Shared memory for the emulator's own tests, written as sources for both compilers write it.
#if defined(GIVENS_CUDA_EMULATOR)
#define DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(cuda_emulator::dynamic_shared())
#define STATIC_SHARED(T, name, count)   \
  static constexpr char name##_key = 0; \
  T* const name = cuda_emulator::static_shared<T>(&name##_key, count)
#else
#define DYNAMIC_SHARED(T, name)                                         \
  extern __shared__ __align__(16) unsigned char dynamic_shared_bytes[]; \
  T* const name = reinterpret_cast<T*>(dynamic_shared_bytes)
#define STATIC_SHARED(T, name, count) __shared__ T name[count]
#endif
