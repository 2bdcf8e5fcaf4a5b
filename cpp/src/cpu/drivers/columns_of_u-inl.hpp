// What the steps change in a panel of U's columns, on their way from the columns of the identity.
// Compiled for each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/panels/column_order-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The rows that hold coordinates first .. first + count - 1, as a range.
inline Range rows_of(const Plan& plan, std::int64_t first, std::int64_t count) {
  if (plan.merge_levels.size() == 1) return {0, plan.rows};
  return {first, first + count};  // merge levels come with rows in the order of the coordinates
}

// Calls body(steps, first real, reals) for what a merge level changes in a panel of U's columns
// `range`. Before the level U is block-diagonal with smaller blocks, after it with the level's:
// only the steps of blocks that hold any of these columns count, and on the panel's columns in the
// same blocks. With Adjoint it goes from the last to the first. A column is kReals<F> reals wide.
template <class F, bool Adjoint, class Body>
void for_each_part(const MergeLevel& level, Range range, std::int64_t width, Body&& body) {
  constexpr std::int64_t L = kLanes<real_t<F>>;
  const auto blocks = static_cast<std::int64_t>(level.first.size()) - 1;
  const auto steps = [&](std::int64_t first_row, std::int64_t last_row) {
    const std::int64_t first = std::min(first_row / level.block, blocks);
    const std::int64_t last = std::min((last_row + level.block - 1) / level.block, blocks);
    return Range{level.first[static_cast<std::size_t>(first)],
                 level.first[static_cast<std::size_t>(last)]};
  };
  // Small blocks are taken together, so that they have whole packs.
  const std::int64_t part = std::max(level.block, L);
  const std::int64_t parts = (range.last - range.first + part - 1) / part;
  if (part % level.block != 0 || part % L != 0) {
    body(steps(range.first, range.last), std::int64_t{0}, width);
    return;
  }
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t column = (Adjoint ? parts - 1 - p : p) * part;
    const std::int64_t row = range.first + column;
    body(steps(row, std::min(row + part, range.last)), kReals<F> * column,
         std::min(kReals<F> * part, width - kReals<F> * column));
  }
}

// Calls body(first real, reals, rotated) for the parts of a panel that a step rotates; see
// run_step.
template <class Body>
void for_each_rotated(const Plan& plan, const NonzeroStructure& nonzeros, std::int64_t step,
                      std::int64_t width, Body&& body) {
  const ColumnMask rotated = nonzeros.rotated_by(step);
  if (rotated == 0) return;
  if (plan.steps[static_cast<std::size_t>(step)].pattern == Pattern::pairs) {
    body(std::int64_t{0}, width, nonzeros.rotated_by_pairs(plan, step));
    return;
  }
  for_each_run(rotated, width, [&](std::int64_t first, std::int64_t last) {
    body(first, last - first, static_cast<const ColumnMask*>(nullptr));
  });
}

}  // namespace givens::cpu::GIVENS_ISA
