// What the searches for rotations share: rounds of rotations, and the schedule that they make.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "few_rotations/rotation.hpp"
#include "givens/jacobi.hpp"
#include "givens/schedule.hpp"

namespace givens::few_rotations {

// The rotations of each round, which are of disjoint pairs.
using Rounds = std::vector<std::vector<Rotation>>;

// No schedule has more rotations or rounds.
inline constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

// A limit that a caller may have set, which has been checked.
inline std::optional<std::int64_t> bounded(const std::optional<std::int64_t>& limit) {
  return limit ? std::optional(std::min(*limit, kMost)) : std::nullopt;
}

// How many rotations the next round takes, if those that are left are spread evenly.
inline std::int64_t share(std::int64_t rotations, std::int64_t rounds) {
  return (rotations + rounds - 1) / rounds;
}

// The same rotations, each in the earliest round that their order permits.
inline Rounds in_earliest_rounds(std::int64_t n, const Rounds& rounds) {
  std::vector<std::size_t> next(static_cast<std::size_t>(n), 0);  // the first round that is free
  Rounds out;
  for (const std::vector<Rotation>& round : rounds) {
    for (const Rotation& rotation : round) {
      std::size_t& i = next[static_cast<std::size_t>(rotation.pair.i)];
      std::size_t& j = next[static_cast<std::size_t>(rotation.pair.j)];
      const std::size_t r = std::max(i, j);
      if (r == out.size()) out.emplace_back();
      out[r].push_back(rotation);
      i = j = r + 1;
    }
  }
  return out;
}

inline Schedule schedule_of(std::int64_t n, const Rounds& rounds) {
  std::vector<std::vector<Schedule::RequestedPair>> pairs;
  for (const std::vector<Rotation>& round : rounds) {
    auto& requested = pairs.emplace_back();
    for (const Rotation& rotation : round) {
      requested.push_back({rotation.pair.i, rotation.pair.j});
    }
  }
  return Schedule::from_rounds(n, pairs);
}

// Appends the angles and, for complex T, the phases of rotations.
template <class T>
void append(const std::vector<Rotation>& rotations, FoundRotations<real_t<T>>& to) {
  for (const Rotation& rotation : rotations) {
    to.angles.push_back(static_cast<real_t<T>>(rotation.angle));
    if constexpr (is_complex_v<T>) to.phases.push_back(static_cast<real_t<T>>(rotation.phase));
  }
}
template <class T>
void append(const Rounds& rounds, FoundRotations<real_t<T>>& to) {
  for (const std::vector<Rotation>& round : rounds) append<T>(round, to);
}

}  // namespace givens::few_rotations
