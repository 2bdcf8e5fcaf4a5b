// Ends what a begin_*.hpp began. See engine_headers.hpp.
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
