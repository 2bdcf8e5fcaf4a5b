// The engine for AVX2.
#include "cpu/engine_headers.hpp"

#if defined(__x86_64__)

#include "cpu/targets/begin_avx2.hpp"
//
#include "cpu/engine-inl.hpp"
//
#include "cpu/targets/end.hpp"

namespace givens::cpu {

extern const Engine kAvx2Engine;
const Engine kAvx2Engine = avx2::engine_named("avx2");

}  // namespace givens::cpu

#endif
