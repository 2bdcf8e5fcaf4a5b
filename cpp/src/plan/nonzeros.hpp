// Which columns of the identity the rotations of a plan reach: at first each has a single row that
// is not zero, and a rotation spreads only what its own two rows have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens {

// The reals of a panel's row in parts of this many, whole segments of every kind; at most 8 parts.
inline constexpr std::int64_t kMaskedReals = 32;

// ColumnMask, a bit each.
using ColumnMask = std::uint8_t;

// Calls body(first, last) for the reals, of `width` in a row, that are in `parts`: those that
// follow one another together.
template <class Body>
[[gnu::always_inline]] inline void for_each_run(ColumnMask parts, std::int64_t width, Body&& body) {
  const auto has = [parts](int part) { return (parts >> part & 1) != 0; };
  for (int last = 0; parts >> last != 0;) {
    int first = last;
    while (!has(first)) ++first;
    last = first;
    while (has(last)) ++last;
    body(first * kMaskedReals, std::min(last * kMaskedReals, width));
  }
}

// The parts of a panel of U's columns that each step turns, on the way from the identity's columns.
// In the others the step's rows are zero before and after it, so that neither U nor, on the way
// back, gradients need it. A part that a step turns is turned by all later steps of the same rows.
class NonzeroStructure {
 public:
  // Whether it pays to find it. Where it does not, every step turns all: columns of small matrices
  // soon reach all rows, and the merge_levels of a plan say the same for less.
  static bool pays(const Plan& plan) {
    return plan.merge_levels.size() == 1 && plan.row_of_coordinate.size() >= 256;
  }

  // Column k of the panel is column `coordinates[k]` of U, with `reals` reals in a row.
  void find(const Plan& plan, const std::int32_t* coordinates, std::int64_t columns,
            std::int64_t reals);

  // Those of any of its pairs, if it is a step of pairs.
  ColumnMask rotated_by(std::int64_t step) const {
    return step < steps_known() ? rotated_[static_cast<std::size_t>(step)] : all_;
  }

  // Those of each pair of a step of pairs; null: all parts.
  const ColumnMask* rotated_by_pairs(const Plan& plan, std::int64_t step) const {
    if (step >= steps_known()) return nullptr;
    return rotated_by_pair_.data() + plan.steps[static_cast<std::size_t>(step)].a;
  }

 private:
  std::int64_t steps_known() const { return static_cast<std::int64_t>(rotated_.size()); }

  ColumnMask all_ = 0;
  std::vector<ColumnMask> rotated_;  // up to the step from which on each turns all parts
  std::vector<ColumnMask> rotated_by_pair_;
  std::vector<ColumnMask> rows_;  // by slot: the parts in which it is not zero
};

}  // namespace givens
