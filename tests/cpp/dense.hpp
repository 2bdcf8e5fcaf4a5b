// Dense matrices, and U as the explicit product of its rotations: what the library is compared
// with. Everything is computed in std::complex<double>, from the definitions alone.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <vector>

#include "array.hpp"
#include "givens/schedule.hpp"

namespace test {

using Complex = std::complex<double>;

struct Dense {
  std::size_t rows;
  std::size_t columns;
  std::vector<Complex> values;

  Dense(std::size_t rows_, std::size_t columns_)
      : rows(rows_), columns(columns_), values(rows_ * columns_) {}

  Complex& operator()(std::size_t r, std::size_t c) { return values[r * columns + c]; }
  const Complex& operator()(std::size_t r, std::size_t c) const { return values[r * columns + c]; }
};

inline Dense identity(std::size_t n) {
  Dense out(n, n);
  for (std::size_t k = 0; k < n; ++k) out(k, k) = 1;
  return out;
}

inline Dense adjoint(const Dense& a) {
  Dense out(a.columns, a.rows);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.columns; ++c) out(c, r) = std::conj(a(r, c));
  }
  return out;
}

inline Dense operator*(const Dense& a, const Dense& b) {
  Dense out(a.rows, b.columns);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      if (a(r, k) == 0.0) continue;  // most of a rotation
      for (std::size_t c = 0; c < b.columns; ++c) out(r, c) += a(r, k) * b(k, c);
    }
  }
  return out;
}

inline std::vector<Complex> operator*(const Dense& a, const std::vector<Complex>& x) {
  std::vector<Complex> y(a.rows);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.columns; ++c) y[r] += a(r, c) * x[c];
  }
  return y;
}

// The parameters of one matrix; those that are absent are empty.
struct DenseParameters {
  std::vector<double> angles;
  std::vector<double> phases;
  std::vector<double> diagonal;
  std::vector<double> signs;
};

// U = D G_{K-1} ... G_1 G_0.
inline Dense explicit_product(const givens::Schedule& schedule, const DenseParameters& parameters) {
  const auto n = static_cast<std::size_t>(schedule.n());
  const std::vector<givens::Pair> pairs = schedule.pairs();
  Dense U = identity(n);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto i = static_cast<std::size_t>(pairs[k].i);
    const auto j = static_cast<std::size_t>(pairs[k].j);
    const double t = parameters.angles[k];
    const Complex e = parameters.phases.empty() ? 1.0 : std::polar(1.0, parameters.phases[k]);
    Dense g = identity(n);
    g(i, i) = g(j, j) = std::cos(t);
    g(i, j) = -std::conj(e) * std::sin(t);
    g(j, i) = e * std::sin(t);
    U = g * U;
  }
  Dense d = identity(n);
  for (std::size_t k = 0; k < n; ++k) {
    if (!parameters.diagonal.empty()) d(k, k) = std::polar(1.0, parameters.diagonal[k]);
    if (!parameters.signs.empty()) d(k, k) = parameters.signs[k];
  }
  return d * U;
}

// A bound of the relative error, in the 2-norm, of a vector that went through all rotations.
// cos, sin and exp(ip) are within eps each; with the products and the sum after them an entry of
// one rotation is off by less than 6 eps, and so is the dense product above in double: 12, rounded
// up to 16. The pairs of a round are disjoint, so a round errs as one rotation does; the row
// factors count as another round.
template <class R>
double rounding(const givens::Schedule& schedule) {
  return 16.0 * static_cast<double>(std::numeric_limits<R>::epsilon()) *
         static_cast<double>(schedule.num_rounds() + 1);
}

}  // namespace test
