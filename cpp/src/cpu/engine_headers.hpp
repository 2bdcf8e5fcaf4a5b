// Includes for the engines' code: the standard library, and code that all instruction sets share.
//
// Headers named -inl.hpp are compiled once for each instruction set, into the namespace GIVENS_ISA,
// with vectors of GIVENS_VECTOR_BYTES in GIVENS_VECTOR_REGISTERS registers. A target, such as
// targets/avx2.cpp, includes this file, then targets/begin_avx2.hpp, the -inl headers that it
// wants, and targets/end.hpp. This file comes first so that nothing in it is compiled for an
// instruction set that a machine which runs it may lack. A source has one target; the baseline
// needs no end.hpp, and is the target of an -inl header that is read by itself.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "arguments/problem.hpp"
#include "cpu/engine.hpp"
#include "plan/nonzeros.hpp"
#include "plan/plan.hpp"
#include "runtime/floating_point.hpp"
#include "runtime/scratch.hpp"
#include "runtime/threads.hpp"

// Unrolls the loop that follows up to `count` times.
#define GIVENS_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define GIVENS_UNROLL(count) GIVENS_PRAGMA(unroll count)
#else
#define GIVENS_UNROLL(count) GIVENS_PRAGMA(GCC unroll count)
#endif
