// Plans: a schedule's rotations in steps that keep their rows in registers, for the CPU engines and
// for the CUDA engine.
#pragma once

#include <cstdint>
#include <vector>

#include "givens/schedule.hpp"
#include "plan/pattern.hpp"

namespace givens {

// How a step finds the angles of its rotations among the angles of the schedule. A block always has
// its full number of rotations; the angle -1 stands for one that is absent from the schedule.
enum class AngleMap : std::uint8_t {
  // Plan::angle_indices has an angle, or -1, for every rotation, from `first_angle` on.
  gather,
  // From `first_angle` on, Plan::angle_indices has the first of 8 successive angles for each row of
  // an xor block's rotations, or the first of 4 for each round of a diagonal block.
  contiguous,
  // Rotation (k, l) of a block has the angle first_angle + k * step_k + l * step_l.
  affine,
};

// The steps, or rows, first .. last - 1.
struct Range {
  std::int64_t first;
  std::int64_t last;
};

struct Step {
  Pattern pattern;
  AngleMap angle_map;
  std::int32_t a;      // the first row of row block a; pairs: the first pair in Plan::row_pairs
  std::int32_t b;      // the first row of row block b; diamond_block: a + 8
  std::int32_t count;  // rotations: 64 in a block, 28 in a diagonal block, or the number of pairs
  std::int64_t first_rotation;  // the number of rotations before this step, absent ones included
  std::int64_t first_angle;     // see AngleMap
  std::int32_t step_k = 0;
  std::int32_t step_l = 0;
};

// Steps that take the matrix from block-diagonal with smaller blocks to block-diagonal with blocks
// of `block` rows. Steps first[q] .. first[q + 1] - 1 belong to block q.
struct MergeLevel {
  std::int64_t block;
  std::vector<std::int64_t> first;
};

// Rounds in which each coordinate meets the one that differs from it in a single bit, or none: of
// butterfly, and of what is composed of it. An engine can apply them along the lanes of its
// registers, without a panel. Their plan has steps of pairs alone, and row k is coordinate k.
struct ButterflyRounds {
  std::vector<int> bits;  // by round: the bit in which coordinates that meet differ
  // For each round and coordinate: the plan's number of its rotation, or -1.
  std::vector<std::int32_t> rotations;
  bool gaps = false;  // whether there is a -1
};

// Immutable, and made once for a schedule. Its rows are a permutation of the coordinates, padded to
// whole row blocks; engines hold vectors in panels of these rows.
struct Plan {
  std::int64_t rows = 0;
  std::vector<std::int32_t> coordinate_of_row;  // -1: padding
  std::vector<std::int32_t> row_of_coordinate;
  std::vector<Step> steps;
  std::vector<std::int32_t> angle_indices;  // see AngleMap
  std::vector<RowPair> row_pairs;
  std::vector<MergeLevel> merge_levels;  // in order; they cover all steps
  std::int64_t rotations = 0;            // of all steps, absent ones included
  // Whether neighbouring rows have coordinates two apart. Engines then take the even columns of U
  // before its odd ones, which keeps more of a panel zero; see NonzeroStructure.
  bool columns_by_parity = false;
  // Empty unless the schedule has butterfly rounds only; see ButterflyRounds.
  ButterflyRounds butterfly;
};

// Makes a plan with the planner of the schedule's kind. Cost: O(K) time and memory.
Plan make_plan(const Schedule& schedule);

// The plan of a schedule, made at the first call for it (or a copy of it). Safe from many threads.
const Plan& plan_of(const Schedule& schedule);

// The number of rotations before successive steps, absent ones included.
inline std::int64_t first_rotation_of(const Plan& plan, Range steps) {
  if (steps.first == steps.last) return 0;
  return plan.steps[static_cast<std::size_t>(steps.first)].first_rotation;
}

// The number of rotations in successive steps, absent ones included.
inline std::int64_t rotations_of(const Plan& plan, Range steps) {
  if (steps.first == steps.last) return 0;
  const Step& last = plan.steps[static_cast<std::size_t>(steps.last - 1)];
  return last.first_rotation + last.count - first_rotation_of(plan, steps);
}

// The angles of a block whose angle map is affine, by row of eight rotations and lane: block_index
// without its divisions. Angles are multiplied by `stride`, their distance in the caller's memory.
struct AffineAngles {
  AffineAngles(const Step& step, std::int64_t stride)
      : first(stride * step.first_angle),
        step_k(stride * step.step_k),
        step_l(stride * step.step_l) {}
  std::int64_t at(int row, int lane) const {
    return first + lane * step_k + ((row - lane) & (kRowBlock - 1)) * step_l;
  }

  std::int64_t first;
  std::int64_t step_k;
  std::int64_t step_l;
};

// The angle of a step's rotation, or -1 if that is absent.
inline std::int32_t angle_of(const Plan& plan, const Step& step, int index) {
  if (step.angle_map == AngleMap::affine) {
    const BlockIndex at = block_index(step.pattern, index);
    return static_cast<std::int32_t>(step.first_angle) + at.k * step.step_k + at.l * step.step_l;
  }
  const std::int32_t* angle = plan.angle_indices.data() + step.first_angle;
  if (step.angle_map == AngleMap::gather) return angle[index];
  const int run = step.pattern == Pattern::diagonal_block ? 4 : 8;
  return angle[index / run] + index % run;
}

// Calls visit(row, other row, index) for the rotations of a step in an order in which they may be
// applied, or with Adjoint in the reverse order.
template <bool Adjoint, class Visit>
void for_each_rotation(const Plan& plan, const Step& step, Visit&& visit) {
  const auto nth = [](int k, int count) { return Adjoint ? count - 1 - k : k; };
  if (is_rotation_block(step.pattern)) {
    const std::int32_t second = step.b - kRowBlock;  // rows 8 .. 15 of a block start at b
    static constexpr auto kXorOrder = block_order<kRowBlock>(Pattern::xor_block);
    static constexpr auto kSumOrder = block_order<kRowBlock>(Pattern::sum_block);
    const auto& order = step.pattern == Pattern::xor_block ? kXorOrder : kSumOrder;
    for (int m = 0; m < kBlockRotations; ++m) {
      const BlockIndex at = order[static_cast<std::size_t>(nth(m, kBlockRotations))];
      const RowPair rows = rows_of_rotation<kRowBlock>(step.pattern, at);
      visit((rows.i < kRowBlock ? step.a : second) + rows.i,
            (rows.j < kRowBlock ? step.a : second) + rows.j,
            rotation_index(step.pattern, at.k, at.l));
    }
  } else if (step.pattern == Pattern::diagonal_block) {
    static constexpr auto kOrder = diagonal_block_order();
    for (int m = 0; m < kDiagonalBlockRotations; ++m) {
      const int e = nth(m, kDiagonalBlockRotations);
      const RowPair rows = kOrder[static_cast<std::size_t>(e)];
      visit(step.a + rows.i, step.a + rows.j, e);
    }
  } else {
    for (int m = 0; m < step.count; ++m) {
      const int e = nth(m, step.count);
      const RowPair& pair = plan.row_pairs[static_cast<std::size_t>(step.a + e)];
      visit(pair.i, pair.j, e);
    }
  }
}

}  // namespace givens
