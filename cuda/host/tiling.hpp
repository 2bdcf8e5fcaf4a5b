// How a problem is shared out over the thread blocks of a device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/runtime.hpp"

namespace givens::cuda {

// The most threads of a thread block.
inline constexpr int kMostThreads = 256;

// The part that kernels need.
struct Tiling {
  std::int32_t width;     // columns of a panel
  std::int32_t lanes;     // threads that share a step
  std::int32_t matrices;  // of a thread block; more than 1 only if a matrix is one panel
  std::int64_t panels;    // of a matrix
  std::int64_t chain;     // panels of a chain; see vjp.cuh
  std::int64_t columns;   // of a matrix, a complex vector has 2 if the rotations are real
};

struct TilingProblem {
  std::int32_t rows;
  std::int32_t widest_stage;
  std::size_t column_bytes;        // shared memory for one column of all panels of a matrix
  std::int32_t columns_of_thread;  // C of the kernel for wide panels
  std::int32_t least_lanes;        // the fewest threads that share a step, a power of two
  std::int64_t columns;
  std::int64_t matrices;
};

struct ChosenTiling {
  Tiling tiling;
  bool wide;  // whether a thread has columns_of_thread columns; otherwise it has one
  int threads;
  std::size_t shared_bytes;
};

// Whether at least one column fits in shared memory.
bool fits(const TilingProblem& problem, const DeviceLimits& limits);

ChosenTiling choose_tiling(const TilingProblem& problem, const DeviceLimits& limits);

}  // namespace givens::cuda
