// Ends what a begin_*.hpp began. See engine_headers.hpp.
#if defined(GIVENS_TARGET_IS_PUSHED)
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef GIVENS_TARGET_IS_PUSHED
#endif

#undef GIVENS_ISA
#undef GIVENS_VECTOR_BYTES
#undef GIVENS_VECTOR_REGISTERS

#if defined(GIVENS_TARGET_TOGGLE)
#undef GIVENS_TARGET_TOGGLE
#else
#define GIVENS_TARGET_TOGGLE
#endif
