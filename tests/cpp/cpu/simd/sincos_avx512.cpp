#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx512.hpp"
//
#include "sincos_functions-inl.hpp"
//
#include "cpu/targets/end.hpp"

test::SinCosFunctions test::sincos_avx512() {
  return givens::cpu::avx512::sincos_functions("avx512");
}

#endif
