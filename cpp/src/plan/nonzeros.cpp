#include "plan/nonzeros.hpp"

#include <cstring>

namespace givens {

namespace {

// The masks of the eight rows of a row block.
using RowBlockMask = std::uint64_t;
static_assert(sizeof(RowBlockMask) == kRowBlock * sizeof(ColumnMask));

RowBlockMask in_each_row(ColumnMask mask) { return mask * RowBlockMask{0x0101010101010101}; }

ColumnMask in_any_row(RowBlockMask rows) {
  rows |= rows >> 32;
  rows |= rows >> 16;
  return static_cast<ColumnMask>(rows | rows >> 8);
}

}  // namespace

void NonzeroStructure::find(const Plan& plan, const std::int32_t* coordinates, std::int64_t columns,
                            std::int64_t reals) {
  const std::int64_t bits = (columns * reals + kMaskedReals - 1) / kMaskedReals;
  all_ = static_cast<ColumnMask>((1 << bits) - 1);
  rotated_.clear();
  const auto& row_of_coordinate = plan.row_of_coordinate;
  rotated_by_pair_.resize(plan.row_pairs.size());
  rows_.assign(static_cast<std::size_t>(plan.rows), 0);
  ColumnMask* const rows = rows_.data();
  for (std::int64_t k = 0; k < columns; ++k) {
    const std::int32_t row = row_of_coordinate[static_cast<std::size_t>(coordinates[k])];
    rows[row] = static_cast<ColumnMask>(rows[row] | 1 << k * reals / kMaskedReals);
  }
  const auto all_is_reached = [&] {
    bool all = true;
    for (const std::int32_t row : row_of_coordinate) all = all && rows[row] == all_;
    return all;
  };
  constexpr std::int64_t kStepsAtOnce = 128;
  const auto steps = static_cast<std::int64_t>(plan.steps.size());
  for (std::int64_t k = 0; k < steps; ++k) {
    if (k % kStepsAtOnce == 0 && all_is_reached()) return;
    const Step& step = plan.steps[static_cast<std::size_t>(k)];
    ColumnMask rotated = 0;
    if (step.pattern == Pattern::pairs) {
      for (std::int32_t e = step.a; e < step.a + step.count; ++e) {
        const RowPair& pair = plan.row_pairs[static_cast<std::size_t>(e)];
        const auto of_pair = static_cast<ColumnMask>(rows[pair.i] | rows[pair.j]);
        rows[pair.i] = rows[pair.j] = rotated_by_pair_[static_cast<std::size_t>(e)] = of_pair;
        rotated = static_cast<ColumnMask>(rotated | of_pair);
      }
    } else {
      ColumnMask* const rows_a = rows + step.a;
      ColumnMask* const rows_b = rows + (is_rotation_block(step.pattern) ? step.b : step.a);
      RowBlockMask a, b;
      std::memcpy(&a, rows_a, sizeof a);
      std::memcpy(&b, rows_b, sizeof b);
      rotated = in_any_row(a | b);
      const RowBlockMask after = in_each_row(rotated);
      std::memcpy(rows_a, &after, sizeof after);
      std::memcpy(rows_b, &after, sizeof after);
    }
    rotated_.push_back(rotated);
  }
}

}  // namespace givens
