// The engine that every machine of an architecture can run.
#include "cpu/engine_headers.hpp"

#include "cpu/targets/begin_baseline.hpp"
//
#include "cpu/engine-inl.hpp"
//
#include "cpu/targets/end.hpp"

namespace givens::cpu {

extern const Engine kBaselineEngine;
const Engine kBaselineEngine = baseline::engine_named("baseline");

}  // namespace givens::cpu
