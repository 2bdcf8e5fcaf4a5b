// decompose: the parameters that it finds must make the given matrix.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
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

using givens::ArrayView;
using givens::is_complex_v;
using givens::ParameterOutputs;
using givens::real_t;
using givens::Schedule;
using test::Array;
using test::Random;
using test::Shape;

constexpr double kPi = 3.141592653589793;

// What decompose writes; filled with 7 to see what it has written.
template <class T>
struct Decomposed {
  using R = real_t<T>;
  Array<R> angles, phases, diagonal, signs;

  explicit Decomposed(Shape shape)
      : angles(with_last(shape, shape.back() * (shape.back() - 1) / 2), R(7)),
        phases(angles),
        diagonal(with_last(shape, shape.back()), R(7)),
        signs(diagonal) {}

  static Shape with_last(Shape shape, std::int64_t extent) {
    shape.pop_back();
    shape.back() = extent;
    return shape;
  }

  ParameterOutputs<R> views() {
    if constexpr (is_complex_v<T>) {
      return {angles.view(), phases.view(), diagonal.view(), {}};
    } else {
      return {angles.view(), {}, {}, signs.view()};
    }
  }

  // The parameters of matrix m of the batch.
  test::DenseParameters parameters(std::int64_t m) const {
    const auto part = [m](const Array<R>& array) {
      const std::int64_t extent = array.shape.back();
      const auto first = array.values.begin() + m * extent;
      return std::vector<double>(first, first + extent);
    };
    if constexpr (is_complex_v<T>) {
      return {part(angles), part(phases), part(diagonal), {}};
    } else {
      return {part(angles), {}, {}, part(signs)};
    }
  }
};

// U = D G[K-1] .. G[0] with random parameters. Its determinant is -1 if D has an odd number of -1.
template <class T>
test::Dense random_matrix(const Schedule& schedule, Random& random) {
  const auto n = static_cast<std::size_t>(schedule.n());
  const auto numbers = [&](std::int64_t count) {
    const Array<double> values = random.array<double>({count}, 3.0);
    return values.values;
  };
  test::DenseParameters parameters;
  parameters.angles = numbers(schedule.num_rotations());
  if constexpr (is_complex_v<T>) {
    parameters.phases = numbers(schedule.num_rotations());
    parameters.diagonal = numbers(schedule.n());
  } else {
    for (std::size_t k = 0; k < n; ++k) parameters.signs.push_back(random.uniform() < 0 ? -1 : 1);
  }
  return test::explicit_product(schedule, parameters);
}

template <class T>
T narrowed(const test::Complex& x) {
  if constexpr (is_complex_v<T>) {
    return {static_cast<real_t<T>>(x.real()), static_cast<real_t<T>>(x.imag())};
  } else {
    return static_cast<T>(x.real());
  }
}

template <class T>
Array<T> array_of(const test::Dense& U) {
  Array<T> out({static_cast<std::int64_t>(U.rows), static_cast<std::int64_t>(U.columns)});
  for (std::size_t k = 0; k < out.values.size(); ++k) out.values[k] = narrowed<T>(U.values[k]);
  return out;
}

// The largest distance of a column of the matrix that the parameters make from the column of U.
template <class T>
double reconstruction_error(const test::DenseParameters& parameters, const T* U, std::int64_t n) {
  const test::Dense made = test::explicit_product(Schedule::brickwall(n), parameters);
  double largest = 0;
  for (std::size_t c = 0; c < made.columns; ++c) {
    double sum = 0;
    for (std::size_t r = 0; r < made.rows; ++r) {
      sum += std::norm(made(r, c) - test::wide(U[r * made.columns + c]));
    }
    largest = std::max(largest, std::sqrt(sum));
  }
  return largest;
}

// The entries of the given U are off by eps / 2. Every column of the elimination errs in each round
// as the product of its rotations does, by `rounding`.
template <class T>
double bound(std::int64_t n) {
  return 2 * test::rounding<real_t<T>>(Schedule::brickwall(n));
}

}  // namespace

TEST_CASE_TEMPLATE("decompose: what its parameters make", T, GIVENS_TEST_TYPES) {
  Random random(61);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17}) {
    CAPTURE(n);
    for (int repeat = 0; repeat < 3; ++repeat) {
      const Array<T> U = array_of<T>(random_matrix<T>(Schedule::circle(n), random));
      Decomposed<T> found(U.shape);
      givens::decompose<T>(U.view(), found.views());
      const test::DenseParameters parameters = found.parameters(0);
      CHECK(reconstruction_error<T>(parameters, U.values.data(), n) <= bound<T>(n));
      int negative = 0;
      for (const double sign : parameters.signs) {
        CHECK(std::abs(sign) == 1);
        negative += sign < 0;
      }
      CHECK(negative <= 1);
      // pi as a number of type T may exceed pi as a double.
      const double pi = static_cast<double>(static_cast<real_t<T>>(kPi));
      for (const double t : parameters.angles) {
        if constexpr (is_complex_v<T>) CHECK((t >= 0 && t <= pi / 2));
        CHECK((t > -pi && t <= pi));
      }
      for (const double p : parameters.phases) CHECK(std::abs(p) <= pi);
    }
  }
}

TEST_CASE_TEMPLATE("decompose: frames by wavefront", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(65);
  const std::pair<std::int64_t, std::int64_t> shapes[] = {
      {1, 1}, {2, 1}, {3, 3}, {5, 0}, {6, 5}, {7, 3}, {8, 8}, {9, 1}, {16, 9}, {17, 17}};
  for (const auto& [n, m] : shapes) {
    const Schedule schedule = Schedule::wavefront(n, m);
    CAPTURE(schedule.repr());
    const Array<T> square = array_of<T>(random_matrix<T>(Schedule::circle(n), random));
    const ArrayView<const T> U(square.values.data(), {n, m}, {n, 1});
    givens::DecomposeOptions options;
    options.schedule = Schedule::Kind::wavefront;
    CHECK(givens::decomposition_schedule<T>(U, options) == schedule);
    const std::int64_t K = schedule.num_rotations();
    Array<R> angles({K}, R(7)), phases({K}, R(7)), diagonal({n}, R(7)), signs({n}, R(7));
    ParameterOutputs<R> outputs{angles.view(), {}, {}, {}};
    if constexpr (is_complex_v<T>) {
      outputs.phases = phases.view();
      outputs.diagonal = diagonal.view();
    } else {
      outputs.signs = signs.view();
    }
    givens::decompose<T>(U, outputs, options);
    test::DenseParameters parameters;
    const auto wide = [](const Array<R>& array) {
      return std::vector<double>(array.values.begin(), array.values.end());
    };
    parameters.angles = wide(angles);
    if constexpr (is_complex_v<T>) {
      parameters.phases = wide(phases);
      parameters.diagonal = wide(diagonal);
      for (std::int64_t k = m; k < n; ++k) CHECK(diagonal.values[static_cast<std::size_t>(k)] == 0);
    } else {
      parameters.signs = wide(signs);
      // A frame needs no signs.
      if (m < n) CHECK(std::count(signs.values.begin(), signs.values.end(), R(1)) == n);
    }
    const test::Dense made = test::explicit_product(schedule, parameters);
    double largest = 0;
    for (std::size_t r = 0; r < made.rows; ++r) {
      for (std::size_t c = 0; c < static_cast<std::size_t>(m); ++c) {
        largest = std::max(largest,
                           std::abs(made(r, c) - test::wide(square.values[r * made.columns + c])));
      }
    }
    // As `bound`, for the rounds of wavefront, with the rounding of the given entries.
    CHECK(largest <=
          2 * test::rounding<R>(schedule) + static_cast<double>(std::numeric_limits<R>::epsilon()));
  }
}

TEST_CASE_TEMPLATE("decompose: options that are refused", T, GIVENS_TEST_TYPES) {
  Array<T> U({3, 2});
  const auto refused = [&](const givens::DecomposeOptions& options) {
    try {
      givens::decomposition_schedule<T>(U.view(), options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refused({Schedule::Kind::brickwall, {}}) ==
        "U must be square for the schedule brickwall, got shape (3, 2)");
  CHECK(refused({Schedule::Kind::xor_, {}}) == "schedule must be brickwall or wavefront, got xor");
  CHECK(refused({{}, -0.5}) == "tolerance must be at least 0, got -0.5");
  CHECK(refused({{}, 0.5}) == "accepted");
}

TEST_CASE_TEMPLATE("decompose: the angles of a brickwall come back", T, double,
                   std::complex<double>) {
  Random random(62);
  for (const std::int64_t n : {2, 3, 4, 5, 8}) {
    CAPTURE(n);
    const Schedule schedule = Schedule::brickwall(n);
    test::DenseParameters given;
    for (std::int64_t k = 0; k < schedule.num_rotations(); ++k) {
      given.angles.push_back(0.2 + 0.05 * random.uniform());
      if constexpr (is_complex_v<T>) given.phases.push_back(random.uniform());
    }
    if constexpr (is_complex_v<T>) {
      for (std::int64_t k = 0; k < n; ++k) given.diagonal.push_back(random.uniform());
    }
    const Array<T> U = array_of<T>(test::explicit_product(schedule, given));
    Decomposed<T> found(U.shape);
    givens::decompose<T>(U.view(), found.views());
    const test::DenseParameters parameters = found.parameters(0);
    // From the diagonal to the corner a column takes n - 1 sines of angles of at least 0.15. So
    // angles come from entries of at least this size, which err by as much as a column.
    const double size = bound<T>(n) / std::pow(std::sin(0.15), static_cast<double>(n - 1));
    CHECK(test::largest_difference(parameters.angles, given.angles) <= size);
    CHECK(test::largest_difference(parameters.phases, given.phases) <= size);
    CHECK(test::largest_difference(parameters.diagonal, given.diagonal) <= size);
  }
}

TEST_CASE_TEMPLATE("decompose: zeros are not rotated", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(63);
  const R quarter = static_cast<R>(kPi / 2);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 8, 9}) {
    CAPTURE(n);
    Array<T> identity({n, n});
    for (std::int64_t k = 0; k < n; ++k)
      identity.values[static_cast<std::size_t>(k * (n + 1))] = T(1);
    Decomposed<T> found(identity.shape);
    givens::decompose<T>(identity.view(), found.views());
    for (const R t : found.angles.values) CHECK(t == 0);
    if constexpr (is_complex_v<T>) {
      for (const R p : found.phases.values) CHECK(p == 0);
      for (const R d : found.diagonal.values) CHECK(d == 0);
    } else {
      for (const R sign : found.signs.values) CHECK(sign == 1);
    }

    for (int repeat = 0; repeat < 5; ++repeat) {
      // Columns of the identity in random order, with random signs, on zeros of both signs.
      Array<T> U({n, n});
      for (T& value : U.values) value = T(random.uniform() < 0 ? R(-0.0) : R(0.0));
      std::vector<std::int64_t> order;
      for (std::int64_t k = 0; k < n; ++k) {
        order.insert(order.begin() + random.below(k + 1), k);
      }
      for (std::int64_t k = 0; k < n; ++k) {
        const auto index = static_cast<std::size_t>(k * n + order[static_cast<std::size_t>(k)]);
        U.values[index] = T(random.uniform() < 0 ? R(-1) : R(1));
      }
      Decomposed<T> of_permutation(U.shape);
      givens::decompose<T>(U.view(), of_permutation.views());
      for (const R t : of_permutation.angles.values) {
        CHECK((t == 0 || std::abs(t) == quarter || t == static_cast<R>(kPi)));
      }
      CHECK(reconstruction_error<T>(of_permutation.parameters(0), U.values.data(), n) <=
            bound<T>(n));
    }
  }
}

TEST_CASE_TEMPLATE("decompose: entries too small to be squared", T, GIVENS_TEST_TYPES) {
  // Orthogonal to all digits, with subnormal numbers wherever the identity has zeros.
  using R = real_t<T>;
  for (const std::int64_t n : {2, 5, 8}) {
    for (const R tiny : {std::numeric_limits<R>::denorm_min(), std::numeric_limits<R>::min()}) {
      Array<T> U({n, n}, T(tiny));
      for (std::int64_t k = 0; k < n; ++k) U.values[static_cast<std::size_t>(k * (n + 1))] = T(1);
      Decomposed<T> found(U.shape);
      givens::decompose<T>(U.view(), found.views());
      CHECK(reconstruction_error<T>(found.parameters(0), U.values.data(), n) <= bound<T>(n));
    }
  }
}

TEST_CASE_TEMPLATE("decompose: batches with any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(64);
  constexpr std::int64_t n = 5;
  Array<T> stored({3, n, n, 2});  // the batch is (2, 3), with its axes at both ends, columns first
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 2; ++b) {
      const test::Dense U = random_matrix<T>(Schedule::xor_(n), random);
      for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t c = 0; c < n; ++c) {
          test::at(stored.view(), {a, c, r, b}) =
              narrowed<T>(U(static_cast<std::size_t>(r), static_cast<std::size_t>(c)));
        }
      }
    }
  }
  const std::int64_t shape[] = {2, 3, n, n};
  const std::int64_t strides[] = {1, 2 * n * n, 2, 2 * n};
  const ArrayView<const T> view(stored.values.data(), 4, shape, strides);
  CHECK(givens::decomposition_schedule<T>(view) == Schedule::brickwall(n));
  Decomposed<T> found({2, 3, n, n});
  givens::decompose<T>(view, found.views());
  const std::vector<T> matrices = test::elements(view);
  for (std::int64_t m = 0; m < 6; ++m) {
    CAPTURE(m);
    CHECK(reconstruction_error<T>(found.parameters(m), matrices.data() + m * n * n, n) <=
          bound<T>(n));
  }
  // Outputs too: every other number, from last to first.
  Array<R> spread({2, 3, 2 * (n * (n - 1) / 2)}, R(7));
  const std::int64_t k = n * (n - 1) / 2;
  ParameterOutputs<R> outputs = found.views();
  const std::int64_t spread_shape[] = {2, 3, k};
  const std::int64_t spread_strides[] = {6 * k, 2 * k, -2};
  outputs.angles = {spread.values.data() + 2 * k - 2, 3, spread_shape, spread_strides};
  givens::decompose<T>(view, outputs);
  CHECK(test::elements(outputs.angles) == found.angles.values);
  for (std::size_t at = 1; at < spread.values.size(); at += 2) CHECK(spread.values[at] == 7);
}

TEST_CASE_TEMPLATE("decompose: nothing to do", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  for (const Shape& shape : {Shape{0, 0}, Shape{3, 0, 0}, Shape{0, 4, 4}, Shape{2, 1, 1}}) {
    Array<T> U(shape, T(-1));
    Decomposed<T> found(shape);
    givens::decompose<T>(U.view(), found.views());
    CHECK(found.angles.values.empty());
    if constexpr (is_complex_v<T>) {
      for (const R d : found.diagonal.values) CHECK(d == static_cast<R>(kPi));
    } else {
      for (const R sign : found.signs.values) CHECK(sign == -1);
    }
  }
}

TEST_CASE_TEMPLATE("decompose: what it refuses, before it writes", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  const std::string product = is_complex_v<T> ? "U^H U" : "U^T U";
  Array<T> U({2, 3, 3});
  for (std::size_t k = 0; k < 18; ++k) U.values[k] = T(k % 9 % 4 == 0);
  Decomposed<T> found(U.shape);
  const auto message = [&](const ArrayView<const T>& view, const ParameterOutputs<R>& outputs) {
    try {
      givens::decompose<T>(view, outputs);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const auto refused = [&](std::size_t index, R value) {
    Array<T> spoilt = U;
    spoilt.values[index] = T(value);
    return message(spoilt.view(), found.views());
  };

  CHECK(refused(12, R(0.5)).find(", got 0.5 for U[1]") != std::string::npos);
  CHECK(refused(17, R(3)).find("with max|" + product + " - I| at most ") != std::string::npos);
  CHECK(refused(17, R(3)).find(", got 8 for U[1]") != std::string::npos);
  CHECK(refused(0, std::numeric_limits<R>::max()).find(" for U[0]") != std::string::npos);
  CHECK(refused(14, std::numeric_limits<R>::infinity()).find("U must be finite, got ") == 0);
  CHECK(refused(14, std::numeric_limits<R>::quiet_NaN()).find(" at U[1, 1, 2]") !=
        std::string::npos);
  // Sums that overflow both ways.
  Array<T> huge = U;
  for (std::size_t k = 0; k < 9; ++k) {
    huge.values[k] = T(k % 2 ? std::numeric_limits<R>::max() : std::numeric_limits<R>::lowest());
  }
  CHECK(message(huge.view(), found.views()).find(" for U[0]") != std::string::npos);

  const R eps = std::numeric_limits<R>::epsilon();
  CHECK(refused(0, 1 - 70 * eps).find(" for U[0]") != std::string::npos);  // 140 > 32 * 4
  CHECK(message({U.values.data(), {2, 2, 3}}, found.views()) ==
        "U must have shape (..., n, m) with m <= n, got shape (2, 2, 3)");
  CHECK(message({U.values.data(), {3}}, found.views()) ==
        "U must have shape (..., n, m) with m <= n, got shape (3,)");

  ParameterOutputs<R> outputs = found.views();
  outputs.angles = {found.angles.values.data(), {3}};
  CHECK(message(U.view(), outputs) == "angles must have shape (2, 3), got shape (3,)");
  outputs.angles = {found.angles.values.data(), {2, 3}, {3, 0}};
  CHECK(message(U.view(), outputs) == "angles must not overlap itself");
  outputs = found.views();
  auto& rows = is_complex_v<T> ? outputs.diagonal : outputs.signs;
  const std::string name = is_complex_v<T> ? "diagonal" : "signs";
  rows = {{found.angles.values.data(), {2, 3}}};
  CHECK(message(U.view(), outputs) == name + " must not overlap angles in memory");
  rows.reset();
  CHECK(message(U.view(), outputs) ==
        name + " must be given exactly if U is " + (is_complex_v<T> ? "complex" : "real"));
  outputs = found.views();
  auto& other = is_complex_v<T> ? outputs.signs : outputs.diagonal;
  other = {{found.angles.values.data(), {2, 3}}};
  CHECK(message(U.view(), outputs) == std::string(is_complex_v<T> ? "signs" : "diagonal") +
                                          " must be given exactly if U is " +
                                          (is_complex_v<T> ? "real" : "complex"));

  for (const auto* array : {&found.angles, &found.phases, &found.diagonal, &found.signs}) {
    for (const R value : array->values) CHECK(value == 7);
  }
  // Within the tolerance, and then written.
  CHECK(refused(0, 1 - 30 * eps) == "accepted");
  CHECK(found.angles.values[0] == 0);
}
