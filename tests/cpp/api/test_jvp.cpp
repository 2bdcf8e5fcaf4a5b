// Tangents of rotate and matrix, and of their gradients.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "array.hpp"
#include "calls.hpp"
#include "cases.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

namespace {

using givens::ParameterTangents;
using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using test::Array;
using test::OwnedGradients;
using test::OwnedParameters;
using test::Random;
using test::rotated;
using test::Shape;

template <class R>
struct OwnedTangents : OwnedGradients<R> {
  OwnedTangents(const OwnedParameters<R>& parameters, Random& random)
      : OwnedGradients<R>(parameters) {
    this->angles = random.array<R>(parameters.angles.shape);
    if (this->phases) this->phases = random.array<R>(this->phases->shape);
    if (this->diagonal) this->diagonal = random.array<R>(this->diagonal->shape);
  }

  ParameterTangents<R> views() const {
    ParameterTangents<R> out{this->angles.view(), {}, {}};
    if (this->phases) out.phases = this->phases->view();
    if (this->diagonal) out.diagonal = this->diagonal->view();
    return out;
  }

  // The derivative of U along the tangents has at most this norm.
  double rate() const {
    double sum = 0;
    for (const R t : this->all()) sum += std::abs(static_cast<double>(t));
    return sum;
  }
};

template <class T>
struct Tangent {
  Array<T> y;
  Array<T> dy;
};

template <class T>
Tangent<T> rotate_jvp(const Array<T>& x, const Array<T>& dx,
                      const OwnedParameters<real_t<T>>& parameters,
                      const OwnedTangents<real_t<T>>& tangents, const Schedule& schedule,
                      const RotateOptions& options) {
  const Shape shape =
      givens::rotated_shape<T>(x.view(), parameters.views(), schedule, options.axis);
  Tangent<T> out{Array<T>(shape), Array<T>(shape)};
  givens::rotate_jvp<T>(x.view(), dx.view(), parameters.views(), tangents.views(), schedule,
                        out.y.view(), out.dy.view(), options);
  return out;
}

template <class R>
double inner(const std::vector<R>& a, const std::vector<R>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum;
}

// A bound of the error of a tangent and of what it is compared with: a dual rotation is a rotation
// of (x, dx) with the blocks G, 0, dG, G, so that the error of the value enters the tangent too.
template <class T>
double tangent_rounding(const Schedule& schedule, const std::vector<T>& x, const std::vector<T>& dx,
                        double rate) {
  return 4 * test::rounding<real_t<T>>(schedule) * (test::norm_of(dx) + rate * test::norm_of(x));
}

}  // namespace

TEST_CASE_TEMPLATE("tangents: adjoint to the gradients, linear in the vectors", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(31);
  const std::vector<std::int64_t> sizes = {1, 2, 5, 9};
  test::for_each_choice<T>(
      sizes, random, [&](const Schedule& schedule, const test::Choice& choice) {
        const std::int64_t n = schedule.n();
        test::for_each_direction([&](bool inverse) {
          const auto parameters = test::random_parameters<R>(schedule, choice, random);
          const OwnedTangents<R> tangents(parameters, random);
          const Array<T> x = random.array<T>({9, n});
          const Array<T> dx = random.array<T>({9, n});
          const Array<T> gy = random.array<T>({9, n});
          const RotateOptions options{-1, inverse};
          const auto [y, dy] = rotate_jvp(x, dx, parameters, tangents, schedule, options);
          const auto standard = rotated(x, parameters, schedule, options);
          CHECK(test::largest_difference(y.values, standard.values) <=
                2 * test::rounding<R>(schedule) * test::norm_of(x.values));

          const auto g = test::gradients(y, gy, parameters, schedule, options);
          const double through =
              test::loss(g.gx.values, dx.values) + inner(g.of.all(), tangents.all());
          const double bound = tangent_rounding(schedule, x.values, dx.values, tangents.rate());
          // The gradients round as the tangents do, and so does the sum.
          CHECK(std::abs(test::loss(gy.values, dy.values) - through) <=
                2 * bound * test::norm_of(gy.values));
        });
      });
}

TEST_CASE_TEMPLATE("tangents: second order against differences", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(32);
  for (const std::int64_t n : {2, 4}) {
    const Schedule schedule = Schedule::circle(n);
    for (const test::Choice& choice : test::choices<T>()) {
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        auto parameters = test::random_parameters<R>(schedule, choice, random);
        const OwnedTangents<R> tangents(parameters, random);
        const OwnedTangents<R> along(parameters, random);
        const Array<T> x = random.array<T>({10, n});
        const Array<T> zero({10, n});
        const Array<T> gy = random.array<T>({10, n});
        const RotateOptions options{-1, inverse};
        const auto [y, dy] = rotate_jvp(x, zero, parameters, tangents, schedule, options);
        Array<T> gx({10, n});
        Array<T> dgx({10, n});
        OwnedGradients<R> gradients(parameters);
        OwnedGradients<R> dgradients(parameters);
        givens::rotate_vjp_jvp<T>(y.view(), dy.view(), gy.view(), std::nullopt, parameters.views(),
                                  tangents.views(), schedule, gx.view(), gradients.views(),
                                  dgx.view(), dgradients.views(), options);
        // <gradients, along>, whose differences along `tangents` are exact.
        const auto slope = [&] {
          const auto moved = rotated(x, parameters, schedule, options);
          const auto g = test::gradients(moved, gy, parameters, schedule, options);
          return inner(g.of.all(), along.all());
        };
        const std::vector<double> by_each = test::gradient_by_differences(parameters, slope);
        double expected = 0;
        const std::vector<R> directions = tangents.all();
        for (std::size_t k = 0; k < by_each.size(); ++k)
          expected += by_each[k] * static_cast<double>(directions[k]);
        // Every entry of both gradients errs by twice `rounding`, and by once more in the tangent;
        // the differences multiply that by the directions.
        const double bound = 16 * test::rounding<R>(schedule) * tangents.rate() * along.rate() *
                             test::norm_of(x.values) * test::norm_of(gy.values);
        CHECK(std::abs(inner(dgradients.all(), along.all()) - expected) <= bound);
        CHECK(std::abs(inner(gradients.all(), along.all()) - slope()) <= bound);
      }
    }
  }
}

TEST_CASE_TEMPLATE("tangents of matrix are tangents of the rotated identity", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(33);
  for (const std::int64_t n : {1, 6, 11}) {
    for (const Schedule& schedule : {Schedule::xor_(n), Schedule::circle(n, n / 2)}) {
      const auto parameters =
          test::random_parameters<R>(schedule, test::full_choice<T>(), random, {3});
      const OwnedTangents<R> tangents(parameters, random);
      const Shape shape{3, n, schedule.columns()};
      Array<T> U(shape);
      Array<T> dU(shape);
      givens::matrix_jvp<T>(parameters.views(), tangents.views(), schedule, U.view(), dU.view());
      Array<T> identity(shape);
      for (std::int64_t b = 0; b < 3; ++b) {
        for (std::int64_t k = 0; k < schedule.columns(); ++k)
          test::at(identity.view(), {b, k, k}) = T(1);
      }
      const auto [y, dy] =
          rotate_jvp(identity, Array<T>(shape), parameters, tangents, schedule, {-2});
      CHECK(U.values == y.values);
      CHECK(dU.values == dy.values);
    }
  }
}

TEST_CASE("tangents: any number of threads gives the same bits") {
  Random random(35);
  const Schedule schedule = Schedule::circle(33);
  for (const Shape& batch : {Shape{}, Shape{5}}) {
    const auto parameters = test::random_parameters<double>(schedule, {}, random, batch);
    const OwnedTangents<double> tangents(parameters, random);
    Shape shape = batch;
    shape.insert(shape.end(), {1100, 33});  // enough for a second thread and for every part
    const Array<double> x = random.array<double>(shape);
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 3}) {
      const RotateOptions options{-1, false, threads};
      auto [y, dy] = rotate_jvp(x, x, parameters, tangents, schedule, options);
      Array<double> gx(shape);
      Array<double> dgx(shape);
      OwnedGradients<double> gradients(parameters);
      OwnedGradients<double> dgradients(parameters);
      givens::rotate_vjp_jvp<double>(y.view(), dy.view(), x.view(), x.view(), parameters.views(),
                                     tangents.views(), schedule, gx.view(), gradients.views(),
                                     dgx.view(), dgradients.views(), options);
      std::vector<double> all;
      for (const auto& part :
           {y.values, dy.values, gx.values, dgx.values, gradients.all(), dgradients.all()}) {
        all.insert(all.end(), part.begin(), part.end());
      }
      results.push_back(std::move(all));
    }
    CHECK(results[0] == results[1]);
  }
}

TEST_CASE("tangents: outputs that overlap, and tangents of nothing, are refused") {
  const Schedule schedule = Schedule::circle(4);
  Random random(34);
  const auto parameters = test::random_parameters<double>(schedule, {}, random);
  Array<double> x({2, 4});
  Array<double> y({2, 4});
  const Array<double> six({6});
  CHECK_THROWS_WITH_AS(givens::rotate_jvp<double>(x.view(), std::nullopt, parameters.views(), {},
                                                  schedule, x.view(), y.view()),
                       "y must not overlap x in memory", std::invalid_argument);
  CHECK_THROWS_WITH_AS(givens::rotate_jvp<double>(x.view(), std::nullopt, parameters.views(), {},
                                                  schedule, y.view(), y.view()),
                       "dy must not overlap y in memory", std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      givens::rotate_jvp<double>(x.view(), std::nullopt, parameters.views(), {{}, six.view(), {}},
                                 schedule, y.view(), y.view()),
      "dphases must not be given without phases", std::invalid_argument);
}

TEST_CASE("tangents: wrong shapes, and outputs that overlap parameters or tangents, are refused") {
  const Schedule schedule = Schedule::circle(4);
  Random random(36);
  auto parameters = test::random_parameters<double>(schedule, {}, random);
  const Array<double> x({2, 4});
  const Array<double> four({4});
  const Array<double> five({5});
  Array<double> y({2, 4});
  Array<double> dy({2, 4});
  const auto rotate = [&](const std::optional<givens::ArrayView<const double>>& dx,
                          const givens::ParameterTangents<double>& tangents) {
    givens::rotate_jvp<double>(x.view(), dx, parameters.views(), tangents, schedule, y.view(),
                               dy.view());
  };
  CHECK_THROWS_WITH_AS(rotate(four.view(), {}), "dx must have shape (2, 4), got shape (4,)",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(rotate(std::nullopt, {five.view(), {}, {}}),
                       "dangles must have the shape of angles (6,), got shape (5,)",
                       std::invalid_argument);
  const givens::ArrayView<const double> in_y(y.values.data(), {6});
  CHECK_THROWS_WITH_AS(rotate(std::nullopt, {in_y, {}, {}}), "y must not overlap dangles in memory",
                       std::invalid_argument);
  const givens::ArrayView<const double> in_dy(dy.values.data(), {6});
  CHECK_THROWS_WITH_AS(rotate(std::nullopt, {in_dy, {}, {}}),
                       "dy must not overlap dangles in memory", std::invalid_argument);

  OwnedGradients<double> gradients(parameters);
  OwnedGradients<double> dgradients(parameters);
  const auto gradient = [&](const std::optional<givens::ArrayView<const double>>& dy_in,
                            const std::optional<givens::ArrayView<const double>>& dgy,
                            const givens::ParameterTangents<double>& tangents) {
    givens::rotate_vjp_jvp<double>(x.view(), dy_in, x.view(), dgy, parameters.views(), tangents,
                                   schedule, y.view(), gradients.views(), dy.view(),
                                   dgradients.views());
  };
  CHECK_THROWS_WITH_AS(gradient(four.view(), std::nullopt, {}),
                       "dy must have shape (2, 4), got shape (4,)", std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient(std::nullopt, four.view(), {}),
                       "dgy must have shape (2, 4), got shape (4,)", std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient(std::nullopt, std::nullopt, {dgradients.angles.view(), {}, {}}),
                       "dgangles must not overlap dangles in memory", std::invalid_argument);
}
