#pragma once

#include <type_traits>

#include "memory_order.hpp"

// CUDA's atomic function that the kernels call. It orders no other memory, and is a point where
// other threads of the block may run, so that a thread may wait in a loop of it.
template <class T>
T atomicAdd(T* address, std::common_type_t<T> value) {
  static_assert(cuda_emulator::is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  cuda_emulator::yield();
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  T sum = static_cast<T>(old + value);
  while (
      !__atomic_compare_exchange(address, &old, &sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    sum = static_cast<T>(old + value);
  }
  if (old != sum) cuda_emulator::note_progress();
  return old;
}
