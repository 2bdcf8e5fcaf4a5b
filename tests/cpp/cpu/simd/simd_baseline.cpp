#include "cpu/engine_headers.hpp"

#include "cpu/targets/begin_baseline.hpp"
//
#include "simd_functions-inl.hpp"

test::SimdFunctions test::simd_baseline() {
  return givens::cpu::baseline::simd_functions("baseline");
}
