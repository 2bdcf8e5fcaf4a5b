// The plan of one pass of butterfly: the rounds of xor that join neighbouring blocks. Row k is
// coordinate k.
#include <algorithm>
#include <utility>

#include "plan/builder.hpp"
#include "plan/planners.hpp"

namespace givens::planning {

namespace {

// The rounds within blocks of this many rows are applied block by block, in steps of 16 pairs.
constexpr std::int64_t kFirstBlock = 32;

}  // namespace

Plan plan_butterfly(const Schedule& schedule) {
  if (schedule.passes() != 1) return plan_rounds(schedule);
  const std::int64_t n = schedule.n();
  const std::int64_t rounds = schedule.num_rounds();
  const std::vector<std::int64_t>& offsets = schedule.round_offsets();
  Plan plan;
  set_identity_rows(plan, n);
  plan.row_pairs.reserve(at(schedule.num_rotations()));
  plan.angle_indices.reserve(at(schedule.num_rotations()));
  // The first level has all rounds within its blocks, the others have one round each.
  std::int64_t r = 0;
  for (std::int64_t block = kFirstBlock; block == kFirstBlock || r < rounds; block *= 2) {
    const std::int64_t first_round = r;
    while (r < rounds && std::int64_t{2} << r <= block) ++r;
    MergeLevel level{block, {num_steps(plan)}};
    for (std::int64_t start = 0; start < plan.rows; start += block) {
      for (std::int64_t round = first_round; round < r; ++round) {
        const std::int64_t h = std::int64_t{1} << round;
        const auto first_pair = static_cast<std::int64_t>(plan.row_pairs.size());
        std::int64_t angle = offsets[at(round)] + start / 2;
        for (std::int64_t base = start; base < std::min(start + block, n); base += 2 * h) {
          for (std::int64_t i = base; i < std::min(base + h, n - h); ++i) {
            plan.row_pairs.push_back({narrow(i), narrow(i + h)});
            plan.angle_indices.push_back(narrow(angle + i - base));
          }
          angle += h;
        }
        const auto end = static_cast<std::int64_t>(plan.row_pairs.size());
        add_pairs(plan, first_pair, end - first_pair, first_pair);
      }
      level.first.push_back(num_steps(plan));
    }
    plan.merge_levels.push_back(std::move(level));
  }
  find_butterfly_rounds(plan, schedule);
  return plan;
}

}  // namespace givens::planning
