// What the choice of rotations is made of, against plain loops and identities.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "few_rotations/diagonalisation.hpp"
#include "few_rotations/found.hpp"
#include "few_rotations/largest_pairs.hpp"
#include "random.hpp"

namespace {

using givens::Pair;
using givens::few_rotations::LargestPairs;
using givens::few_rotations::Rotation;
using givens::few_rotations::Rounds;
using test::Random;

constexpr double kEps = std::numeric_limits<double>::epsilon();

using Scores = std::vector<std::vector<double>>;

// Each time the pair with the largest score above 0 of coordinates that are left.
std::vector<Pair> plainly_taken(const Scores& scores, std::int64_t count) {
  std::vector<Pair> pairs;
  std::vector<bool> taken(scores.size(), false);
  while (static_cast<std::int64_t>(pairs.size()) < count) {
    double largest = 0;
    Pair best;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      for (std::size_t j = i + 1; j < scores.size(); ++j) {
        if (taken[i] || taken[j] || scores[i][j] <= largest) continue;
        largest = scores[i][j];
        best = {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)};
      }
    }
    if (largest == 0) break;
    pairs.push_back(best);
    taken[static_cast<std::size_t>(best.i)] = taken[static_cast<std::size_t>(best.j)] = true;
  }
  return pairs;
}

}  // namespace

TEST_CASE("largest pairs: as by a search of all scores, after any changes") {
  Random random(71);
  for (const std::int64_t n : {0, 1, 2, 3, 5, 8, 13}) {
    CAPTURE(n);
    LargestPairs pairs(n);
    Scores scores(static_cast<std::size_t>(n), std::vector<double>(static_cast<std::size_t>(n)));
    CHECK(pairs.largest() == 0);
    CHECK(pairs.take(n).empty());
    for (int change = 0; change < (n > 0 ? 60 : 0); ++change) {
      const std::int64_t i = random.below(n);
      for (std::int64_t k = 0; k < n; ++k) {
        // Different numbers, many zeros, and less as time goes on, so that bounds become too large.
        const double value = k == i || random.below(3) == 0
                                 ? 0.0
                                 : (random.uniform() + 1) / static_cast<double>(1 + change % 20);
        scores[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)] = value;
        scores[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = value;
      }
      pairs.set(i, [&](std::int64_t k) {
        return scores[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
      });
      double largest = 0;
      for (const std::vector<double>& row : scores) {
        for (const double value : row) largest = std::max(largest, value);
      }
      for (const std::int64_t count : {std::int64_t{1}, std::int64_t{3}, n}) {
        CHECK(pairs.take(count) == plainly_taken(scores, count));
      }
      CHECK(pairs.largest() == largest);
    }
  }
}

TEST_CASE("principal direction: the eigenvector of the largest eigenvalue") {
  Random random(72);
  for (int repeat = 0; repeat < 200; ++repeat) {
    // Sums of squares of one to three directions, the first of which may be all there is.
    std::array<std::array<double, 3>, 3> g{};
    for (int k = 0; k <= repeat % 3; ++k) {
      const double small = repeat % 2 ? 1e-9 : 1;
      const std::array<double, 3> h{random.uniform(), small * random.uniform(),
                                    repeat % 5 ? small * random.uniform() : 0};
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 3; ++c) g[r][c] += h[r] * h[c];
      }
    }
    const std::array<double, 3> v = givens::few_rotations::principal_direction(g);
    CHECK(v[0] >= 0);
    const double trace = g[0][0] + g[1][1] + g[2][2];
    double norm = 0;
    double value = 0;
    std::array<double, 3> gv{};
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 3; ++c) gv[r] += g[r][c] * v[c];
      norm += v[r] * v[r];
      value += v[r] * gv[r];
    }
    // Ten sweeps of three rotations of a few roundings each.
    CHECK(std::abs(norm - 1) <= 100 * kEps);
    for (std::size_t r = 0; r < 3; ++r) CHECK(std::abs(gv[r] - value * v[r]) <= 100 * kEps * trace);
    // Not less than along any other direction.
    for (int other = 0; other < 5; ++other) {
      const std::array<double, 3> w{random.uniform(), random.uniform(), random.uniform()};
      double form = 0;
      double length = 0;
      for (std::size_t r = 0; r < 3; ++r) {
        length += w[r] * w[r];
        for (std::size_t c = 0; c < 3; ++c) form += w[r] * g[r][c] * w[c];
      }
      CHECK(form <= (value + 100 * kEps * trace) * length);
    }
  }
}

TEST_CASE("earliest rounds: the order of rotations that share a coordinate stays") {
  Random random(73);
  constexpr std::int64_t n = 9;
  Rounds given;
  for (int k = 0; k < 60; ++k) {
    const std::int64_t i = random.below(n - 1);
    const std::int64_t j = i + 1 + random.below(n - 1 - i);
    given.push_back({Rotation{
        {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)}, static_cast<double>(k), 0}});
  }
  const Rounds made = givens::few_rotations::in_earliest_rounds(n, given);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto of_coordinate = [i](const Rounds& rounds) {
      std::vector<double> out;
      for (const auto& round : rounds) {
        for (const Rotation& rotation : round) {
          if (rotation.pair.i == i || rotation.pair.j == i) out.push_back(rotation.angle);
        }
      }
      return out;
    };
    CHECK(of_coordinate(made) == of_coordinate(given));
  }
  // Disjoint pairs, or from_rounds would throw, and none could come earlier.
  CHECK(givens::few_rotations::schedule_of(n, made).num_rotations() == 60);
  for (std::size_t r = 1; r < made.size(); ++r) {
    for (const Rotation& rotation : made[r]) {
      CHECK(std::any_of(made[r - 1].begin(), made[r - 1].end(), [&](const Rotation& other) {
        const Pair a = rotation.pair;
        const Pair b = other.pair;
        return a.i == b.i || a.i == b.j || a.j == b.i || a.j == b.j;
      }));
    }
  }
}
