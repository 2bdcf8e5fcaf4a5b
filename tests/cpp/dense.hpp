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

Dense identity(std::size_t n);
Dense adjoint(const Dense& a);
Dense operator*(const Dense& a, const Dense& b);
std::vector<Complex> operator*(const Dense& a, const std::vector<Complex>& x);

// The parameters of one matrix; those that are absent are empty.
struct DenseParameters {
  std::vector<double> angles;
  std::vector<double> phases;
  std::vector<double> diagonal;
  std::vector<double> signs;
};

// U = D G_{K-1} ... G_1 G_0.
Dense explicit_product(const givens::Schedule& schedule, const DenseParameters& parameters);

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
