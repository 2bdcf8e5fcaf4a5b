// How the CUDA engine walks a schedule: in stages of work items that touch different rows.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens::cuda {

// What one thread does with a few columns between two barriers. A tile or leaf keeps its rows in
// registers.
enum class WorkKind : std::uint8_t { xor_block, sum_block, diamond_block, leaf, pair };

// Rotations of one work item, in the order in which the kernels do them, have the numbers
// m = 0, 1, ...; see work_rotation in rotations.cuh.
struct Work {
  // First slots of groups a and b; of a pair its two slots. A leaf has only a.
  std::int32_t a;
  std::int32_t b;
  // Where its angles are; see Step. `source` of a pair is its angle.
  std::int32_t source;
  std::int32_t step_k;
  std::int32_t step_l;
  // Where its coefficients are, in units of kUnit reals, if rotations are real and if complex.
  std::int32_t unit[2];
  // The number of rotations before it.
  std::int32_t entry;
  WorkKind kind;
  // Rows of a group are taken from last to first: to undo a tile is to do one with groups reversed.
  bool reverse_a;
  bool reverse_b;
  // Of the step that it is made from.
  Pattern pattern;
  AngleMap sources;
};

struct Stage {
  std::int32_t first;  // work items first .. last - 1
  std::int32_t last;
  // From the identity the matrix is block-diagonal up to this stage, with blocks of so many slots.
  std::int32_t block;
};

// The stages in the order in which they are run: all rotations from first to last, or undone from
// last to first.
struct Walk {
  std::vector<Stage> stages;
  std::vector<Work> works;
};

inline constexpr int kUnit = 4;

constexpr int rotations_of(WorkKind kind) {
  return kind == WorkKind::pair   ? 1
         : kind == WorkKind::leaf ? kDiagonalBlockRotations
                                  : kBlockRotations;
}
// Rows that are multiplied by a factor at the end.
constexpr int factors_of(WorkKind kind) {
  return kind == WorkKind::pair ? 0 : kind == WorkKind::leaf ? kRowBlock : 2 * kRowBlock;
}

// Units that a work item takes with 2 * parts coefficients a rotation; parts is 1 for real
// rotations and 2 for complex ones.
constexpr int units_of(WorkKind kind, int parts) {
  return (2 * parts * rotations_of(kind) + factors_of(kind) + kUnit - 1) / kUnit;
}

struct Plan {
  std::int32_t slots = 0;
  std::vector<std::int32_t> coordinate_of_row;  // -1: padding
  std::vector<std::int32_t> row_of_coordinate;
  std::vector<std::int32_t> sources;
  Walk forward;
  Walk backward;
  std::int32_t widest_stage = 0;   // work items
  std::int32_t units[2] = {0, 0};  // of all work items; see Work::unit
  std::int32_t entries = 0;
};

// Cost: O(K / 64) time and memory for schedules in tiles, O(K) for others.
Plan make_plan(const givens::Plan& plan);

}  // namespace givens::cuda
