// Opens the instruction set that every machine of an architecture has: x86-64 with SSE2, or Arm
// with NEON.
// See engine_headers.hpp; a test may have named another namespace.
#if !defined(GIVENS_ISA)
#define GIVENS_ISA baseline
#endif
#define GIVENS_VECTOR_BYTES 16
#if defined(__aarch64__)
#define GIVENS_VECTOR_REGISTERS 32
#else
#define GIVENS_VECTOR_REGISTERS 16
#endif
