#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx2.hpp"
//
#include "simd_functions-inl.hpp"
//
#include "cpu/targets/end.hpp"

test::SimdFunctions test::simd_avx2() { return givens::cpu::avx2::simd_functions("avx2"); }

#endif
