// The floating-point settings of a thread: rounding, and what becomes of subnormal numbers.
#pragma once

#include <cfenv>
#include <cstdint>

namespace givens::runtime {

// The processor's control register for the arithmetic of vectors and scalars.
#if defined(__x86_64__)
using FloatingPointControl = std::uint32_t;                       // MXCSR
inline constexpr FloatingPointControl kFlushSubnormals = 0x8040;  // FTZ, DAZ
inline FloatingPointControl floating_point_control() { return __builtin_ia32_stmxcsr(); }
inline void set_floating_point_control(FloatingPointControl value) {
  __builtin_ia32_ldmxcsr(value);
}
#elif defined(__aarch64__)
using FloatingPointControl = std::uint64_t;                                       // FPCR
inline constexpr FloatingPointControl kFlushSubnormals = std::uint64_t{1} << 24;  // FZ
inline FloatingPointControl floating_point_control() {
  FloatingPointControl value;
  __asm__ volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
// "memory" keeps the compiler from moving earlier arithmetic whose result is stored past this.
inline void set_floating_point_control(FloatingPointControl value) {
  __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory");
}
#else
using FloatingPointControl = std::uint32_t;
inline constexpr FloatingPointControl kFlushSubnormals = 0;
inline FloatingPointControl floating_point_control() { return 0; }
inline void set_floating_point_control(FloatingPointControl) {}
#endif

// If `wanted`, subnormal numbers are zero on this thread during the life of the object. Arithmetic
// with them is many times slower, and long products of sines become subnormal, for example in the
// rotated columns of the identity. Does nothing on processors other than x86-64 and 64-bit Arm.
class FlushSubnormals {
 public:
  explicit FlushSubnormals(bool wanted) : before_(floating_point_control()) {
    if (wanted) set_floating_point_control(before_ | kFlushSubnormals);
  }
  ~FlushSubnormals() { set_floating_point_control(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  FloatingPointControl before_;
};

// The settings of the thread that makes the object, which other threads can take over.
class FloatingPointEnvironment {
 public:
  FloatingPointEnvironment() : control_(floating_point_control()) { std::fegetenv(&environment_); }

  // Gives the calling thread these settings. The control register is set on its own too, since
  // std::fesetenv of MinGW leaves it as it is.
  void set() const {
    std::fesetenv(&environment_);
    set_floating_point_control(control_);
  }

 private:
  FloatingPointControl control_;
  std::fenv_t environment_;
};

}  // namespace givens::runtime
