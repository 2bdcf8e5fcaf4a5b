// Which columns of the identity the rotations of a plan can make nonzero in which rows: at first a
// column has a single nonzero row, and a rotation spreads nonzeros between its own two rows only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace givens {

// The bits of a ColumnMask stand for this many successive reals of a panel's row each, a whole
// number of vector packs of every engine. A panel has at most 8 times as many reals in a row.
inline constexpr std::int64_t kMaskedReals = 32;

using ColumnMask = std::uint8_t;

// Calls body(first, last) for each run of reals first .. last - 1, among the `width` of a row, that
// are in `mask`.
template <class Body>
[[gnu::always_inline]] inline void for_each_run(ColumnMask mask, std::int64_t width, Body&& body) {
  const auto has = [mask](int bit) { return (mask >> bit & 1) != 0; };
  for (int last = 0; mask >> last != 0;) {
    int first = last;
    while (!has(first)) ++first;
    last = first;
    while (has(last)) ++last;
    body(first * kMaskedReals, std::min(last * kMaskedReals, width));
  }
}

// The columns of a panel of U that each step must rotate, on the way from the columns of the
// identity. In the other columns the rows of the step are zero before and after it, so that neither
// U nor, on the way back, gradients need the step. Columns that a step rotates are rotated by all
// later steps of the same rows.
class NonzeroStructure {
 public:
  // Whether finding the structure pays. Where it does not, every step rotates all columns: columns
  // of small matrices soon reach all rows, and merge levels say the same at no cost.
  static bool pays(const Plan& plan) {
    return plan.merge_levels.size() == 1 && plan.row_of_coordinate.size() >= 256;
  }

  // Column k of the panel is column `coordinates[k]` of U, with `reals` reals in a row.
  void find(const Plan& plan, const std::int32_t* coordinates, std::int64_t columns,
            std::int64_t reals);

  // The columns that a step rotates; for a step of pairs, the columns that any of its pairs does.
  ColumnMask rotated_by(std::int64_t step) const {
    return step < steps_known() ? rotated_[static_cast<std::size_t>(step)] : all_;
  }

  // The columns that each pair of a step of pairs rotates; null: all columns.
  const ColumnMask* rotated_by_pairs(const Plan& plan, std::int64_t step) const {
    if (step >= steps_known()) return nullptr;
    return rotated_by_pair_.data() + plan.steps[static_cast<std::size_t>(step)].a;
  }

 private:
  std::int64_t steps_known() const { return static_cast<std::int64_t>(rotated_.size()); }

  ColumnMask all_ = 0;
  std::vector<ColumnMask> rotated_;  // up to the step from which on all columns are rotated
  std::vector<ColumnMask> rotated_by_pair_;
  std::vector<ColumnMask> rows_;  // for each row, the columns in which it is not zero
};

}  // namespace givens
