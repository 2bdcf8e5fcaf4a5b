// Compiles what follows for the instructions that every machine of an architecture has: SSE2 on
// x86-64, NEON on Arm. See engine_headers.hpp.
#pragma once

#define GIVENS_ISA baseline
#define GIVENS_VECTOR_BYTES 16
#if defined(__aarch64__)
#define GIVENS_VECTOR_REGISTERS 32
#else
#define GIVENS_VECTOR_REGISTERS 16
#endif
