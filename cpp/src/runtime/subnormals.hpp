// Arithmetic that takes subnormal numbers for zero.
#pragma once

#include <cstdint>

namespace givens::runtime {

// While one lives, subnormal numbers are zero on this thread, if `wanted`. Arithmetic with them is
// many times slower, and long products of sines, as in the columns of the identity, get there.
class FlushSubnormals {
 public:
  explicit FlushSubnormals(bool wanted) : before_(control()) {
    if (wanted) set_control(before_ | kFlush);
  }
  ~FlushSubnormals() { set_control(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  using Control = std::uint32_t;
  static constexpr Control kFlush = 0x8040;  // FTZ, DAZ
  static Control control() { return __builtin_ia32_stmxcsr(); }
  static void set_control(Control value) { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
  using Control = std::uint64_t;
  static constexpr Control kFlush = Control{1} << 24;  // FZ
  static Control control() {
    Control value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  // What is stored before is computed before.
  static void set_control(Control value) { asm volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
#else
  using Control = std::uint32_t;
  static constexpr Control kFlush = 0;
  static Control control() { return 0; }
  static void set_control(Control) {}
#endif
  Control before_;
};

}  // namespace givens::runtime
