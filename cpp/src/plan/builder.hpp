// What planners share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens::planning {

// A rotation block takes the time of about this many rotations in a step of pairs, however few of
// its rotations exist.
inline constexpr int kLeastInBlock = 28;

inline std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

inline std::size_t at(std::int64_t value) { return static_cast<std::size_t>(value); }

inline std::int64_t row_blocks_of(std::int64_t rows) { return (rows + kRowBlock - 1) / kRowBlock; }

inline std::int64_t num_steps(const Plan& plan) {
  return static_cast<std::int64_t>(plan.steps.size());
}

// Every pair has i < kept_columns. If the last coordinate alone has no column, no pair is dropped.
inline std::int64_t kept_columns(const Schedule& schedule) {
  return schedule.columns() + 1 >= schedule.n() ? schedule.n() : schedule.columns();
}

// Row k is coordinate k.
inline void set_identity_rows(Plan& plan, std::int64_t n) {
  plan.rows = row_blocks_of(n) * kRowBlock;
  plan.coordinate_of_row.resize(at(plan.rows), -1);
  for (std::int64_t k = 0; k < n; ++k) plan.coordinate_of_row[at(k)] = narrow(k);
}

// Appends a step of a block, whose rotations are numbered on from the steps before it.
inline void add_block(Plan& plan, Pattern pattern, AngleMap angle_map, std::int64_t a,
                      std::int64_t b, std::int64_t angle, std::int64_t step_k = 0,
                      std::int64_t step_l = 0) {
  const int count = pattern == Pattern::diagonal_block ? kDiagonalBlockRotations : kBlockRotations;
  plan.steps.push_back({pattern, angle_map, narrow(a), narrow(b), count, plan.rotations, angle,
                        narrow(step_k), narrow(step_l)});
  plan.rotations += count;
}

// Appends a step of `count` pairs, if any, from pair `first` on, whose angles are in
// Plan::angle_indices from `angle` on.
inline void add_pairs(Plan& plan, std::int64_t first, std::int64_t count, std::int64_t angle) {
  if (count == 0) return;
  plan.steps.push_back(
      {Pattern::pairs, AngleMap::gather, narrow(first), 0, narrow(count), plan.rotations, angle});
  plan.rotations += count;
}

// One merge level over all rows, for plans that know no block structure.
inline void add_single_merge_level(Plan& plan) {
  plan.merge_levels.push_back({std::max<std::int64_t>(plan.rows, 1), {0, num_steps(plan)}});
}

// Sets Plan::butterfly, if the schedule has butterfly rounds only and its plan has steps of pairs
// alone. Rounds of a few pairs each are left to the steps.
void find_butterfly_rounds(Plan& plan, const Schedule& schedule);

}  // namespace givens::planning
