// What the engine's sources use of the standard library and of code common to all instruction sets.
// Included before the target of the compilation changes, so that none of it is compiled for an
// instruction set that a machine which runs it may lack.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "engine.hpp"
#include "reach.hpp"
#include "scratch.hpp"
#include "threads.hpp"
#include "wait.hpp"
