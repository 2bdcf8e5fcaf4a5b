#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "memory_order.hpp"

// CUDA's atomic functions. They order no other memory, and each is a point where other threads of
// the block may run, so that a thread may wait in a loop of them.

namespace cuda_emulator {

// Replaces *address by change(*address) and returns what it was.
template <class T, class Change>
T atomic_change(T* address, Change change) {
  static_assert(is_atomic_size<T>, "atomic accesses are to 4 or 8 bytes");
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const auto as_bits = [](T value) {
    Bits bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
  };
  before_atomic(address);
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  T changed = change(old);
  while (!__atomic_compare_exchange(address, &old, &changed, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED)) {
    changed = change(old);
  }
  after_atomic(address, as_bits(old) != as_bits(changed));
  return old;
}

// The type of an argument from which T is not deduced.
template <class T>
using Same = std::common_type_t<T>;

}  // namespace cuda_emulator

template <class T>
T atomicAdd(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_change(address,
                                      [value](T old) { return static_cast<T>(old + value); });
}

template <class T>
T atomicMax(T* address, cuda_emulator::Same<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA compares integers only");
  return cuda_emulator::atomic_change(address,
                                      [value](T old) { return old < value ? value : old; });
}

template <class T>
T atomicMin(T* address, cuda_emulator::Same<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA compares integers only");
  return cuda_emulator::atomic_change(address,
                                      [value](T old) { return value < old ? value : old; });
}

template <class T>
T atomicOr(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_change(address, [value](T old) { return old | value; });
}

template <class T>
T atomicExch(T* address, cuda_emulator::Same<T> value) {
  return cuda_emulator::atomic_change(address, [value](T) { return value; });
}

template <class T>
T atomicCAS(T* address, cuda_emulator::Same<T> expected, cuda_emulator::Same<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA compares integers only");
  return cuda_emulator::atomic_change(address,
                                      [=](T old) { return old == expected ? value : old; });
}

// Counts up to `last` and then from 0 again.
inline unsigned atomicInc(unsigned* address, unsigned last) {
  return cuda_emulator::atomic_change(address,
                                      [last](unsigned old) { return old >= last ? 0 : old + 1; });
}
