// The engine for avx512.
#include "engine_standard_headers.hpp"

#if defined(__x86_64__)

#define GIVENS_ISA avx512
#define GIVENS_VECTOR_BYTES 64
#define GIVENS_VECTOR_REGISTERS 32

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
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
#pragma GCC pop_options

namespace givens::cpu {

extern const Engine kAvx512Engine;
const Engine kAvx512Engine{"avx512", avx512::functions<float>(), avx512::functions<double>(),
                           avx512::functions<std::complex<float>>(),
                           avx512::functions<std::complex<double>>()};

}  // namespace givens::cpu

#endif
