#pragma once

#include <cstddef>

// The emulator calls these functions to tell the sanitizers something. They do nothing in other
// builds.

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
// The emulator itself is not compiled with the thread sanitizer, which would take its own state for
// the kernels'; CMake says that the program is.
#if defined(GIVENS_EMULATOR_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace cuda_emulator {

#if defined(GIVENS_EMULATOR_THREAD_SANITIZER)
constexpr bool thread_sanitizer = true;

// Accesses before release(key) are ordered before accesses after a later acquire(key).
inline void release(void* key) { __tsan_release(key); }
inline void acquire(void* key) { __tsan_acquire(key); }

// The thread whose accesses the sanitizer takes the following ones for. Becoming another orders
// nothing.
using Identity = void*;
inline Identity new_identity() { return __tsan_create_fiber(0); }
inline Identity current_identity() { return __tsan_get_current_fiber(); }
inline void become(Identity identity) {
  __tsan_switch_to_fiber(identity, __tsan_switch_to_fiber_no_sync);
}
#else
constexpr bool thread_sanitizer = false;

inline void release(void*) {}
inline void acquire(void*) {}

using Identity = void*;
inline Identity new_identity() { return nullptr; }
inline Identity current_identity() { return nullptr; }
inline void become(Identity) {}
#endif

#if defined(__SANITIZE_ADDRESS__)
constexpr bool address_sanitizer = true;

inline void forbid_access(void* memory, std::size_t bytes) {
  __asan_poison_memory_region(memory, bytes);
}
inline void allow_access(void* memory, std::size_t bytes) {
  __asan_unpoison_memory_region(memory, bytes);
}
#else
constexpr bool address_sanitizer = false;

inline void forbid_access(void*, std::size_t) {}
inline void allow_access(void*, std::size_t) {}
#endif

}  // namespace cuda_emulator
