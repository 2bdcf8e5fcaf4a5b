// Several Hermitian matrices that are made diagonal by rotations, all by the same ones.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "few_rotations/rotation.hpp"

namespace givens::few_rotations {

// The eigenvector of the largest eigenvalue of a symmetric matrix of 3 x 3, which need not be of
// length 1, with a first entry that is not negative. By Jacobi's method: closed forms lose digits
// where eigenvalues are close.
inline std::array<double, 3> principal_direction(std::array<std::array<double, 3>, 3> g) {
  std::array<std::array<double, 3>, 3> vectors{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};  // as rows
  constexpr std::array<std::pair<std::size_t, std::size_t>, 3> kPairs{{{0, 1}, {0, 2}, {1, 2}}};
  constexpr int kSweeps = 10;  // five are enough for all digits
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    if (g[0][1] == 0 && g[0][2] == 0 && g[1][2] == 0) break;
    for (const auto& [i, j] : kPairs) {
      if (g[i][j] == 0) continue;
      const double t = std::atan2(2 * g[i][j], g[i][i] - g[j][j]) / 2;
      const double c = std::cos(t);
      const double s = std::sin(t);
      for (std::size_t k = 0; k < 3; ++k) {
        std::tie(g[i][k], g[j][k]) =
            std::pair(c * g[i][k] + s * g[j][k], c * g[j][k] - s * g[i][k]);
        std::tie(vectors[i][k], vectors[j][k]) =
            std::pair(c * vectors[i][k] + s * vectors[j][k], c * vectors[j][k] - s * vectors[i][k]);
      }
      for (std::size_t k = 0; k < 3; ++k) {
        std::tie(g[k][i], g[k][j]) =
            std::pair(c * g[k][i] + s * g[k][j], c * g[k][j] - s * g[k][i]);
      }
      g[i][j] = g[j][i] = 0;
    }
  }
  std::size_t largest = 0;
  for (std::size_t k = 1; k < 3; ++k) {
    if (g[k][k] > g[largest][largest]) largest = k;
  }
  std::array<double, 3> found = vectors[largest];
  if (found[0] < 0) {
    for (double& x : found) x = -x;
  }
  return found;
}

// Only the entries above the diagonals are trusted: those below may differ from them by roundings.
template <class F>
class Diagonalisation {
 public:
  // Zero matrices.
  Diagonalisation(std::int64_t n, std::int64_t count)
      : n_(n), matrices_(static_cast<std::size_t>(count), SquareMatrix<F>(n)) {}

  std::int64_t n() const { return n_; }
  std::vector<SquareMatrix<F>>& matrices() { return matrices_; }
  const std::vector<SquareMatrix<F>>& matrices() const { return matrices_; }

  // The sum of the squares of all entries, and of those off the diagonals.
  double sum_of_squares() const {
    double sum = off_diagonal();
    for (const SquareMatrix<F>& a : matrices_) {
      for (std::int64_t i = 0; i < n_; ++i) sum += squared(std::real(a(i, i)));
    }
    return sum;
  }
  double off_diagonal() const {
    double sum = 0;
    for (const SquareMatrix<F>& a : matrices_) {
      for (std::int64_t i = 0; i < n_; ++i) {
        for (std::int64_t j = i + 1; j < n_; ++j) sum += 2 * std::norm(a(i, j));
      }
    }
    return sum;
  }

  // How much the best rotation of two coordinates lowers `off_diagonal`.
  double gain(std::int64_t i, std::int64_t j) const {
    if (matrices_.size() == 1) return 2 * std::norm(matrices_[0](i, j));
    const Moments g = moments(i, j);
    const std::array<double, 3> v = principal_direction(g);
    // The largest eigenvalue less g[0][0], by the first row where that does not divide by little.
    const double above =
        v[0] > 0.5 ? (g[0][1] * v[1] + g[0][2] * v[2]) / v[0] : quadratic_form(g, v) - g[0][0];
    return std::max(above / 2, 0.0);
  }

  // The best rotation for a pair, with an angle of at most pi/4: by U^H A U it makes the entry of a
  // single matrix 0, and the sum of their squares in several as small as it can be (Cardoso and
  // Souloumiac, SIAM J. Matrix Anal. Appl. 17, 161 (1996)).
  Rotation best(const Pair& pair) const {
    std::array<double, 3> v{};
    if (matrices_.size() == 1) {
      v = direction(matrices_[0], pair.i, pair.j);
      if (v[0] < 0) v = {-v[0], -v[1], -v[2]};
    } else {
      v = principal_direction(moments(pair.i, pair.j));
    }
    if constexpr (is_complex_v<F>) {
      const double across = std::hypot(v[1], v[2]);
      if (across == 0) return {pair, 0, 0};
      return {pair, std::atan2(across, v[0]) / 2, std::atan2(-v[2], v[1])};
    } else {
      return {pair, v[1] == 0 ? 0 : std::atan2(v[1], v[0]) / 2, 0};
    }
  }

  // A <- G^H A G for every matrix, G the product of best rotations of disjoint pairs.
  void rotate(const std::vector<Rotation>& rotations) {
    for (SquareMatrix<F>& a : matrices_) {
      for (const Rotation& rotation : rotations) a.rotate_rows_back(rotation);
      a.rotate_columns(rotations);
      for (const Rotation& rotation : rotations) {
        const auto [i, j] = rotation.pair;
        a(i, i) = std::real(a(i, i));
        a(j, j) = std::real(a(j, j));
        if (matrices_.size() == 1) a(i, j) = a(j, i) = 0;
      }
    }
  }

 private:
  using Moments = std::array<std::array<double, 3>, 3>;

  static double squared(double x) { return x * x; }

  static double quadratic_form(const Moments& g, const std::array<double, 3>& v) {
    double sum = 0;
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 3; ++c) sum += v[r] * g[r][c] * v[c];
    }
    return sum;
  }

  // A Hermitian matrix of 2 x 2 less the mean of its eigenvalues, as a vector in space. A rotation
  // by t turns it by 2 t, and the matrix is diagonal where only the first entry is not 0.
  static std::array<double, 3> direction(const SquareMatrix<F>& a, std::int64_t i, std::int64_t j) {
    const F b = a(std::min(i, j), std::max(i, j));
    return {std::real(a(i, i)) - std::real(a(j, j)), 2 * std::real(b), 2 * std::imag(b)};
  }

  Moments moments(std::int64_t i, std::int64_t j) const {
    Moments g{};
    for (const SquareMatrix<F>& a : matrices_) {
      const std::array<double, 3> h = direction(a, i, j);
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 3; ++c) g[r][c] += h[r] * h[c];
      }
    }
    return g;
  }

  std::int64_t n_;
  std::vector<SquareMatrix<F>> matrices_;
};

}  // namespace givens::few_rotations
