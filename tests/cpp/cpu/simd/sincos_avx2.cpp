#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx2.hpp"
//
#include "sincos_functions-inl.hpp"
//
#include "cpu/targets/end.hpp"

test::SinCosFunctions test::sincos_avx2() { return givens::cpu::avx2::sincos_functions("avx2"); }

#endif
