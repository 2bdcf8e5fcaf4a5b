#pragma once

#include <cstddef>
#include <type_traits>

// A block's shared memory is on the heap, so that the address sanitizer sees an access beyond it.
// It is filled with bytes that are NaN in every type of floating point, so that the use of what was
// never written shows in the results.
//
// What nvcc knows as `extern __shared__` and `__shared__` cannot be had from a host compiler.
// Sources for both choose with macros, as in
// tests/cuda/emulator/tests/portable_shared.hpp.

namespace cuda_emulator {

// The shared memory that the launch asked for, aligned to 16 bytes.
void* dynamic_shared();
std::size_t dynamic_shared_bytes();

// The array that all threads of the block get with this key.
void* static_shared_bytes(const void* key, std::size_t bytes);

template <class T>
T* static_shared(const void* key, std::size_t count) {
  static_assert(std::is_trivially_default_constructible_v<T>,
                "variables in shared memory are not constructed");
  static_assert(alignof(T) <= 16, "shared memory is aligned to 16 bytes");
  return static_cast<T*>(static_shared_bytes(key, count * sizeof(T)));
}

}  // namespace cuda_emulator
