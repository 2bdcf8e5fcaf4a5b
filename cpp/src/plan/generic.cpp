// The plan of any schedule: a step of pairs for each round.
#include "plan/builder.hpp"
#include "plan/planners.hpp"

namespace givens::planning {

Plan plan_rounds(const Schedule& schedule) {
  Plan plan;
  set_identity_rows(plan, schedule.n());
  const std::vector<Pair> pairs = schedule.pairs();
  plan.row_pairs.reserve(pairs.size());
  plan.angle_indices.resize(pairs.size());
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    plan.row_pairs.push_back({pairs[k].i, pairs[k].j});
    plan.angle_indices[k] = static_cast<std::int32_t>(k);
  }
  const std::vector<std::int64_t>& offsets = schedule.round_offsets();
  plan.steps.reserve(offsets.size() - 1);
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    add_pairs(plan, offsets[r], offsets[r + 1] - offsets[r], offsets[r]);
  }
  add_single_merge_level(plan);
  return plan;
}

}  // namespace givens::planning
