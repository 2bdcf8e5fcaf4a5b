#pragma once

#include <type_traits>

// Accesses to memory that threads share without a barrier. The relaxed ones stand for CUDA's
// volatile and atomic accesses. For nvcc, load_acquire is ld.acquire.gpu and store_release is
// st.release.gpu.

namespace cuda_emulator {

// Lets other threads of the block run. A block whose threads do nothing else for very long is
// reported as hung: it waits for what never comes, such as a block that starts later.
void yield();

// Called before and after an atomic access: other threads may run, and fences around atomic
// accesses to the same address order memory, as CUDA says.
void before_atomic(const void* address);
void after_atomic(const void* address, bool changed);

void fence();

template <class T>
constexpr bool is_atomic_size =
    (sizeof(T) == 4 || sizeof(T) == 8) && std::is_trivially_copyable_v<T>;

template <class T>
T load(const T* address, int order) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  before_atomic(address);
  T value;
  if (order == __ATOMIC_ACQUIRE) {
    __atomic_load(const_cast<T*>(address), &value, __ATOMIC_ACQUIRE);
  } else {
    __atomic_load(const_cast<T*>(address), &value, __ATOMIC_RELAXED);
  }
  after_atomic(address, false);
  return value;
}

template <class T>
T load_acquire(const T* address) {
  return load(address, __ATOMIC_ACQUIRE);
}

template <class T>
T load_relaxed(const T* address) {
  return load(address, __ATOMIC_RELAXED);
}

template <class T>
void store_release(T* address, std::common_type_t<T> value) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  before_atomic(address);
  __atomic_store(address, &value, __ATOMIC_RELEASE);
  after_atomic(address, true);
}

template <class T>
void store_relaxed(T* address, std::common_type_t<T> value) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  before_atomic(address);
  __atomic_store(address, &value, __ATOMIC_RELAXED);
  after_atomic(address, true);
}

}  // namespace cuda_emulator

inline void __threadfence() { cuda_emulator::fence(); }
inline void __nanosleep(unsigned) { cuda_emulator::yield(); }
