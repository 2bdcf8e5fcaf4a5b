// Finding the schedules that have butterfly rounds only.
#include "plan/builder.hpp"

namespace givens::planning {

namespace {

// The bit in which all pairs of a round differ, each from the coordinate without it to the one with
// it, or -1.
int bit_of(const std::vector<Pair>& pairs) {
  if (pairs.empty()) return -1;
  const std::int32_t distance = pairs[0].i ^ pairs[0].j;
  if ((distance & (distance - 1)) != 0) return -1;
  for (const Pair& pair : pairs) {
    if ((pair.i ^ pair.j) != distance) return -1;
  }
  int bit = 0;
  while ((std::int32_t{1} << bit) < distance) ++bit;
  return bit;
}

}  // namespace

void find_butterfly_rounds(Plan& plan, const Schedule& schedule) {
  const std::int64_t n = schedule.n();
  const std::int64_t rounds = schedule.num_rounds();
  // At least every fourth coordinate has a rotation in a round.
  if (rounds == 0 || 8 * schedule.num_rotations() < n * rounds) return;
  // The plan's number of each rotation of the schedule.
  std::vector<std::int32_t> place(at(schedule.num_rotations()));
  for (std::size_t k = 0; k < plan.angle_indices.size(); ++k) {
    place[at(plan.angle_indices[k])] = narrow(static_cast<std::int64_t>(k));
  }
  ButterflyRounds found;
  found.rotations.resize(at(n * rounds), -1);
  const std::vector<std::int64_t>& offsets = schedule.round_offsets();
  for (std::int64_t r = 0; r < rounds; ++r) {
    const std::vector<Pair> pairs = schedule.round(r);
    found.bits.push_back(bit_of(pairs));
    if (found.bits.back() < 0) return;
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const std::int32_t rotation = place[at(offsets[at(r)]) + k];
      for (const std::int32_t coordinate : {pairs[k].i, pairs[k].j}) {
        found.rotations[at(r * n + coordinate)] = rotation;
      }
    }
    found.gaps = found.gaps || 2 * static_cast<std::int64_t>(pairs.size()) < n;
  }
  plan.butterfly = std::move(found);
}

}  // namespace givens::planning
