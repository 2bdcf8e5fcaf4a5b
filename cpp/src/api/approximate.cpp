// Few rotations for an orthogonal or unitary matrix: the checks, and the search in double
// precision.
#include "givens/approximate.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "arguments/checks.hpp"
#include "arguments/element_types.hpp"
#include "arguments/entries.hpp"
#include "few_rotations/approximation.hpp"

namespace givens {

namespace {

using few_rotations::Rotation;
using few_rotations::Rounds;
using few_rotations::SquareMatrix;

constexpr double kPi = 3.141592653589793;

template <class F>
double orthonormality_error(const SquareMatrix<F>& U) {
  const std::int64_t n = U.n();
  SquareMatrix<F> product(n);
  for (std::int64_t k = 0; k < n; ++k) {
    for (std::int64_t i = 0; i < n; ++i) {
      const F a = few_rotations::conjugate(U(k, i));
      for (std::int64_t j = 0; j < n; ++j) product(i, j) += few_rotations::product(a, U(k, j));
    }
  }
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      // Sums of huge numbers overflow, and are NaN if they overflow both ways.
      const double error = std::abs(product(i, j) - (i == j ? 1.0 : 0.0));
      largest = error <= largest ? largest : std::isnan(error) ? HUGE_VAL : error;
    }
  }
  return largest;
}

template <class T>
SquareMatrix<InDouble<T>> checked(const ArrayView<const T>& U, std::int64_t rotations,
                                  const ApproximateOptions& options) {
  using F = InDouble<T>;
  if (U.ndim() != 2 || U.shape(0) != U.shape(1)) {
    validate::refuse("U must have shape (n, n), got shape " + validate::shape_text(U));
  }
  const auto check = [](std::int64_t number, const char* name) {
    if (number < 0) {
      validate::refuse(std::string(name) + " must be at least 0, got " + validate::text(number));
    }
  };
  check(rotations, "rotations");
  check(options.max_rounds.value_or(0), "max_rounds");
  check(options.sweeps, "sweeps");
  const std::int64_t n = U.shape(0);
  SquareMatrix<F> out(n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      out(i, j) = static_cast<F>(U.data()[i * U.stride(0) + j * U.stride(1)]);
      if (!validate::is_finite(out(i, j))) {
        validate::refuse("U must be finite, got " + validate::entry_text(out(i, j)) + " at " +
                         validate::place("U", nullptr, 0, 0, {i, j}));
      }
    }
  }
  const double tolerance = 32.0 * static_cast<double>(n + 1) *
                           static_cast<double>(std::numeric_limits<real_t<T>>::epsilon());
  const double error = orthonormality_error(out);
  if (error > tolerance) {
    const bool is_complex = is_complex_v<T>;
    validate::refuse(std::string("U must be ") + (is_complex ? "unitary" : "orthogonal") +
                     ", with max|" + (is_complex ? "U^H" : "U^T") + " U - I| at most " +
                     validate::short_text(tolerance) + ", got " + validate::short_text(error));
  }
  return out;
}

// |U - Q| / |U|, Q = D G_{K-1} .. G_0 the matrix of the rounds.
template <class F>
double relative_error(const SquareMatrix<F>& U, const Rounds& rounds,
                      const std::vector<F>& diagonal) {
  const std::int64_t n = U.n();
  SquareMatrix<F> Q(n);
  for (std::int64_t i = 0; i < n; ++i) Q(i, i) = 1;
  for (const auto& round : rounds) {
    for (const Rotation& rotation : round) Q.rotate_rows(rotation);
  }
  double error = 0;
  double all = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      error += std::norm(U(i, j) -
                         few_rotations::product(diagonal[static_cast<std::size_t>(i)], Q(i, j)));
      all += std::norm(U(i, j));
    }
  }
  return n == 0 ? 0 : std::sqrt(error / all);
}

}  // namespace

template <class T>
Approximation<real_t<T>> approximate(const not_deduced_t<ArrayView<const T>>& U,
                                     std::int64_t rotations, const ApproximateOptions& options) {
  using R = real_t<T>;
  using F = InDouble<T>;
  const SquareMatrix<F> given = checked(U, rotations, options);
  const few_rotations::ApproximationLimits limits{std::min(rotations, few_rotations::kMost),
                                                  few_rotations::bounded(options.max_rounds),
                                                  options.sweeps};
  few_rotations::Product<F> found = few_rotations::approximate(given, limits);

  // The last rotation that was found is the first to be applied, and D comes last: G D = D G' with
  // a G' of another phase, or of the opposite angle.
  const auto narrowed = [](double x) { return static_cast<double>(static_cast<R>(x)); };
  const auto argument = [](const F& d) { return std::arg(d); };
  std::reverse(found.rounds.begin(), found.rounds.end());
  for (auto& round : found.rounds) {
    for (Rotation& rotation : round) {
      const F di = found.diagonal[static_cast<std::size_t>(rotation.pair.i)];
      const F dj = found.diagonal[static_cast<std::size_t>(rotation.pair.j)];
      if constexpr (is_complex_v<T>) {
        rotation.phase = std::remainder(rotation.phase + argument(di) - argument(dj), 2 * kPi);
      } else {
        rotation.angle *= di * dj;
      }
      rotation.angle = narrowed(rotation.angle);
      rotation.phase = narrowed(rotation.phase);
    }
  }
  if (!options.max_rounds) {
    found.rounds = few_rotations::in_earliest_rounds(given.n(), found.rounds);
  }
  Approximation<R> out{{few_rotations::schedule_of(given.n(), found.rounds), {}, {}}, {}, {}, 0};
  few_rotations::append<T>(found.rounds, out.rotations);
  for (F& d : found.diagonal) {
    if constexpr (is_complex_v<T>) {
      out.diagonal.push_back(static_cast<R>(argument(d)));
      d = std::polar(1.0, static_cast<double>(out.diagonal.back()));
    } else {
      out.signs.push_back(static_cast<R>(d));
    }
  }
  out.error = relative_error(given, found.rounds, found.diagonal);
  return out;
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE_API(approximate, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens
