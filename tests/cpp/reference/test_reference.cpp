// The reference engine, compared with numbers worked out by hand, with the explicit product of
// dense matrices, and with differences; its two gradients are compared with each other.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "arguments/validate.hpp"
#include "array.hpp"
#include "cases.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference/reference.hpp"
#include "reference_calls.hpp"

namespace {

using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using test::Array;
using test::Choice;
using test::Method;
using test::OwnedParameters;
using test::Random;
using test::reference_gradients;
using test::reference_matrix;
using test::reference_rotate;
using test::Shape;

const double kPi = std::acos(-1.0);

template <class R>
OwnedParameters<R> angles_only(std::vector<R> angles) {
  OwnedParameters<R> out{Array<R>({static_cast<std::int64_t>(angles.size())}), {}, {}, {}};
  out.angles.values = std::move(angles);
  return out;
}

template <class T>
Array<T> vector(std::vector<T> values) {
  Array<T> out({static_cast<std::int64_t>(values.size())});
  out.values = std::move(values);
  return out;
}

// The numbers worked out by hand are of the order of 1 and pass through at most three rotations.
template <class T>
double by_hand() {
  return 32.0 * static_cast<double>(std::numeric_limits<real_t<T>>::epsilon());
}

}  // namespace

TEST_CASE_TEMPLATE("by hand: a rotation by 30 degrees", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  const Schedule schedule = Schedule::xor_(2);
  const auto parameters = angles_only<R>({static_cast<R>(kPi / 6)});
  const double c = std::sqrt(3.0) / 2;
  CHECK(test::largest_difference(reference_matrix<T>(parameters, schedule).values,
                                 std::vector<double>{c, -0.5, 0.5, c}) < by_hand<T>());

  const Array<T> x = vector<T>({2, 4});
  const Array<T> y = reference_rotate(x, parameters, schedule);
  CHECK(test::largest_difference(y.values, std::vector<double>{2 * c - 2, 1 + 4 * c}) <
        by_hand<T>());
  const Array<T> back = reference_rotate(x, parameters, schedule, {-1, true});
  CHECK(test::largest_difference(back.values, std::vector<double>{2 * c + 2, 4 * c - 1}) <
        by_hand<T>());

  // With dL/dy = (3, 5), dL/dt = 5 y_0 - 3 y_1 and dL/dx = (3 c + 5 s, 5 c - 3 s).
  for (const Method method : {Method::reversal, Method::conjugation}) {
    const auto g = reference_gradients(y, vector<T>({3, 5}), parameters, schedule, {}, method);
    const double expected = 5 * (2 * c - 2) - 3 * (1 + 4 * c);
    CHECK(std::abs(static_cast<double>(g.of.angles.values[0]) - expected) < 10 * by_hand<T>());
    if (method == Method::reversal) {
      CHECK(test::largest_difference(g.gx.values, std::vector<double>{3 * c + 2.5, 5 * c - 1.5}) <
            by_hand<T>());
    }
  }
}

TEST_CASE_TEMPLATE("by hand: three right angles", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  // (0, 1): (a, b, c) -> (-b, a, c); (0, 2): -> (-c, a, -b); (1, 2): -> (-c, b, a).
  const Schedule schedule = Schedule::xor_(3);
  auto parameters = angles_only<R>({R(kPi / 2), R(kPi / 2), R(kPi / 2)});
  const std::vector<double> U{0, 0, -1, 0, 1, 0, 1, 0, 0};
  CHECK(test::largest_difference(reference_matrix<T>(parameters, schedule).values, U) <
        by_hand<T>());
  CHECK(
      test::largest_difference(reference_rotate(vector<T>({1, 2, 3}), parameters, schedule).values,
                               std::vector<double>{-3, 2, 1}) < by_hand<T>());
  CHECK(test::largest_difference(
            reference_rotate(vector<T>({1, 2, 3}), parameters, schedule, {-1, true}).values,
            std::vector<double>{3, 2, -1}) < by_hand<T>());

  // Signs multiply the rows of U.
  parameters.signs = vector<R>({-1, 1, -1});
  CHECK(test::largest_difference(reference_matrix<T>(parameters, schedule).values,
                                 std::vector<double>{0, 0, 1, 0, 1, 0, -1, 0, 0}) < by_hand<T>());
  CHECK(test::largest_difference(
            reference_rotate(vector<T>({1, 2, 3}), parameters, schedule, {-1, true}).values,
            std::vector<double>{-3, 2, 1}) < by_hand<T>());

  // With one column there is no pair of two later coordinates, so no (1, 2).
  const auto two = angles_only<R>({R(kPi / 2), R(kPi / 2)});
  CHECK(test::largest_difference(reference_matrix<T>(two, Schedule::xor_(3, 1)).values,
                                 std::vector<double>{0, 1, 0}) < by_hand<T>());
}

TEST_CASE_TEMPLATE("by hand: phases and the diagonal", T, std::complex<float>,
                   std::complex<double>) {
  using R = real_t<T>;
  const T i(0, 1);
  const Schedule schedule = Schedule::circle(2);
  // With p = 90 degrees both entries beside the main diagonal are i sin t.
  auto parameters = angles_only<R>({R(kPi / 6)});
  parameters.phases = vector<R>({R(kPi / 2)});
  const R c = static_cast<R>(std::sqrt(3.0) / 2);
  const R s = R(0.5);
  CHECK(test::largest_difference(reference_matrix<T>(parameters, schedule).values,
                                 std::vector<T>{c, s * i, s * i, c}) < by_hand<T>());
  // The diagonal multiplies the rows.
  parameters.diagonal = vector<R>({R(kPi / 2), R(kPi)});
  CHECK(test::largest_difference(reference_matrix<T>(parameters, schedule).values,
                                 std::vector<T>{c * i, -s, -s * i, -c}) < by_hand<T>());

  // n = 1 is the diagonal alone: y = exp(id) x and dL/dd = Im(gy conj(y)), here Im((1 + i) (-2i)).
  const Schedule one = Schedule::xor_(1);
  auto alone = angles_only<R>({});
  alone.diagonal = vector<R>({R(kPi / 2)});
  const Array<T> y = reference_rotate(vector<T>({2}), alone, one);
  CHECK(test::largest_difference(y.values, std::vector<T>{R(2) * i}) < by_hand<T>());
  for (const Method method : {Method::reversal, Method::conjugation}) {
    const auto g = reference_gradients(y, vector<T>({T(1, 1)}), alone, one, {}, method);
    CHECK(std::abs(static_cast<double>(g.of.diagonal->values[0]) + 2) < by_hand<T>());
  }
}

TEST_CASE("by hand: the gradient of a phase") {
  // y = G (1, 0) = (cos t, exp(ip) sin t) and dL/dy = (0, 1): L = sin t cos p.
  using T = std::complex<double>;
  const Schedule schedule = Schedule::circle(2);
  const double t = 0.3;
  const double p = 0.8;
  auto parameters = angles_only<double>({t});
  parameters.phases = vector<double>({p});
  const Array<T> y = reference_rotate(vector<T>({1, 0}), parameters, schedule);
  for (const Method method : {Method::reversal, Method::conjugation}) {
    const auto g = reference_gradients(y, vector<T>({0, 1}), parameters, schedule, {}, method);
    CHECK(std::abs(g.of.angles.values[0] - std::cos(t) * std::cos(p)) < by_hand<T>());
    CHECK(std::abs(g.of.phases->values[0] + std::sin(t) * std::sin(p)) < by_hand<T>());
  }
}

TEST_CASE_TEMPLATE("rotate and matrix are the explicit product", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(11);
  test::for_each_choice<T>(
      test::kSizes, random, [&](const Schedule& schedule, const Choice& choice) {
        const std::int64_t n = schedule.n();
        const auto parameters = test::random_parameters<R>(schedule, choice, random);
        const auto views = parameters.views();
        const double bound = test::rounding<R>(schedule);

        const test::Dense product =
            test::explicit_product(schedule, test::parameters_at(views, {}));
        const Array<T> x = random.array<T>({n});
        const std::vector<test::Complex> from(x.values.begin(), x.values.end());
        const double norm = test::norm_of(x.values);
        const Array<T> y = reference_rotate(x, parameters, schedule);
        CHECK(test::largest_difference(y.values, product * from) <= bound * norm);
        const RotateOptions inverse{-1, true};
        const Array<T> z = reference_rotate(x, parameters, schedule, inverse);
        CHECK(test::largest_difference(z.values, test::adjoint(product) * from) <= bound * norm);

        // The inverse takes y back to x, with the errors of both ways.
        const Array<T> back = reference_rotate(y, parameters, schedule, inverse);
        CHECK(test::largest_difference(back.values, x.values) <= 2 * bound * norm);

        // The columns of U are the images of unit vectors, and at right angles: U^H U - 1 has two
        // factors with an error each.
        const Array<T> U = reference_matrix<T>(parameters, schedule);
        const auto m = static_cast<std::size_t>(schedule.columns());
        test::Dense columns(static_cast<std::size_t>(n), m);
        test::Dense expected = columns;
        for (std::size_t r = 0; r < columns.rows; ++r) {
          for (std::size_t c = 0; c < m; ++c) {
            columns(r, c) = test::wide(U.values[r * m + c]);
            expected(r, c) = product(r, c);
          }
        }
        CHECK(test::largest_difference(columns.values, expected.values) <= bound);
        const test::Dense gram = test::adjoint(columns) * columns;
        CHECK(test::largest_difference(gram.values, test::identity(m).values) <= 2 * bound);
      });
}

TEST_CASE("orthogonality and unitarity in double stay within 1e-13 n") {
  Random random(12);
  for (const std::int64_t n : {8, 17, 64}) {
    const Schedule schedule = Schedule::circle(n);
    const auto parameters = test::random_parameters<double>(schedule, {true, true, false}, random);
    const auto size = static_cast<std::size_t>(n);
    test::Dense U(size, size);
    U.values = reference_matrix<std::complex<double>>(parameters, schedule).values;
    const test::Dense gram = test::adjoint(U) * U;
    CHECK(test::largest_difference(gram.values, test::identity(size).values) <=
          1e-13 * static_cast<double>(n));
  }
}

TEST_CASE_TEMPLATE("the gradients by reversal and by conjugation agree", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(13);
  test::for_each_choice<T>(
      test::kSizes, random, [&](const Schedule& schedule, const Choice& choice) {
        const std::int64_t n = schedule.n();
        test::for_each_direction([&](bool inverse) {
          // Two matrices with angles of their own that share everything else.
          auto parameters = test::random_parameters<R>(schedule, choice, random);
          parameters.angles = random.array<R>({2, schedule.num_rotations()}, 3.14);
          const Array<T> y = random.array<T>({2, 3, n});
          const Array<T> gy = random.array<T>({2, 3, n});
          const RotateOptions options{-1, inverse};
          const auto reversal = reference_gradients(y, gy, parameters, schedule, options);
          const auto conjugation =
              reference_gradients(y, gy, parameters, schedule, options, Method::conjugation);
          // A gradient is a product of two states, each with the error of a rotated vector, which
          // makes 2. W of the conjugation has twice their norms and is rotated from both sides,
          // which makes 4, and half of it again for a phase. Rounded up to 8.
          const double scale = test::norm_of(y.values) * test::norm_of(gy.values);
          CHECK(test::largest_difference(reversal.of.all(), conjugation.of.all()) <=
                8 * test::rounding<R>(schedule) * scale);
        });
      });
}

TEST_CASE("in double the two gradients agree to 1e-12 of the largest") {
  Random random(14);
  test::for_each_schedule(
      std::vector<std::int64_t>{5, 16, 17}, random, [&](const Schedule& schedule) {
        const std::int64_t n = schedule.n();
        const auto parameters =
            test::random_parameters<double>(schedule, {true, true, false}, random);
        using T = std::complex<double>;
        const Array<T> y = random.array<T>({4, n});
        const Array<T> gy = random.array<T>({4, n});
        const auto a = reference_gradients(y, gy, parameters, schedule).of.all();
        const auto b =
            reference_gradients(y, gy, parameters, schedule, {}, Method::conjugation).of.all();
        CHECK(test::largest_difference(a, b) <=
              1e-12 * test::largest_difference(a, std::vector<double>(a.size())));
      });
}

TEST_CASE_TEMPLATE("the gradient agrees with differences of rotate", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(15);
  test::for_each_choice<T>(
      std::vector<std::int64_t>{1, 2, 3, 8}, random,
      [&](const Schedule& schedule, const Choice& choice) {
        const std::int64_t n = schedule.n();
        test::for_each_direction([&](bool inverse) {
          auto parameters = test::random_parameters<R>(schedule, choice, random);
          const Array<T> x = random.array<T>({3, n});
          const Array<T> gy = random.array<T>({3, n});
          const RotateOptions options{-1, inverse};
          const auto f = [&] {
            return test::loss(gy.values, reference_rotate(x, parameters, schedule, options).values);
          };
          const auto expected = test::gradient_by_differences(parameters, f);
          const Array<T> y = reference_rotate(x, parameters, schedule, options);
          const auto g = reference_gradients(y, gy, parameters, schedule, options);
          // Twice the rounding for the product of states, once for y, once for the two losses.
          const double bound = 4 * test::rounding<R>(schedule);
          CHECK(test::largest_difference(g.of.all(), expected) <=
                bound * test::norm_of(x.values) * test::norm_of(gy.values));
        });
      });
}

TEST_CASE_TEMPLATE("gx is gy rotated back", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(16);
  test::for_each_schedule(test::kSizes, random, [&](const Schedule& schedule) {
    const std::int64_t n = schedule.n();
    test::for_each_direction([&](bool inverse) {
      const Choice choice = test::choices<T>()[givens::is_complex_v<T> ? 3 : 1];
      const auto parameters = test::random_parameters<R>(schedule, choice, random);
      const Array<T> y = random.array<T>({3, n});
      const Array<T> gy = random.array<T>({3, n});
      const auto g = reference_gradients(y, gy, parameters, schedule, {-1, inverse});
      CHECK(test::rotation_error<T>(gy.view(), parameters.views(), schedule, g.gx.view(),
                                    {-1, !inverse}) <= 1);
    });
  });
}

TEST_CASE_TEMPLATE("no vectors, no matrices, no columns", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(17);
  const Schedule schedule = Schedule::circle(5);
  const auto parameters = test::random_parameters<R>(schedule, {}, random);
  const Array<T> none = reference_rotate(Array<T>({0, 5}), parameters, schedule);
  CHECK(none.shape == Shape{0, 5});
  for (const Method method : {Method::reversal, Method::conjugation}) {
    const auto g = reference_gradients(none, none, parameters, schedule, {}, method);
    CHECK(g.of.angles.values == std::vector<R>(10, R(0)));
  }

  const auto no_matrices = test::random_parameters<R>(schedule, {}, random, {0});
  CHECK(reference_matrix<T>(no_matrices, schedule).shape == Shape{0, 5, 5});
  CHECK(reference_rotate(Array<T>({1, 5}), no_matrices, schedule).shape == Shape{0, 5});

  const Schedule no_columns = Schedule::circle(5, 0);
  const auto no_angles = test::random_parameters<R>(no_columns, {}, random);
  CHECK(reference_matrix<T>(no_angles, no_columns).shape == Shape{5, 0});
  const Array<T> x = random.array<T>({2, 5});
  CHECK(reference_rotate(x, no_angles, no_columns).values == x.values);

  const Schedule nothing = Schedule::circle(0);
  const auto no_parameters = test::random_parameters<R>(nothing, {}, random);
  CHECK(reference_rotate(Array<T>({3, 0}), no_parameters, nothing).shape == Shape{3, 0});
  CHECK(reference_matrix<T>(no_parameters, nothing).shape == Shape{0, 0});
}
