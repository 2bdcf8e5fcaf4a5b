// An orthogonal or unitary matrix as a product of few rotations and a diagonal matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "few_rotations/found.hpp"
#include "few_rotations/largest_pairs.hpp"
#include "few_rotations/rotation.hpp"

namespace givens::few_rotations {

// Q = G_1 G_2 .. G_m D, D diagonal, so that |U - Q|^2 = 2 n - 2 Re tr(R) with the rest
// R = G_m^H .. G_1^H U D^H. If D is complex it is always the best for the rotations, so that the
// diagonal of R is real and at least 0. If it is real it has the determinant of U: with the other
// one an error of 2 would be left, however many the rotations.
template <class F>
class Approximation {
 public:
  explicit Approximation(SquareMatrix<F> U)
      : rest_(std::move(U)),
        diagonal_(static_cast<std::size_t>(rest_.n()), F(1)),
        pairs_(rest_.n()) {
    for (std::int64_t i = 0; i < n(); ++i) choose_diagonal(i);
    if constexpr (!is_complex_v<F>) {
      if (determinant_is_negative(rest_)) flip(smallest());
    }
    update_all();
  }

  std::int64_t n() const { return rest_.n(); }
  const std::vector<Rotation>& rotations() const { return rotations_; }
  const std::vector<F>& diagonal() const { return diagonal_; }
  double trace() const {
    double sum = 0;
    for (std::int64_t i = 0; i < n(); ++i) sum += std::real(rest_(i, i));
    return sum;
  }

  // The most that a rotation can add to the trace.
  double largest_gain() { return pairs_.largest(); }

  // A way out where no rotation raises the trace, as R is Hermitian, but is not the identity:
  // I - 2 P, P a projection. Turns the sign of the entry of D where P is largest. A real D needs a
  // second one, where the rest of P is largest once the first is projected out.
  void kick() {
    const std::int64_t first = smallest();
    std::int64_t second = first;
    if constexpr (!is_complex_v<F>) {
      double largest = -1;
      for (std::int64_t i = 0; i < n(); ++i) {
        const double left =
            (1 - rest_(first, first)) * (1 - rest_(i, i)) - rest_(first, i) * rest_(first, i);
        if (i != first && left > largest) {
          largest = left;
          second = i;
        }
      }
      flip(second);
    }
    flip(first);
    update_all();
    // The next rotation must not be by pi, which would undo this.
    pairs_.set(first, [&](std::int64_t k) { return k == second ? 0 : gain(first, k); });
  }

  // Appends at most `count` rotations of disjoint pairs, each of which raises the trace most.
  // Returns how many; none if no rotation raises it.
  std::int64_t grow(std::int64_t count) {
    const std::vector<Pair> pairs = pairs_.take(count);
    for (const Pair& pair : pairs) {
      rotations_.push_back(best(rest_, pair));
      rest_.rotate_rows_back(rotations_.back());
      if constexpr (is_complex_v<F>) {
        choose_diagonal(pair.i);
        choose_diagonal(pair.j);
      }
    }
    for (const Pair& pair : pairs) {
      update(pair.i);
      update(pair.j);
    }
    return static_cast<std::int64_t>(pairs.size());
  }

  // Chooses each angle and phase anew, from the last rotation to the first and back, so that the
  // trace is as large as it can be with the others as they are.
  void refine() {
    const std::size_t count = rotations_.size();
    if (count == 0) return;
    // Re tr(G_l^H N) is the trace, with N = G_{l-1}^H .. G_1^H U D^H G_m^H .. G_{l+1}^H.
    SquareMatrix<F>& N = rest_;
    N.rotate_rows(rotations_.back());
    for (std::size_t l = count - 1; l > 0; --l) {
      rotations_[l] = best(N, rotations_[l].pair);
      N.rotate_rows(rotations_[l - 1]);
      N.rotate_columns_back(rotations_[l]);
    }
    rotations_[0] = best(N, rotations_[0].pair);
    for (std::size_t l = 1; l < count; ++l) {
      N.rotate_rows_back(rotations_[l - 1]);
      N.rotate_columns(rotations_[l]);
      rotations_[l] = best(N, rotations_[l].pair);
    }
    N.rotate_rows_back(rotations_.back());
    if constexpr (is_complex_v<F>) {
      for (std::int64_t i = 0; i < n(); ++i) choose_diagonal(i);
    }
    update_all();
  }

 private:
  // What a rotation by t adds to the trace is (cos t - 1) times the first and sin t times the size
  // of the second, if the rotation has the phase of the second.
  static double along(const SquareMatrix<F>& a, const Pair& pair) {
    return std::real(a(pair.i, pair.i)) + std::real(a(pair.j, pair.j));
  }
  static F across(const SquareMatrix<F>& a, const Pair& pair) {
    return a(pair.j, pair.i) - conjugate(a(pair.i, pair.j));
  }

  static Rotation best(const SquareMatrix<F>& a, const Pair& pair) {
    const F b = across(a, pair);
    if constexpr (is_complex_v<F>) {
      return {pair, std::atan2(std::abs(b), along(a, pair)), std::arg(b)};
    } else {
      return {pair, std::atan2(b, along(a, pair)), 0};
    }
  }

  double gain(std::int64_t i, std::int64_t k) const {
    const Pair pair{static_cast<std::int32_t>(i), static_cast<std::int32_t>(k)};
    const double a = along(rest_, pair);
    const double b = std::norm(across(rest_, pair));
    // The length of (a, sqrt b) less a.
    const double length = std::sqrt(a * a + b);
    return a > 0 ? b / (length + a) : length - a;
  }

  // By elimination, of an orthogonal matrix.
  static bool determinant_is_negative(SquareMatrix<double> a) {
    bool negative = false;
    for (std::int64_t c = 0; c < a.n(); ++c) {
      std::int64_t pivot = c;
      for (std::int64_t r = c + 1; r < a.n(); ++r) {
        if (std::abs(a(r, c)) > std::abs(a(pivot, c))) pivot = r;
      }
      if (pivot != c) std::swap_ranges(a.row(c), a.row(c) + a.n(), a.row(pivot));
      negative = negative != ((pivot != c) != (a(c, c) < 0));
      for (std::int64_t r = c + 1; r < a.n(); ++r) {
        const double factor = a(r, c) / a(c, c);
        for (std::int64_t k = c; k < a.n(); ++k) a(r, k) -= factor * a(c, k);
      }
    }
    return negative;
  }

  std::int64_t smallest() const {
    std::int64_t found = 0;
    for (std::int64_t i = 1; i < n(); ++i) {
      if (std::real(rest_(i, i)) < std::real(rest_(found, found))) found = i;
    }
    return found;
  }

  void choose_diagonal(std::int64_t i) {
    const double size = std::abs(rest_(i, i));
    if (size > 0) turn_diagonal(i, rest_(i, i) / size);
  }
  void flip(std::int64_t i) { turn_diagonal(i, F(-1)); }
  void turn_diagonal(std::int64_t i, const F& turn) {
    if (turn == F(1)) return;
    for (std::int64_t k = 0; k < n(); ++k) rest_(k, i) = product(rest_(k, i), conjugate(turn));
    F& d = diagonal_[static_cast<std::size_t>(i)];
    d = product(d, turn);
  }

  void update(std::int64_t i) {
    pairs_.set(i, [&](std::int64_t k) { return gain(i, k); });
  }
  void update_all() {
    for (std::int64_t i = 0; i < n(); ++i) update(i);
  }

  SquareMatrix<F> rest_;
  std::vector<F> diagonal_;
  std::vector<Rotation> rotations_;
  LargestPairs pairs_;
};

// How an orthogonal or unitary matrix is approximated.
struct ApproximationLimits {
  std::int64_t rotations;
  std::optional<std::int64_t> rounds;
  std::int64_t sweeps;  // of `refine`, each time that the rotations have grown by 1/32
};

// A product Q = G_1 G_2 .. D, with the rotations by the rounds in which they were found.
template <class F>
struct Product {
  Rounds rounds;
  std::vector<F> diagonal;
};

// What is found for more rotations begins with what is found for fewer, unless there is a number of
// rounds, so that the error never grows with the rotations.
template <class F>
Product<F> approximate(SquareMatrix<F> U, const ApproximationLimits& limits) {
  const std::int64_t n = U.n();
  std::int64_t left =
      limits.rounds ? std::min(limits.rotations, *limits.rounds * (n / 2)) : limits.rotations;
  std::int64_t rounds = limits.rounds.value_or(left);
  Approximation<F> found(std::move(U));
  std::optional<Approximation<F>> before_kick;
  std::vector<std::int64_t> sizes;  // of the rounds
  std::size_t next_sweep = 0;
  const auto size = static_cast<double>(n);
  while (left > 0 && rounds > 0) {
    const double missing = size - found.trace();
    const double gain = found.largest_gain();
    if (missing <= 1e-10 * size) {
      // The trace has too few digits from here on; a gain is the square of an entry.
      if (gain <= 16 * std::pow(std::numeric_limits<double>::epsilon(), 2)) break;
    } else if (gain <= 0.01 * missing / (size * size)) {
      // Near the identity there is a pair of which the rotation gains 2 / n^2 of it.
      if (before_kick && found.trace() <= before_kick->trace()) break;
      before_kick = found;
      found.kick();
    }
    const std::int64_t grown = found.grow(share(left, rounds--));
    if (grown == 0) break;
    left -= grown;
    sizes.push_back(grown);
    const std::size_t count = found.rotations().size();
    if (count >= next_sweep) {
      for (std::int64_t k = 0; k < limits.sweeps; ++k) found.refine();
      next_sweep = count + std::max<std::size_t>(count / 32, 1);
    }
  }
  if (before_kick && found.trace() < before_kick->trace()) found = *before_kick;

  Product<F> product{{}, found.diagonal()};
  auto rotation = found.rotations().begin();
  for (auto round = sizes.begin(); rotation != found.rotations().end(); rotation += *round++) {
    product.rounds.emplace_back(rotation, rotation + *round);
  }
  return product;
}

}  // namespace givens::few_rotations
