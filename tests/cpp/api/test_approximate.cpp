// approximate: how near the product of the rotations is to the given matrix.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "array.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::ApproximateOptions;
using givens::ArrayView;
using givens::is_complex_v;
using givens::real_t;
using givens::Schedule;
using test::Array;
using test::Dense;
using test::Random;

// The product of the rotations of a schedule and of a diagonal, all random.
template <class T>
Array<T> random_unitary(const Schedule& schedule, Random& random, double scale = 3.0) {
  test::DenseParameters parameters;
  parameters.angles = random.array<double>({schedule.num_rotations()}, scale).values;
  if constexpr (is_complex_v<T>) {
    parameters.phases = random.array<double>({schedule.num_rotations()}, 3.0).values;
    parameters.diagonal = random.array<double>({schedule.n()}, scale).values;
  } else {
    for (std::int64_t k = 0; k < schedule.n(); ++k) {
      parameters.signs.push_back(random.uniform() < 0 ? -1 : 1);
    }
  }
  const Dense U = test::explicit_product(schedule, parameters);
  Array<T> out({schedule.n(), schedule.n()});
  for (std::size_t k = 0; k < out.values.size(); ++k) {
    if constexpr (is_complex_v<T>) {
      out.values[k] = T(U.values[k]);
    } else {
      out.values[k] = static_cast<T>(U.values[k].real());
    }
  }
  return out;
}

// The relative distance of U from the matrix of what was found, from the definitions.
template <class T>
double distance(const Array<T>& U, const givens::Approximation<real_t<T>>& found) {
  const auto wide = [](const std::vector<real_t<T>>& numbers) {
    return std::vector<double>(numbers.begin(), numbers.end());
  };
  const Dense Q = test::explicit_product(
      found.rotations.schedule, {wide(found.rotations.angles), wide(found.rotations.phases),
                                 wide(found.diagonal), wide(found.signs)});
  double sum = 0;
  for (std::size_t k = 0; k < U.values.size(); ++k) {
    sum += std::norm(test::wide(U.values[k]) - Q.values[k]);
  }
  return std::sqrt(sum) / std::max(test::norm_of(U.values), 1e-300);
}

// Both sides of the comparison go through all rounds.
template <class T>
double rounding(const givens::Approximation<real_t<T>>& found) {
  return 2 * test::rounding<real_t<T>>(found.rotations.schedule);
}

}  // namespace

TEST_CASE_TEMPLATE("approximate: with enough rotations it is exact", T, GIVENS_TEST_TYPES) {
  Random random(91);
  for (const std::int64_t n : test::kSizes) {
    CAPTURE(n);
    for (int repeat = 0; repeat < 2; ++repeat) {
      const Array<T> U = random_unitary<T>(Schedule::circle(n), random);
      const auto found = givens::approximate<T>(U.view(), 2 * n * n);
      CHECK(std::abs(distance(U, found) - found.error) <= rounding<T>(found));
      CHECK(found.error <= rounding<T>(found));
      CHECK(found.rotations.phases.size() == (is_complex_v<T> ? found.rotations.angles.size() : 0));
      CHECK(static_cast<std::int64_t>(found.diagonal.size()) == (is_complex_v<T> ? n : 0));
      CHECK(static_cast<std::int64_t>(found.signs.size()) == (is_complex_v<T> ? 0 : n));
    }
  }
}

TEST_CASE_TEMPLATE("approximate: the error never grows", T, GIVENS_TEST_TYPES) {
  Random random(92);
  for (const std::int64_t n : {2, 5, 9}) {
    CAPTURE(n);
    const Array<T> U = random_unitary<T>(Schedule::xor_(n), random);
    for (const std::int64_t sweeps : {0, 1}) {
      double last = 2;
      for (std::int64_t rotations = 0; rotations < n * n; ++rotations) {
        ApproximateOptions options;
        options.sweeps = sweeps;
        const auto found = givens::approximate<T>(U.view(), rotations, options);
        CHECK(found.rotations.schedule.num_rotations() <= rotations);
        CHECK(found.error <= last + rounding<T>(found));
        last = found.error;
      }
    }
  }
}

TEST_CASE_TEMPLATE("approximate: as few rotations as made it", T, GIVENS_TEST_TYPES) {
  Random random(93);
  // A round is found whatever its angles, with as many rotations.
  const Schedule round = Schedule::from_rounds(9, {{{0, 5}, {2, 3}, {8, 1}}});
  const Array<T> U = random_unitary<T>(round, random);
  const auto found = givens::approximate<T>(U.view(), 100);
  CHECK(found.error <= rounding<T>(found));
  // Later ones may turn by what is lost in rounding.
  const auto three = givens::approximate<T>(U.view(), 3);
  CHECK(three.error <= rounding<T>(three));
  // Small angles in a line.
  const Schedule line = Schedule::from_rounds(6, {{{0, 1}}, {{1, 2}}, {{2, 3}}, {{3, 4}}});
  const Array<T> V = random_unitary<T>(line, random, 0.1);
  ApproximateOptions options;
  options.sweeps = 100;
  const auto four = givens::approximate<T>(V.view(), 4, options);
  CHECK(four.error <= 2e-2);
}

TEST_CASE_TEMPLATE("approximate: rounds", T, double, std::complex<float>) {
  Random random(94);
  constexpr std::int64_t n = 8;
  const Array<T> U = random_unitary<T>(Schedule::circle(n), random);
  const auto offsets = [&](std::int64_t rotations, std::int64_t rounds) {
    ApproximateOptions options;
    options.max_rounds = rounds;
    const auto found = givens::approximate<T>(U.view(), rotations, options);
    CHECK(std::abs(distance(U, found) - found.error) <= rounding<T>(found));
    return found.rotations.schedule.round_offsets();
  };
  // 3, 3, 2 are found; the last that is found is the first of U.
  CHECK(offsets(8, 3) == std::vector<std::int64_t>{0, 2, 5, 8});
  CHECK(offsets(100, 3) == std::vector<std::int64_t>{0, 4, 8, 12});
  CHECK(offsets(100, 0) == std::vector<std::int64_t>{0});
}

TEST_CASE_TEMPLATE("approximate: signed permutations and reflections", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(95);
  for (const std::int64_t n : {1, 2, 3, 6}) {
    CAPTURE(n);
    Array<T> identity({n, n});
    for (std::int64_t k = 0; k < n; ++k) {
      identity.values[static_cast<std::size_t>(k * (n + 1))] = T(k % 2 ? R(-1) : R(1));
    }
    const auto none = givens::approximate<T>(identity.view(), 10);
    CHECK(none.rotations.schedule.num_rotations() == 0);
    // The argument of -1 is pi, rounded.
    CHECK(none.error <= std::numeric_limits<R>::epsilon());
    Array<T> cycle({n, n});
    for (std::int64_t k = 0; k < n; ++k) {
      cycle.values[static_cast<std::size_t>(k * n + (k + 1) % n)] = T(1);
    }
    const auto found = givens::approximate<T>(cycle.view(), 4 * n);
    CHECK(found.error <= rounding<T>(found));
  }
  // I - 2 P, of which the error falls with no single rotation; P has the rank 1 or 2.
  constexpr std::int64_t n = 7;
  for (const std::int64_t rank : {1, 2}) {
    const Array<T> Q = random_unitary<T>(Schedule::circle(n), random);
    Array<T> U({n, n});
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        std::complex<double> sum = i == j;
        for (std::int64_t k = 0; k < rank; ++k) {
          sum -= 2.0 * test::wide(Q.values[static_cast<std::size_t>(i * n + k)]) *
                 std::conj(test::wide(Q.values[static_cast<std::size_t>(j * n + k)]));
        }
        T& u = U.values[static_cast<std::size_t>(i * n + j)];
        if constexpr (is_complex_v<T>) {
          u = T(static_cast<R>(sum.real()), static_cast<R>(sum.imag()));
        } else {
          u = static_cast<R>(sum.real());
        }
      }
    }
    const auto found = givens::approximate<T>(U.view(), 4 * n * n);
    CHECK(found.error <= rounding<T>(found));
  }
}

TEST_CASE_TEMPLATE("approximate: any strides, and what it refuses", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(96);
  constexpr std::int64_t n = 3;
  const Array<T> U = random_unitary<T>(Schedule::circle(n), random);
  Array<T> spread({n, 2 * n}, T(9));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      spread.values[static_cast<std::size_t>(j * 2 * n + 2 * i)] =
          U.values[static_cast<std::size_t>(i * n + j)];
    }
  }
  const ArrayView<const T> view(spread.values.data(), {n, n}, {2, 2 * n});
  CHECK(givens::approximate<T>(view, 2).rotations.angles ==
        givens::approximate<T>(U.view(), 2).rotations.angles);

  Array<T> bad = U;
  const auto refused = [&](std::int64_t rotations, const ApproximateOptions& options,
                           const ArrayView<const T>& given) {
    try {
      givens::approximate<T>(given, rotations, options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refused(-1, {}, U.view()) == "rotations must be at least 0, got -1");
  CHECK(refused(1, {-2, 1}, U.view()) == "max_rounds must be at least 0, got -2");
  CHECK(refused(1, {{}, -3}, U.view()) == "sweeps must be at least 0, got -3");
  CHECK(refused(1, {}, {U.values.data(), {1, 3}}) == "U must have shape (n, n), got shape (1, 3)");
  CHECK(refused(1, {}, {U.values.data(), {1, 1, 1}}) ==
        "U must have shape (n, n), got shape (1, 1, 1)");
  bad.values[5] = T(std::numeric_limits<R>::quiet_NaN());
  CHECK(refused(1, {}, bad.view()) == std::string("U must be finite, got ") +
                                          (is_complex_v<T> ? "(nan,0)" : "nan") + " at U[1, 2]");
  bad = Array<T>({n, n}, T(1));
  const std::string start = is_complex_v<T> ? "U must be unitary, with max|U^H U - I| at most "
                                            : "U must be orthogonal, with max|U^T U - I| at most ";
  CHECK(refused(1, {}, bad.view()).rfind(start, 0) == 0);
  CHECK(refused(1, {}, bad.view()).find(", got 3") != std::string::npos);
  for (std::size_t k = 0; k < 9; ++k) {
    bad.values[k] = T(k % 2 ? std::numeric_limits<R>::max() : std::numeric_limits<R>::lowest());
  }
  CHECK(refused(1, {}, bad.view()).rfind(start, 0) == 0);
}
