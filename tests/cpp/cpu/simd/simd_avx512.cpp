#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx512.hpp"
//
#include "simd_functions-inl.hpp"
//
#include "cpu/targets/end.hpp"

test::SimdFunctions test::simd_avx512() { return givens::cpu::avx512::simd_functions("avx512"); }

#endif
