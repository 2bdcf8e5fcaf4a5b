// Compiles what follows for AVX-512, until end.hpp. See engine_headers.hpp.
#pragma once

#define GIVENS_ISA avx512
#define GIVENS_VECTOR_BYTES 64
#define GIVENS_VECTOR_REGISTERS 32
#if defined(__clang__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#endif
