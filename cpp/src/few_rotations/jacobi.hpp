// Jacobi's method, by the largest pairs or by the rounds of a schedule. The rotations are given in
// the order in which they are found, J_0 first: A ~ U diag(..) U^H with U = J_0 J_1 ...
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "few_rotations/diagonalisation.hpp"
#include "few_rotations/found.hpp"
#include "few_rotations/largest_pairs.hpp"
#include "few_rotations/rotation.hpp"
#include "givens/schedule.hpp"

namespace givens::few_rotations {

// When to stop, whichever comes first. The tolerance is of the off-diagonal norm relative to the
// norm of all entries. Rotations of several matrices, which may have no common eigenvectors, end
// also where none lowers the square of the off-diagonal norm by more than the tolerance's square.
struct Limits {
  std::int64_t rotations;
  std::optional<std::int64_t> rounds;
  double tolerance;
};

// Each rotation takes the pair with the largest gain; with a number of rounds each round takes the
// largest disjoint pairs. `converged` says whether the tolerance ended it.
template <class F>
Rounds largest_first(Diagonalisation<F>& a, const Limits& limits, bool& converged) {
  const std::int64_t n = a.n();
  LargestPairs pairs(n);
  const auto update = [&](std::int64_t i) {
    pairs.set(i, [&](std::int64_t k) { return a.gain(i, k); });
  };
  for (std::int64_t i = 0; i < n; ++i) update(i);

  const double allowed = limits.tolerance * limits.tolerance * a.sum_of_squares();
  const double negligible = a.matrices().size() > 1 ? allowed : 0;
  // The sum is lowered with every rotation, and computed anew before roundings matter.
  double computed = a.off_diagonal();
  double off = computed;
  std::int64_t left =
      limits.rounds ? std::min(limits.rotations, *limits.rounds * (n / 2)) : limits.rotations;
  std::int64_t rounds = limits.rounds.value_or(left);
  Rounds found;
  while (true) {
    if (off <= std::max(allowed, computed / 4)) off = computed = a.off_diagonal();
    converged = off <= allowed || pairs.largest() <= negligible;
    if (converged || left == 0 || rounds == 0) return found;
    std::vector<Rotation> round;
    for (const Pair& pair : pairs.take(share(left, rounds--))) {
      off -= a.gain(pair.i, pair.j);
      round.push_back(a.best(pair));
    }
    a.rotate(round);
    for (const Rotation& rotation : round) {
      update(rotation.pair.i);
      update(rotation.pair.j);
    }
    left -= static_cast<std::int64_t>(round.size());
    found.push_back(std::move(round));
  }
}

// The rounds of a schedule from the last to the first, again and again, so that the schedule of U
// is the given one, repeated, or the end of that. `converged` says whether the tolerance ended it.
template <class F>
Rounds by_schedule(Diagonalisation<F>& a, const Schedule& schedule, const Limits& limits,
                   bool& converged) {
  const double allowed = limits.tolerance * limits.tolerance * a.sum_of_squares();
  const bool joint = a.matrices().size() > 1;
  std::vector<std::vector<Pair>> rounds;
  for (std::int64_t r = schedule.num_rounds(); r-- > 0;) rounds.push_back(schedule.round(r));
  Rounds found;
  std::int64_t left = limits.rotations;
  while (true) {
    converged = a.off_diagonal() <= allowed;
    if (converged) return found;
    bool gains = false;
    const std::size_t first = found.size();
    for (const std::vector<Pair>& pairs : rounds) {
      if (left == 0 || static_cast<std::int64_t>(found.size()) == limits.rounds) return found;
      const auto count = std::min(left, static_cast<std::int64_t>(pairs.size()));
      std::vector<Rotation> round;
      for (auto pair = pairs.end() - count; pair != pairs.end(); ++pair) {
        const bool turns = !joint || a.gain(pair->i, pair->j) > allowed;
        round.push_back(turns ? a.best(*pair) : Rotation{*pair, 0, 0});
        gains = gains || turns;
      }
      a.rotate(round);
      left -= count;
      found.push_back(std::move(round));
    }
    converged = !gains;
    if (converged) {
      found.resize(first);
      return found;
    }
  }
}

}  // namespace givens::few_rotations
