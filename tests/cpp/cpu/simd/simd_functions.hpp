// What cpu/simd has as functions of numbers in memory, one set of functions for each instruction
// set. Each is compiled in a source of its own.
#pragma once

#include <vector>

#include "givens/half.hpp"

namespace test {

// Computes eight sines and cosines.
using SinCos = void (*)(const double* x, double* sine, double* cosine);

// Convert sixteen numbers to and from 16 bits.
template <class H>
struct Conversions {
  void (*widen)(const H* x, float* out);
  void (*round)(const float* x, H* out);
};

struct SimdFunctions {
  const char* name;
  SinCos for_float;
  SinCos for_double;
  SinCos any;
  Conversions<givens::Half> float16;
  Conversions<givens::BFloat16> bfloat16;
};

SimdFunctions simd_baseline();
SimdFunctions simd_avx2();
SimdFunctions simd_avx512();

// Those that this machine can run.
inline std::vector<SimdFunctions> instruction_sets() {
  std::vector<SimdFunctions> out{simd_baseline()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    out.push_back(simd_avx2());
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    out.push_back(simd_avx512());
  }
#endif
  return out;
}

}  // namespace test
