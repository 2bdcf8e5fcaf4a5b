#include "plan/nonzeros.hpp"

#include <cstring>

namespace givens {

namespace {

// The rows of a group at once.
using GroupParts = std::uint64_t;
static_assert(sizeof(GroupParts) == kGroup * sizeof(Parts));

GroupParts in_each_row(Parts parts) { return parts * GroupParts{0x0101010101010101}; }

Parts in_any_row(GroupParts rows) {
  rows |= rows >> 32;
  rows |= rows >> 16;
  return static_cast<Parts>(rows | rows >> 8);
}

}  // namespace

void Reach::find(const Plan& plan, const std::int32_t* coordinates, std::int64_t columns,
                 std::int64_t reals) {
  const std::int64_t parts = (columns * reals + kPartReals - 1) / kPartReals;
  all_ = static_cast<Parts>((1 << parts) - 1);
  turned_.clear();
  const auto& slot_of_coordinate = plan.slot_of_coordinate;
  turned_by_pair_.resize(plan.pair_slots.size());
  rows_.assign(static_cast<std::size_t>(plan.slots), 0);
  Parts* const rows = rows_.data();
  for (std::int64_t k = 0; k < columns; ++k) {
    const std::int32_t slot = slot_of_coordinate[static_cast<std::size_t>(coordinates[k])];
    rows[slot] = static_cast<Parts>(rows[slot] | 1 << k * reals / kPartReals);
  }
  const auto all_is_reached = [&] {
    bool all = true;
    for (const std::int32_t slot : slot_of_coordinate) all = all && rows[slot] == all_;
    return all;
  };
  constexpr std::int64_t kStepsAtOnce = 128;
  const auto steps = static_cast<std::int64_t>(plan.steps.size());
  for (std::int64_t k = 0; k < steps; ++k) {
    if (k % kStepsAtOnce == 0 && all_is_reached()) return;
    const Step& step = plan.steps[static_cast<std::size_t>(k)];
    Parts turned = 0;
    if (step.pattern == Pattern::pairs) {
      for (std::int32_t e = step.a; e < step.a + step.count; ++e) {
        const SlotPair& pair = plan.pair_slots[static_cast<std::size_t>(e)];
        const auto of_pair = static_cast<Parts>(rows[pair.i] | rows[pair.j]);
        rows[pair.i] = rows[pair.j] = turned_by_pair_[static_cast<std::size_t>(e)] = of_pair;
        turned = static_cast<Parts>(turned | of_pair);
      }
    } else {
      Parts* const rows_a = rows + step.a;
      Parts* const rows_b = rows + (is_tile(step.pattern) ? step.b : step.a);
      GroupParts a, b;
      std::memcpy(&a, rows_a, sizeof a);
      std::memcpy(&b, rows_b, sizeof b);
      turned = in_any_row(a | b);
      const GroupParts after = in_each_row(turned);
      std::memcpy(rows_a, &after, sizeof after);
      std::memcpy(rows_b, &after, sizeof after);
    }
    turned_.push_back(turned);
  }
}

}  // namespace givens
