// The plan of any schedule: a step of pairs for each round. Where rotations never mix some groups
// of coordinates, one group goes through all rounds before the next: its rows then stay in the
// processor's cache.
#include <numeric>

#include "plan/builder.hpp"
#include "plan/planners.hpp"

namespace givens::planning {

namespace {

// Coordinates are taken together until a group has so many, so that steps are not too short.
constexpr std::int64_t kLeastGroup = 64;

// For each coordinate the number of its group; numbers rise from 0.
std::vector<std::int32_t> groups_of(std::int64_t n, const std::vector<Pair>& pairs) {
  std::vector<std::int32_t> parent(at(n));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::int32_t k) {
    while (parent[at(k)] != k) k = parent[at(k)] = parent[at(parent[at(k)])];
    return k;
  };
  for (const Pair& pair : pairs) {
    const std::int32_t i = root(pair.i);
    const std::int32_t j = root(pair.j);
    parent[at(std::max(i, j))] = std::min(i, j);
  }
  std::vector<std::int64_t> sizes(at(n), 0);
  for (std::int32_t k = 0; k < n; ++k) ++sizes[at(root(k))];
  std::vector<std::int32_t> group(at(n));
  std::int32_t last = 0;
  std::int64_t size = 0;
  for (std::int32_t k = 0; k < n; ++k) {
    if (root(k) != k) {
      group[at(k)] = group[at(root(k))];  // the root is the least
      continue;
    }
    if (size >= kLeastGroup) {
      ++last;
      size = 0;
    }
    group[at(k)] = last;
    size += sizes[at(k)];
  }
  return group;
}

}  // namespace

Plan plan_rounds(const Schedule& schedule) {
  Plan plan;
  set_identity_rows(plan, schedule.n());
  const std::vector<Pair> pairs = schedule.pairs();
  const std::vector<std::int32_t> group = groups_of(schedule.n(), pairs);
  // The rotations of a group, in order, and the round of each.
  const std::vector<std::int64_t>& offsets = schedule.round_offsets();
  std::vector<std::int32_t> round(pairs.size());
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    std::fill(round.begin() + offsets[r], round.begin() + offsets[r + 1],
              static_cast<std::int32_t>(r));
  }
  const auto group_of = [&](std::int32_t k) { return group[at(pairs[at(k)].i)]; };
  plan.angle_indices.resize(pairs.size());
  std::iota(plan.angle_indices.begin(), plan.angle_indices.end(), 0);
  std::stable_sort(plan.angle_indices.begin(), plan.angle_indices.end(),
                   [&](std::int32_t k, std::int32_t l) { return group_of(k) < group_of(l); });
  plan.row_pairs.reserve(pairs.size());
  for (const std::int32_t k : plan.angle_indices) {
    plan.row_pairs.push_back({pairs[at(k)].i, pairs[at(k)].j});
  }
  for (std::size_t first = 0, last = 0; first < pairs.size(); first = last) {
    const std::int32_t k = plan.angle_indices[first];
    while (last < pairs.size() && group_of(plan.angle_indices[last]) == group_of(k) &&
           round[at(plan.angle_indices[last])] == round[at(k)]) {
      ++last;
    }
    const auto from = static_cast<std::int64_t>(first);
    add_pairs(plan, from, static_cast<std::int64_t>(last) - from, from);
  }
  add_single_merge_level(plan);
  find_butterfly_rounds(plan, schedule);
  return plan;
}

}  // namespace givens::planning
