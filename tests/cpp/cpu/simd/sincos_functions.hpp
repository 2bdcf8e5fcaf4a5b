// Sine and cosine of the CPU engines as functions of eight numbers in memory, one set of functions
// for each instruction set. Each is compiled in a source of its own.
#pragma once

namespace test {

using SinCos = void (*)(const double* x, double* sine, double* cosine);

struct SinCosFunctions {
  const char* name;
  SinCos for_float;
  SinCos for_double;
  SinCos any;
};

SinCosFunctions sincos_baseline();
SinCosFunctions sincos_avx2();
SinCosFunctions sincos_avx512();

}  // namespace test
