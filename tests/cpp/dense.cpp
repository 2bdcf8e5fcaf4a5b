#include "dense.hpp"

#include <algorithm>

namespace test {

Dense identity(std::size_t n) {
  Dense out(n, n);
  for (std::size_t k = 0; k < n; ++k) out(k, k) = 1;
  return out;
}

Dense adjoint(const Dense& a) {
  Dense out(a.columns, a.rows);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.columns; ++c) out(c, r) = std::conj(a(r, c));
  }
  return out;
}

Dense operator*(const Dense& a, const Dense& b) {
  Dense out(a.rows, b.columns);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      if (a(r, k) == 0.0) continue;  // most of a rotation
      for (std::size_t c = 0; c < b.columns; ++c) out(r, c) += a(r, k) * b(k, c);
    }
  }
  return out;
}

std::vector<Complex> operator*(const Dense& a, const std::vector<Complex>& x) {
  std::vector<Complex> y(a.rows);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t c = 0; c < a.columns; ++c) y[r] += a(r, c) * x[c];
  }
  return y;
}

Dense explicit_product(const givens::Schedule& schedule, const DenseParameters& parameters) {
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

}  // namespace test
