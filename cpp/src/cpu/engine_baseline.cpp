// The engine that every machine of an architecture can run: x86-64 with SSE2, or Arm with NEON.
#include "engine_standard_headers.hpp"

#define GIVENS_ISA baseline
#define GIVENS_VECTOR_BYTES 16
#if defined(__aarch64__)
#define GIVENS_VECTOR_REGISTERS 32
#else
#define GIVENS_VECTOR_REGISTERS 16
#endif

// clang-format off: the order matters
#include "simd.hpp"
#include "eight.hpp"
#include "segment.hpp"
#include "sincos.hpp"
#include "rotations.hpp"
#include "program.hpp"
#include "tiles.hpp"
#include "vjp_tiles.hpp"
#include "panel.hpp"
#include "programs.hpp"
#include "sharing.hpp"
#include "rotate_panels.hpp"
#include "matrix_panels.hpp"
#include "gradient_sums.hpp"
#include "vjp_panels.hpp"
#include "batch_lanes.hpp"
#include "batch_sincos.hpp"
#include "batch_sweep.hpp"
#include "batch.hpp"
#include "engine_functions.hpp"
// clang-format on

namespace givens::cpu {

extern const Engine kBaselineEngine;
const Engine kBaselineEngine{
#if defined(__aarch64__)
    "neon",
#else
    "baseline",
#endif
    baseline::functions<float>(), baseline::functions<double>(),
    baseline::functions<std::complex<float>>(), baseline::functions<std::complex<double>>()};

}  // namespace givens::cpu
