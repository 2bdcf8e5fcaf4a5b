// The order in which kernels apply the rotations of a step, and the rows and angles of each.
#pragma once

#include <cstdint>

#include "host/plan.hpp"
#include "kernels/portable.cuh"
#include "plan/pattern.hpp"

namespace givens::cuda {

// Rotation m = 0 .. 63 of a rotation block, as block_order has it.
GIVENS_DEVICE constexpr BlockIndex mth_rotation(Pattern pattern, int m) {
  if (pattern == Pattern::xor_block) return {m % 8, m % 8 ^ m / 8};
  return {m / 8, m % 8};
}

// Round r = 1 .. 7 of a diagonal block has four pairs (i, i XOR r). The adjoint takes the rounds
// from last to first.
GIVENS_DEVICE constexpr RowPair diagonal_block_rows(int m, bool adjoint) {
  const int r = adjoint ? 7 - m / 4 : 1 + m / 4;
  const int top = r >= 4 ? 4 : r >= 2 ? 2 : 1;
  const int i = (m % 4 & (top - 1)) | (m % 4 & ~(top - 1)) << 1;
  return {i, i ^ r};
}

// The rows of rotation m among the rows of its step: rows 0 .. 7 are row block a and 8 .. 15 row
// block b, each from last to first if it is reversed. A pair has rows 0 and 1.
GIVENS_DEVICE constexpr RowPair rows_of(Pattern pattern, bool adjoint, int m) {
  if (pattern == Pattern::pairs) return {0, 1};
  if (pattern == Pattern::diagonal_block) return diagonal_block_rows(m, adjoint);
  return rows_of_rotation<kRowBlock>(pattern, mth_rotation(pattern, m));
}

// The row of a panel that is row `k` of a step.
GIVENS_DEVICE inline std::int32_t panel_row(const Step& step, int k) {
  if (step.pattern == Pattern::pairs) return k == 0 ? step.a : step.b;
  if (k < 8) return step.reverse_a ? step.a + 7 - k : step.a + k;
  return step.reverse_b ? step.b + 15 - k : step.b + k - 8;
}

// The angle of rotation m, or -1 if the rotation is absent.
GIVENS_DEVICE inline std::int32_t angle_of(const Step& step, const std::int32_t* angle_indices,
                                           bool adjoint, int m) {
  if (step.pattern == Pattern::pairs) return step.first_angle;
  int index;
  int run_bits;  // contiguous angles come in runs of 4 or 8
  if (step.pattern == Pattern::diagonal_block) {
    index = adjoint ? 4 * (6 - m / 4) + m % 4 : m;
    run_bits = 2;
  } else {
    BlockIndex at = mth_rotation(step.pattern, m);
    // The adjoint of a diamond block has both row blocks reversed and exchanged.
    if (step.reverse_a) at.k = 7 - at.k;
    if (step.reverse_b) at.l = 7 - at.l;
    if (step.angle_map == AngleMap::affine) {
      return step.first_angle + at.k * step.step_k + at.l * step.step_l;
    }
    index = rotation_index(step.pattern, at.k, at.l);
    run_bits = 3;
  }
  const std::int32_t* const first = angle_indices + step.first_angle;
  return step.angle_map == AngleMap::gather
             ? first[index]
             : first[index >> run_bits] + (index & ((1 << run_bits) - 1));
}

}  // namespace givens::cuda
