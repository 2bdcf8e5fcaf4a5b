// Compiles what follows, until end.hpp, for the instructions that every machine of an architecture
// has: SSE2 on x86-64, NEON on Arm.
//
// See engine_headers.hpp. A test may have defined GIVENS_ISA, the namespace, already.
#if !defined(GIVENS_ISA)
#define GIVENS_ISA baseline
#endif
#define GIVENS_VECTOR_BYTES 16
#if defined(__aarch64__)
#define GIVENS_VECTOR_REGISTERS 32
#else
#define GIVENS_VECTOR_REGISTERS 16
#endif
