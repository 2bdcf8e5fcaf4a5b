// How a problem is shared out over a device's blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/runtime.hpp"

namespace givens::cuda {

// Of a kernel's blocks.
inline constexpr int kMostThreads = 256;

// What kernels are told.
struct Tiling {
  std::int32_t width;     // columns of a panel
  std::int32_t lanes;     // threads that share a work item
  std::int32_t matrices;  // of a block; more than 1 only if a matrix is one panel
  std::int64_t panels;    // of a matrix
  std::int64_t chain;     // panels of a chain; see vjp.cuh
  std::int64_t columns;   // of a matrix, counted in numbers of the rotations' field
};

struct TilingProblem {
  std::int32_t slots;
  std::int32_t widest_stage;
  std::size_t column_bytes;        // shared memory that a column of a panel, or of both, takes
  std::int32_t columns_of_thread;  // C of the kernel that is meant for wide panels
  std::int32_t least_lanes;        // threads that share a work item at least, a power of two
  std::int64_t columns;
  std::int64_t matrices;
};

struct ChosenTiling {
  Tiling tiling;
  bool wide;  // whether a thread has columns_of_thread columns; otherwise one
  int threads;
  std::size_t shared_bytes;
};

// False if not even one column fits in shared memory.
bool fits(const TilingProblem& problem, const DeviceLimits& limits);

ChosenTiling choose_tiling(const TilingProblem& problem, const DeviceLimits& limits);

}  // namespace givens::cuda
