// jacobi and joint_jacobi: the rotations that they find make the given matrices diagonal.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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
using givens::FoundRotations;
using givens::is_complex_v;
using givens::JacobiOptions;
using givens::real_t;
using givens::Schedule;
using test::Array;
using test::Dense;
using test::Random;

template <class T>
T adjoint(const T& x) {
  if constexpr (is_complex_v<T>) {
    return std::conj(x);
  } else {
    return x;
  }
}

// Symmetric or Hermitian matrices, (..., n, n).
template <class T>
Array<T> hermitian(const test::Shape& shape, Random& random) {
  Array<T> A = random.array<T>(shape);
  const std::int64_t n = shape.back();
  for (std::size_t first = 0; first < A.values.size(); first += static_cast<std::size_t>(n * n)) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        T& a = A.values[first + static_cast<std::size_t>(i * n + j)];
        if (i == j) a = std::real(a);
        A.values[first + static_cast<std::size_t>(j * n + i)] = adjoint(a);
      }
    }
  }
  return A;
}

// U for matrix m of the batch.
template <class R>
Dense matrix_of(const FoundRotations<R>& found, std::int64_t m = 0) {
  const std::int64_t K = found.schedule.num_rotations();
  test::DenseParameters parameters;
  const auto part = [&](const std::vector<R>& all) {
    return all.empty() ? std::vector<double>()
                       : std::vector<double>(all.begin() + m * K, all.begin() + (m + 1) * K);
  };
  parameters.angles = part(found.angles);
  parameters.phases = part(found.phases);
  return test::explicit_product(found.schedule, parameters);
}

template <class T>
Dense dense(const T* values, std::int64_t n) {
  Dense out(static_cast<std::size_t>(n), static_cast<std::size_t>(n));
  for (std::size_t k = 0; k < out.values.size(); ++k) out.values[k] = test::wide(values[k]);
  return out;
}

double norm(const Dense& a) { return test::norm_of(a.values); }

// How far U diag(values) U^H is from A, relative to A.
template <class T>
double error(const Dense& U, const real_t<T>* values, const T* A, std::int64_t n) {
  Dense diagonal(U.rows, U.rows);
  for (std::size_t i = 0; i < U.rows; ++i) diagonal(i, i) = values[i];
  const Dense made = U * diagonal * test::adjoint(U);
  double sum = 0;
  for (std::size_t k = 0; k < made.values.size(); ++k) {
    sum += std::norm(made.values[k] - test::wide(A[k]));
  }
  return std::sqrt(sum) / std::max(norm(dense(A, n)), 1e-300);
}

// U and its adjoint err by `rounding` each, in the method as in the explicit product. Then there
// are the tolerance of 32 eps and the rounding of the values.
template <class T>
double bound(const Schedule& schedule) {
  using R = real_t<T>;
  return 4 * test::rounding<R>(schedule) + 33 * std::numeric_limits<R>::epsilon();
}

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const std::invalid_argument& refusal) {
    return refusal.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE_TEMPLATE("jacobi: with all rotations it diagonalises", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(81);
  for (const std::int64_t n : test::kSizes) {
    CAPTURE(n);
    const Array<T> A = hermitian<T>({n, n}, random);
    const std::optional<Schedule> choices[] = {std::nullopt, Schedule::circle(n), Schedule::xor_(n),
                                               Schedule::team(n, 3)};
    for (const std::optional<Schedule>& pairs : choices) {
      JacobiOptions options;
      options.pairs = pairs;
      Array<R> values({n}, R(7));
      const auto found = givens::jacobi<T>(A.view(), values.view(), options);
      REQUIRE(found.size() == 1);
      CHECK(error<T>(matrix_of(found[0]), values.values.data(), A.values.data(), n) <=
            bound<T>(found[0].schedule));
      CHECK(found[0].phases.size() == (is_complex_v<T> ? found[0].angles.size() : 0));
      // pi / 4 as a number of type T may exceed pi / 4 as a double.
      const R eighth = static_cast<R>(0.7853981633974483);
      for (const R t : found[0].angles) {
        CHECK(std::abs(t) <= eighth);
        if constexpr (is_complex_v<T>) CHECK(t >= 0);
      }
      if (!pairs) continue;
      // The rounds of the schedule, repeated.
      const std::int64_t K = pairs->num_rotations();
      const std::vector<givens::Pair> all = found[0].schedule.pairs();
      if (K > 0) CHECK(all.size() % static_cast<std::size_t>(K) == 0);
      for (std::size_t k = 0; k < all.size(); ++k) {
        CHECK(all[k] == pairs->pairs()[k % static_cast<std::size_t>(K)]);
      }
    }
  }
}

TEST_CASE_TEMPLATE("jacobi: a rotation makes the largest entry zero", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(82);
  constexpr std::int64_t n = 6;
  const Array<T> A = hermitian<T>({n, n}, random);
  double largest = 0;
  givens::Pair pair;
  for (std::int32_t i = 0; i < n; ++i) {
    for (std::int32_t j = i + 1; j < n; ++j) {
      const double size = std::abs(test::wide(A.values[static_cast<std::size_t>(i * n + j)]));
      if (size > largest) {
        largest = size;
        pair = {i, j};
      }
    }
  }
  JacobiOptions options;
  options.rotations = 1;
  Array<R> values({n}, R(7));
  const auto found = givens::jacobi<T>(A.view(), values.view(), options).front();
  REQUIRE(found.schedule.pairs() == std::vector<givens::Pair>{pair});
  const Dense U = matrix_of(found);
  const Dense turned = test::adjoint(U) * dense(A.values.data(), n) * U;
  // An entry of the product of three matrices, entries and angle of which are off by eps.
  const double eps = std::numeric_limits<R>::epsilon();
  const double size = 16 * eps * norm(turned);
  CHECK(std::abs(turned(static_cast<std::size_t>(pair.i), static_cast<std::size_t>(pair.j))) <=
        size);
  for (std::size_t i = 0; i < n; ++i)
    CHECK(std::abs(turned(i, i) - 1.0 * values.values[i]) <= size);
}

TEST_CASE_TEMPLATE("jacobi: limits", T, double, std::complex<float>) {
  using R = real_t<T>;
  Random random(83);
  constexpr std::int64_t n = 7;
  const Array<T> A = hermitian<T>({n, n}, random);
  Array<R> values({n});
  const auto rotations_of = [&](const JacobiOptions& options) {
    return givens::jacobi<T>(A.view(), values.view(), options).front().schedule;
  };
  const Schedule circle = Schedule::circle(n);
  CHECK(rotations_of({{}, 0, {}, {}}).num_rotations() == 0);
  CHECK(rotations_of({{}, 5, {}, {}}).num_rotations() == 5);
  CHECK(rotations_of({{}, {}, 4, {}}).round_offsets() == std::vector<std::int64_t>{0, 3, 6, 9, 12});
  // 2, 2, 1, 1 are found; the last that is found is the first of U.
  CHECK(rotations_of({{}, 6, 4, {}}).round_offsets() == std::vector<std::int64_t>{0, 1, 2, 4, 6});
  CHECK(rotations_of({{}, 100, 4, {}}).num_rotations() == 12);
  CHECK(rotations_of({{}, {}, 0, {}}).num_rotations() == 0);
  CHECK(rotations_of({{}, 1000000, 10, 0.99}).num_rotations() < 30);
  CHECK(rotations_of({circle, 21, {}, {}}) == circle);
  CHECK(rotations_of({circle, {}, 7, {}}) == circle);
  CHECK(rotations_of({circle, {}, {}, 1.0}).num_rotations() == 0);
  // The last rotations of the circle, and of its round in the middle.
  const std::vector<givens::Pair> all = circle.pairs();
  CHECK(rotations_of({circle, 8, {}, {}}).pairs() ==
        std::vector<givens::Pair>(all.end() - 8, all.end()));
  CHECK(rotations_of({circle, 8, 2, {}}).num_rotations() == 6);
  // Neighbours alone, where the number of rotations ends them.
  CHECK(rotations_of({Schedule::brickwall(n), 50, {}, 1e-3}).num_rotations() == 50);
}

TEST_CASE_TEMPLATE("jacobi: batches with any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(84);
  constexpr std::int64_t n = 5;
  constexpr std::int64_t kMatrices = 6;
  Array<T> A = hermitian<T>({2, 3, n, n}, random);
  // One is diagonal already.
  for (std::int64_t k = 0; k < n * n; ++k) {
    if (k % (n + 1)) A.values[static_cast<std::size_t>(2 * n * n + k)] = 0;
  }
  // Columns first, every other number.
  Array<T> stored({2, 3, n, n, 2}, T(9));
  for (std::size_t k = 0; k < A.values.size(); ++k) stored.values[2 * k] = adjoint(A.values[k]);
  const std::int64_t shape[] = {2, 3, n, n};
  const std::int64_t strides[] = {6 * n * n, 2 * n * n, 2, 2 * n};
  const ArrayView<const T> view(stored.values.data(), 4, shape, strides);
  for (const bool by_schedule : {false, true}) {
    JacobiOptions options;
    if (by_schedule) options.pairs = Schedule::xor_(n);
    Array<R> values({2, 3, 2 * n}, R(7));
    const std::int64_t values_strides[] = {6 * n, 2 * n, -2};
    const ArrayView<R> values_view(values.values.data() + 2 * n - 2, 3, shape, values_strides);
    const auto found = givens::jacobi<T>(view, values_view, options);
    REQUIRE(found.size() == (by_schedule ? 1 : kMatrices));
    const std::vector<R> all_values = test::elements(values_view);
    for (std::int64_t m = 0; m < kMatrices; ++m) {
      CAPTURE(m);
      const ArrayView<const T> one(A.values.data() + m * n * n, {n, n});
      Array<R> alone_values({n});
      const auto alone = givens::jacobi<T>(one, alone_values.view(), options).front();
      const auto& whole = found[by_schedule ? 0 : static_cast<std::size_t>(m)];
      const std::int64_t K = whole.schedule.num_rotations();
      const std::int64_t own = alone.schedule.num_rotations();
      CHECK((m == 2) == (own == 0));
      if (!by_schedule) CHECK(whole.schedule == alone.schedule);
      const auto end = whole.angles.begin() + (by_schedule ? (m + 1) * K : K);
      CHECK(std::vector<R>(end - own, end) == alone.angles);
      CHECK(std::all_of(end - K, end - own, [](R t) { return t == 0; }));
      CHECK(std::vector<R>(all_values.begin() + m * n, all_values.begin() + (m + 1) * n) ==
            alone_values.values);
    }
    for (std::size_t at = 1; at < values.values.size(); at += 2) CHECK(values.values[at] == 7);
  }
}

TEST_CASE_TEMPLATE("jacobi: any scale", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(85);
  constexpr std::int64_t n = 5;
  const Array<T> A = hermitian<T>({n, n}, random);
  Array<R> values({n});
  const auto found = givens::jacobi<T>(A.view(), values.view()).front();
  const int exponents[] = {std::numeric_limits<R>::min_exponent + 20,
                           std::numeric_limits<R>::max_exponent - 3};
  for (const int exponent : exponents) {
    Array<T> scaled = A;
    for (T& a : scaled.values) a *= std::ldexp(R(1), exponent);
    Array<R> scaled_values({n});
    const auto again = givens::jacobi<T>(scaled.view(), scaled_values.view()).front();
    CHECK(again.schedule == found.schedule);
    // Entries whose last bits are below the smallest number are rounded.
    if (exponent > 0) CHECK(again.angles == found.angles);
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = values.values[i];
      CHECK(std::abs(std::ldexp(static_cast<double>(scaled_values.values[i]), -exponent) -
                     expected) <= std::ldexp(1, -15));
    }
  }
  // The smallest numbers that there are.
  Array<T> tiny({2, 2}, T(std::numeric_limits<R>::denorm_min()));
  Array<R> tiny_values({2});
  const auto turned = givens::jacobi<T>(tiny.view(), tiny_values.view()).front();
  CHECK(std::abs(std::abs(turned.angles.front()) - R(0.7853981633974483)) <=
        std::numeric_limits<R>::epsilon());
  CHECK(tiny_values.values[0] == 2 * std::numeric_limits<R>::denorm_min());
}

TEST_CASE_TEMPLATE("joint_jacobi: matrices with the same eigenvectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(86);
  constexpr std::int64_t k = 3;
  for (const std::int64_t n : {1, 2, 3, 5, 8}) {
    CAPTURE(n);
    Array<R> values({n});
    const Dense Q =
        matrix_of(givens::jacobi<T>(hermitian<T>({n, n}, random).view(), values.view()).front());
    Array<T> A({k, n, n});
    for (std::int64_t m = 0; m < k; ++m) {
      Dense D(Q.rows, Q.rows);
      for (std::size_t i = 0; i < Q.rows; ++i) D(i, i) = random.uniform();
      // Eigenvalues of the first matrix are equal, so that it alone would not do.
      if (m == 0 && n > 1) D(1, 1) = D(0, 0);
      const Dense made = Q * D * test::adjoint(Q);
      for (std::size_t at = 0; at < made.values.size(); ++at) {
        T& a = A.values[static_cast<std::size_t>(m * n * n) + at];
        if constexpr (is_complex_v<T>) {
          a = {static_cast<R>(made.values[at].real()), static_cast<R>(made.values[at].imag())};
        } else {
          a = static_cast<R>(made.values[at].real());
        }
      }
    }
    for (const bool by_schedule : {false, true}) {
      JacobiOptions options;
      if (by_schedule) options.pairs = Schedule::circle(n);
      Array<T> turned(A.shape, T(7));
      const auto found = givens::joint_jacobi<T>(A.view(), turned.view(), options).front();
      const Dense U = matrix_of(found);
      double off = 0;
      double all = 0;
      double difference = 0;
      for (std::int64_t m = 0; m < k; ++m) {
        const T* const out = turned.values.data() + m * n * n;
        const Dense expected = test::adjoint(U) * dense(A.values.data() + m * n * n, n) * U;
        for (std::size_t at = 0; at < expected.values.size(); ++at) {
          const auto i = at / U.rows;
          const auto j = at % U.rows;
          CHECK(out[at] == adjoint(out[j * U.rows + i]));
          difference += std::norm(expected.values[at] - test::wide(out[at]));
          all += std::norm(test::wide(out[at]));
          if (i != j) off += std::norm(test::wide(out[at]));
        }
      }
      CHECK(difference <= std::pow(bound<T>(found.schedule), 2) * all);
      // No pair is left whose rotation lowers the sum by more than the tolerance; entries of a pair
      // may be as large as that, and of the given matrices as their rounding.
      const double eps = std::numeric_limits<R>::epsilon();
      CHECK(off <= std::pow(64 * static_cast<double>(n) * eps, 2) * all);
    }
  }
}

TEST_CASE_TEMPLATE("joint_jacobi: no rotation could do better", T, double, std::complex<double>) {
  Random random(87);
  constexpr std::int64_t k = 4;
  constexpr std::int64_t n = 4;
  const Array<T> A = hermitian<T>({k, n, n}, random);
  for (const bool by_schedule : {false, true}) {
    JacobiOptions options;
    if (by_schedule) options.pairs = Schedule::circle(n);
    Array<T> turned(A.shape);
    givens::joint_jacobi<T>(A.view(), turned.view(), options);
    // At a minimum the sum of (a_ii - a_jj) a_ij over the matrices is zero.
    double all = 0;
    for (const T& a : turned.values) all += std::norm(test::wide(a));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i + 1; j < n; ++j) {
        test::Complex sum = 0;
        for (std::int64_t m = 0; m < k; ++m) {
          const Dense a = dense(turned.values.data() + m * n * n, n);
          sum += (a(i, i) - a(j, j)) * a(i, j);
        }
        // A rotation by t lowers the sum of squares by (sum t) - (curvature t^2) / 2, at best by
        // sum^2 / (2 curvature), with a curvature of at most 16 times the sum of squares.
        const double tolerance = 32 * std::numeric_limits<double>::epsilon();
        CHECK(std::abs(sum) <= std::sqrt(32.0) * tolerance * all);
      }
    }
  }
  // One rotation, of the pair of which it lowers the sum most: less than any other pair leaves.
  const auto off_after = [&](const JacobiOptions& options) {
    Array<T> turned(A.shape);
    givens::joint_jacobi<T>(A.view(), turned.view(), options);
    double off = 0;
    for (std::size_t at = 0; at < turned.values.size(); ++at) {
      if (at / n % n != at % n) off += std::norm(test::wide(turned.values[at]));
    }
    return off;
  };
  const double best = off_after({{}, 1, {}, {}});
  for (std::int32_t i = 0; i < n; ++i) {
    for (std::int32_t j = i + 1; j < n; ++j) {
      CHECK(best <= off_after({Schedule::from_rounds(n, {{{i, j}}}), 1, {}, {}}) * (1 + 1e-12));
    }
  }
}

TEST_CASE_TEMPLATE("jacobi: nothing to do", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  for (const test::Shape& shape : {test::Shape{0, 0}, test::Shape{2, 0, 0}, test::Shape{0, 4, 4},
                                   test::Shape{2, 1, 1}, test::Shape{3, 3}}) {
    for (const bool by_schedule : {false, true}) {
      JacobiOptions options;
      if (by_schedule) options.pairs = Schedule::circle(shape.back());
      const Array<T> A(shape);
      Array<R> values(test::Shape(shape.begin(), shape.end() - 1), R(7));
      const auto found = givens::jacobi<T>(A.view(), values.view(), options);
      for (const auto& one : found) CHECK(one.schedule.num_rotations() == 0);
      for (const R value : values.values) CHECK(value == 0);
    }
  }
  // No matrices.
  Array<T> none({0, 3, 3});
  Array<T> turned({0, 3, 3});
  CHECK(givens::joint_jacobi<T>(none.view(), turned.view()).front().schedule.num_rotations() == 0);
}

TEST_CASE_TEMPLATE("jacobi: what it refuses, before it writes", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Array<T> A({2, 3, 3});
  for (std::size_t k = 0; k < 18; ++k) A.values[k] = T(k % 9 % 4 == 0);
  Array<R> values({2, 3}, R(7));
  const auto refused = [&](const JacobiOptions& options) {
    return message_of([&] { givens::jacobi<T>(A.view(), values.view(), options); });
  };
  CHECK(refused({{}, -1, {}, {}}) == "rotations must be at least 0, got -1");
  CHECK(refused({{}, {}, -2, {}}) == "max_rounds must be at least 0, got -2");
  CHECK(refused({{}, {}, {}, -0.5}) == "tol must be at least 0, got -0.5");
  CHECK(refused({{}, {}, {}, std::nan("")}) == "tol must be at least 0, got nan");
  CHECK(refused({Schedule::xor_(4), {}, {}, {}}) ==
        "pairs must be a schedule of n = 3 coordinates, as A has, got Schedule.xor(4)");
  CHECK(refused({Schedule::xor_(3, 1), {}, {}, {}}) ==
        "pairs must be a schedule with all columns, got Schedule.xor(3, columns=1)");
  CHECK(refused({Schedule::butterfly(3), {}, {}, 0.1}) ==
        "pairs must be a schedule in which all coordinates meet, unless rotations or max_rounds "
        "end the rounds, got Schedule.butterfly(3)");
  CHECK(refused({Schedule::butterfly(3), 1, {}, {}}) == "accepted");
  std::fill(values.values.begin(), values.values.end(), R(7));

  const auto shape_refused = [&](const ArrayView<const T>& view) {
    return message_of([&] { givens::jacobi<T>(view, values.view()); });
  };
  CHECK(shape_refused({A.values.data(), {2, 3}}) ==
        "A must have shape (..., n, n), got shape (2, 3)");
  CHECK(shape_refused({A.values.data(), {3}}) == "A must have shape (..., n, n), got shape (3,)");
  CHECK(shape_refused({A.values.data(), {3, 3}}) ==
        "values must have shape (3,), got shape (2, 3)");
  CHECK(message_of([&] {
          givens::joint_jacobi<T>({A.values.data(), {3, 3}}, {A.values.data(), {3, 3}});
        }) == "A must have shape (..., k, n, n), got shape (3, 3)");
  CHECK(message_of([&] { givens::joint_jacobi<T>(A.view(), A.view()); }) ==
        "values must not overlap A in memory");

  A.values[9 + 5] = T(std::numeric_limits<R>::infinity());
  CHECK(refused({}) == std::string("A must be finite, got ") +
                           (is_complex_v<T> ? "(inf,0)" : "inf") + " at A[1, 1, 2]");
  A.values[9 + 5] = T(R(0.5));
  const std::string start = is_complex_v<T> ? "A must be Hermitian, with max|A - A^H| at most "
                                            : "A must be symmetric, with max|A - A^T| at most ";
  CHECK(refused({}).rfind(start, 0) == 0);
  CHECK(refused({}).find(", got 0.5 for A[1]") != std::string::npos);
  for (const R value : values.values) CHECK(value == 7);
  // 128 eps are allowed.
  const R eps = std::numeric_limits<R>::epsilon();
  A.values[9 + 5] = T(130 * eps);
  CHECK(refused({}).rfind(start, 0) == 0);
  A.values[9 + 5] = T(126 * eps);
  CHECK(refused({}) == "accepted");
  CHECK(values.values[0] == 1);
}
