// The engine for AVX-512.
#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx512.hpp"
//
#include "cpu/engine-inl.hpp"
//
#include "cpu/targets/end.hpp"

namespace givens::cpu {

extern const Engine kAvx512Engine;
const Engine kAvx512Engine = avx512::engine_named("avx512");

}  // namespace givens::cpu

#endif
