#pragma once

#include <type_traits>

// Accesses to memory that threads share without a barrier. For nvcc, load_acquire is ld.acquire.gpu
// and store_release is st.release.gpu.

namespace cuda_emulator {

// Lets other threads of the block run. A block whose threads do nothing else for very long is
// reported as hung: it waits for what never comes, such as a block that starts later.
void yield();

// Says that the current thread has done what others may be waiting for.
void note_progress();

template <class T>
constexpr bool is_atomic_size =
    (sizeof(T) == 4 || sizeof(T) == 8) && std::is_trivially_copyable_v<T>;

template <class T>
T load_acquire(const T* address) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  yield();
  T value;
  __atomic_load(const_cast<T*>(address), &value, __ATOMIC_ACQUIRE);
  return value;
}

template <class T>
void store_release(T* address, std::common_type_t<T> value) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  yield();
  __atomic_store(address, &value, __ATOMIC_RELEASE);
  note_progress();
}

}  // namespace cuda_emulator

inline void __nanosleep(unsigned) { cuda_emulator::yield(); }
