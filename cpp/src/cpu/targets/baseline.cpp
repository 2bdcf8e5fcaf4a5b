// The engine that every machine of its architecture can run.
#include "cpu/engine_headers.hpp"

#include "cpu/targets/begin_baseline.hpp"
//
#include "cpu/engine-inl.hpp"

namespace givens::cpu {

extern const Engine kBaselineEngine;
#if defined(__aarch64__)
const Engine kBaselineEngine = baseline::engine_named("neon");
#else
const Engine kBaselineEngine = baseline::engine_named("baseline");
#endif

}  // namespace givens::cpu
