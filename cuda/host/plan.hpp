// How the CUDA engine walks a schedule: in stages of steps that touch different rows.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens::cuda {

// A step of the schedule's plan (givens::Step) as one thread takes it, on a few columns, between
// two barriers. A step of pairs becomes one step for each pair. The rows of a rotation block or
// diagonal block stay in registers. Kernels number the rotations m = 0, 1, ... in the order in
// which they apply them; see kernels/rotations.cuh.
struct Step {
  // The first rows of row blocks a and b, or the two rows of a pair. A diagonal block has only a.
  std::int32_t a;
  std::int32_t b;
  // Where the angles are; see AngleMap. A pair has the angle `first_angle`.
  std::int32_t first_angle;
  std::int32_t step_k;
  std::int32_t step_l;
  // Where the coefficients start, in units of kUnit reals: for real and for complex rotations.
  std::int32_t unit[2];
  std::int32_t first_rotation;  // the number of rotations before this step
  Pattern pattern;
  AngleMap angle_map;
  // Whether kernels take the rows of a row block from last to first.
  bool reverse_a;
  bool reverse_b;
};

// The steps first .. last - 1.
struct Stage {
  std::int32_t first;
  std::int32_t last;
  // When the walk starts from the identity, the matrix is block-diagonal up to this stage, with
  // blocks of so many rows.
  std::int32_t block;
};

// The stages in the order in which they run.
struct Walk {
  std::vector<Stage> stages;
  std::vector<Step> steps;
};

inline constexpr int kUnit = 4;

constexpr int rotations_of(Pattern pattern) {
  return pattern == Pattern::pairs            ? 1
         : pattern == Pattern::diagonal_block ? kDiagonalBlockRotations
                                              : kBlockRotations;
}

// The rows that a step multiplies by their scales at its end.
constexpr int scales_of(Pattern pattern) {
  return pattern == Pattern::pairs            ? 0
         : pattern == Pattern::diagonal_block ? kRowBlock
                                              : 2 * kRowBlock;
}

// Units of a step's coefficients. `reals` is 1 for real rotations and 2 for complex ones: a
// rotation has 2 * reals coefficients.
constexpr int units_of(Pattern pattern, int reals) {
  return (2 * reals * rotations_of(pattern) + scales_of(pattern) + kUnit - 1) / kUnit;
}

struct Plan {
  std::int32_t rows = 0;
  std::vector<std::int32_t> coordinate_of_row;  // -1: padding
  std::vector<std::int32_t> angle_indices;      // see AngleMap
  Walk forward;                                 // all rotations from first to last
  Walk backward;                                // their adjoints from last to first
  std::int32_t widest_stage = 0;                // steps
  std::int32_t units[2] = {0, 0};               // of all steps; see Step::unit
  std::int32_t rotations = 0;
};

// Cost: O(K / 64) time and memory for schedules in rotation blocks, O(K) for others.
Plan make_plan(const givens::Plan& plan);

}  // namespace givens::cuda
