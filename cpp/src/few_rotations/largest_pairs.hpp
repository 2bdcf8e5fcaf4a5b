// The pairs of coordinates with the largest scores, where scores change a coordinate at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "few_rotations/rotation.hpp"
#include "givens/schedule.hpp"

namespace givens::few_rotations {

// Keeps for each coordinate a bound of its scores, and the partner that attains it where that is
// known. Only where a bound is the largest of all must its row be searched.
class LargestPairs {
 public:
  // All scores are 0.
  explicit LargestPairs(std::int64_t n)
      : scores_(n),
        bounds_(static_cast<std::size_t>(n), 0.0),
        partners_(static_cast<std::size_t>(n), kUnknown) {}

  // Sets the score of i and k to score(k), at least 0, for every k other than i. Cost: O(n).
  template <class Score>
  void set(std::int64_t i, const Score& score) {
    const std::int64_t n = scores_.n();
    for (std::int64_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double value = score(k);
      scores_(i, k) = value;
      scores_(k, i) = value;
      const auto at = static_cast<std::size_t>(k);
      if (value > bounds_[at]) {
        bounds_[at] = value;
        partners_[at] = i;
      } else if (partners_[at] == i && value < bounds_[at]) {
        partners_[at] = kUnknown;
      }
    }
    search(i, bounds_, partners_, [](std::int64_t) { return true; });
  }

  // The largest score; 0 if there are no pairs.
  double largest() {
    while (true) {
      const std::int64_t i = argmax(bounds_);
      if (i < 0) return 0;
      const auto at = static_cast<std::size_t>(i);
      if (partners_[at] != kUnknown || bounds_[at] == 0) return bounds_[at];
      search(i, bounds_, partners_, [](std::int64_t) { return true; });
    }
  }

  // At most `count` disjoint pairs with scores above 0: each has the largest score that those
  // before it leave.
  std::vector<Pair> take(std::int64_t count) {
    std::vector<Pair> pairs;
    largest();
    std::vector<double> bounds = bounds_;
    std::vector<std::int64_t> partners = partners_;
    std::vector<bool> taken(bounds.size(), false);
    while (static_cast<std::int64_t>(pairs.size()) < count) {
      const std::int64_t i = argmax(bounds);
      if (i < 0 || bounds[static_cast<std::size_t>(i)] <= 0) break;
      const std::int64_t j = partners[static_cast<std::size_t>(i)];
      if (j == kUnknown || taken[static_cast<std::size_t>(j)]) {
        search(i, bounds, partners,
               [&](std::int64_t k) { return !taken[static_cast<std::size_t>(k)]; });
        continue;
      }
      pairs.push_back(
          {static_cast<std::int32_t>(std::min(i, j)), static_cast<std::int32_t>(std::max(i, j))});
      for (const std::int64_t k : {i, j}) {
        taken[static_cast<std::size_t>(k)] = true;
        bounds[static_cast<std::size_t>(k)] = -1;
      }
    }
    return pairs;
  }

 private:
  static constexpr std::int64_t kUnknown = -1;

  static std::int64_t argmax(const std::vector<double>& values) {
    if (values.empty()) return -1;
    return std::max_element(values.begin(), values.end()) - values.begin();
  }

  // Finds the bound of i that is attained by a partner that is allowed; 0 if there is none.
  template <class Allowed>
  void search(std::int64_t i, std::vector<double>& bounds, std::vector<std::int64_t>& partners,
              const Allowed& allowed) const {
    double largest = 0;
    std::int64_t partner = kUnknown;
    for (std::int64_t k = 0; k < scores_.n(); ++k) {
      if (scores_(i, k) > largest && k != i && allowed(k)) {
        largest = scores_(i, k);
        partner = k;
      }
    }
    bounds[static_cast<std::size_t>(i)] = largest;
    partners[static_cast<std::size_t>(i)] = partner;
  }

  SquareMatrix<double> scores_;  // symmetric
  std::vector<double> bounds_;
  std::vector<std::int64_t> partners_;
};

}  // namespace givens::few_rotations
