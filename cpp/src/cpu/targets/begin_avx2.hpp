// Compiles what follows for AVX2 with FMA, until end.hpp. See engine_headers.hpp.
#pragma once

#define GIVENS_ISA avx2
#define GIVENS_VECTOR_BYTES 32
#define GIVENS_VECTOR_REGISTERS 16
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
