// The public functions, whichever engine they choose.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <vector>

#include "array.hpp"
#include "calls.hpp"
#include "cases.hpp"
#include "dense.hpp"
#include "givens/givens.hpp"
#include "placed.hpp"
#include "problems.hpp"
#include "random.hpp"
#include "reference_calls.hpp"

namespace {

using givens::ArrayView;
using givens::real_t;
using givens::RotateOptions;
using givens::Schedule;
using test::Array;
using test::Choice;
using test::full_choice;
using test::gradients;
using test::Index;
using test::Layout;
using test::matrix;
using test::matrix_gradients;
using test::OwnedGradients;
using test::OwnedParameters;
using test::Placed;
using test::Random;
using test::rotated;
using test::Shape;

template <class T>
double rotation_error(const Array<T>& x, const OwnedParameters<real_t<T>>& parameters,
                      const Schedule& schedule, const ArrayView<const T>& y,
                      const RotateOptions& options = {}) {
  return test::rotation_error<T>(x.view(), parameters.views(), schedule, y, options);
}

template <class T>
void fill(const ArrayView<T>& view, const std::vector<T>& values) {
  auto next = values.begin();
  test::for_each_index(test::shape_of(view),
                       [&](const Index& index) { test::at(view, index) = *next++; });
}

}  // namespace

TEST_CASE("the reference engine is always there") {
  const auto backends = givens::backends();
  CHECK(std::count(backends.begin(), backends.end(), "reference") == 1);
}

TEST_CASE_TEMPLATE("rotate: every size, schedule and parameter", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(21);
  test::for_each_schedule(test::kSizes, random, [&](const Schedule& schedule) {
    test::for_each_direction([&](bool inverse) {
      const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random);
      const Array<T> x = random.array<T>({5, schedule.n()});
      const RotateOptions options{-1, inverse};
      const Array<T> y = rotated(x, parameters, schedule, options);
      CHECK(rotation_error<T>(x, parameters, schedule, y.view(), options) <= 1);
    });
  });
}

TEST_CASE_TEMPLATE("matrix: the images of the unit vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(22);
  test::for_each_schedule(test::kSizes, random, [&](const Schedule& schedule) {
    const std::int64_t n = schedule.n();
    const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
    const Array<T> U = matrix<T>(parameters, schedule);
    CHECK(U.shape == Shape{2, n, schedule.columns()});
    Array<T> unit({1, n, schedule.columns()});
    for (std::int64_t k = 0; k < schedule.columns(); ++k) test::at(unit.view(), {0, k, k}) = T(1);
    CHECK(rotation_error<T>(unit, parameters, schedule, U.view(), {-2, false}) <= 1);
  });
}

TEST_CASE_TEMPLATE("parameters broadcast from the end, vectors from the front", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(23);
  const Schedule schedule = Schedule::xor_(6);
  const std::int64_t k = schedule.num_rotations();
  struct Shapes {
    Shape angles;  // leading axes only
    Shape other;   // the leading axes of phases, diagonal and signs
    Shape x;
    Shape y;
  };
  const Shapes cases[] = {
      {{}, {}, {6}, {6}},
      {{}, {}, {4, 2, 6}, {4, 2, 6}},
      {{3}, {}, {3, 6}, {3, 6}},
      {{3}, {}, {1, 6}, {3, 6}},
      {{1}, {}, {3, 6}, {3, 6}},
      {{3}, {1}, {3, 2, 6}, {3, 2, 6}},
      {{3}, {2, 1}, {2, 3, 5, 6}, {2, 3, 5, 6}},
      {{2, 1}, {3}, {1, 1, 6}, {2, 3, 6}},
      {{2, 3}, {3}, {2, 1, 2, 6}, {2, 3, 2, 6}},
      {{1, 1}, {}, {2, 3, 2, 6}, {2, 3, 2, 6}},
      {{3, 1}, {1, 2}, {3, 2, 0, 6}, {3, 2, 0, 6}},
      {{0}, {}, {1, 2, 6}, {0, 2, 6}},
  };
  for (const Shapes& shapes : cases) {
    CAPTURE(&shapes - cases);
    auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, shapes.other);
    parameters.angles = random.array<R>(test::joined(shapes.angles, k), 3.0);
    const Array<T> x = random.array<T>(shapes.x);
    const Array<T> y = rotated(x, parameters, schedule);
    CHECK(y.shape == shapes.y);
    CHECK(rotation_error<T>(x, parameters, schedule, y.view()) <= 1);

    Shape of_matrices = test::batch_shape(parameters.views());
    const Shape batch = of_matrices;
    of_matrices.insert(of_matrices.end(), {6, 6});
    CHECK(givens::matrix_shape(parameters.views(), schedule) == of_matrices);
    const Array<T> U = matrix<T>(parameters, schedule);
    Shape of_unit(batch.size(), 1);
    of_unit.insert(of_unit.end(), {6, 6});
    Array<T> unit(of_unit);
    for (std::size_t r = 0; r < 6; ++r) unit.values[7 * r] = T(1);
    CHECK(rotation_error<T>(unit, parameters, schedule, U.view(), {-2, false}) <= 1);
  }
}

TEST_CASE_TEMPLATE("the coordinates may lie along any axis that is no batch axis", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(24);
  const Schedule schedule = Schedule::circle(4);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
  const Array<T> x = random.array<T>({2, 4, 4, 4});
  for (const int axis : {1, 2, 3, -1, -2, -3}) {
    for (const bool inverse : {false, true}) {
      CAPTURE(axis);
      const RotateOptions options{axis, inverse};
      const Array<T> y = rotated(x, parameters, schedule, options);
      CHECK(rotation_error<T>(x, parameters, schedule, y.view(), options) <= 1);
    }
  }
}

TEST_CASE_TEMPLATE("x, y and the parameters may have any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(25);
  const Schedule schedule = Schedule::xor_(5);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
  const Array<T> x = random.array<T>({2, 3, 5});
  // Contiguous, transposed, backwards, partly so, and with gaps.
  const Layout layouts[] = {{{0, 1, 2}, 1, 0, false},
                            {{1, 2, 0}, 1, 0, false},
                            {{0, 1, 2}, 1, 7, false},
                            {{0, 1, 2}, 1, 6, false},
                            {{0, 1, 2}, 2, 0}};
  for (const Layout& from : layouts) {
    for (const Layout& to : layouts) {
      CAPTURE(&from - layouts);
      CAPTURE(&to - layouts);
      const Placed<T> y(x.shape, to);
      givens::rotate<T>(Placed(x, from).view(), parameters.views(), schedule, y.view());
      CHECK(rotation_error<T>(x, parameters, schedule, y.view()) <= 1);
      CHECK(y.only_elements_written());
    }
  }

  // Angles backwards in memory, the second matrix first, with a gap between numbers.
  const std::int64_t k = schedule.num_rotations();
  std::vector<R> storage(static_cast<std::size_t>(4 * k));
  auto views = parameters.views();
  const ArrayView<R> angles(storage.data() + 4 * k - 1, {2, k}, {-2 * k, -2});
  fill(angles, parameters.angles.values);
  views.angles = angles;
  Array<T> y({2, 3, 5});
  givens::rotate<T>(x.view(), views, schedule, y.view());
  CHECK(rotation_error<T>(x, parameters, schedule, y.view()) <= 1);

  // One angle for all rotations, by a stride of 0.
  views.angles = ArrayView<const R>(storage.data() + 4 * k - 1, {2, k}, {0, 0});
  givens::rotate<T>(x.view(), views, schedule, y.view());
  CHECK(test::rotation_error<T>(x.view(), views, schedule, y.view()) <= 1);
}

TEST_CASE("arrays of 32 axes") {
  Random random(36);
  const Schedule schedule = Schedule::xor_(3);
  Shape batch(31, 1);
  batch[0] = batch[7] = batch[30] = 2;
  const auto parameters = test::random_parameters<double>(schedule, {}, random, batch);
  const Array<double> x = random.array<double>(test::joined(batch, 3));
  const Array<double> y = rotated(x, parameters, schedule);
  CHECK(rotation_error<double>(x, parameters, schedule, y.view()) <= 1);
  const auto g = gradients(y, x, parameters, schedule);
  CHECK(rotation_error<double>(x, parameters, schedule, g.gx.view(), {-1, true}) <= 1);
}

TEST_CASE_TEMPLATE("U may have any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(26);
  const Schedule schedule = Schedule::circle(5, 3);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
  const Array<T> expected = matrix<T>(parameters, schedule);
  const Placed<T> U({2, 5, 3}, {{0, 2, 1}, 2, 6});  // by columns, backwards
  givens::matrix<T>(parameters.views(), schedule, U.view());
  // Two ways through an engine may round differently, each within the bound.
  CHECK(test::largest_difference(U.values().values, expected.values) <=
        2 * test::rounding<R>(schedule));
  CHECK(U.only_elements_written());
}

TEST_CASE_TEMPLATE("in place", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(27);
  for (const Shape& batch : {Shape{}, Shape{3}}) {
    for (const bool inverse : {false, true}) {
      const Schedule schedule = Schedule::circle(7);
      const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, batch);
      const Array<T> x = random.array<T>({3, 2, 7});
      const RotateOptions options{-1, inverse};
      Array<T> both = x;
      givens::rotate<T>(both.view(), parameters.views(), schedule, both.view(), options);
      CHECK(rotation_error<T>(x, parameters, schedule, both.view(), options) <= 1);
    }
  }
}

TEST_CASE_TEMPLATE("y may overlap x in any way", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(28);
  const Schedule schedule = Schedule::xor_(4);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {3});
  const std::int64_t extents[] = {3, 4};
  const std::int64_t strides[][2] = {{4, 1}, {-4, 1}, {1, 3}, {-1, -3}, {8, 2}};
  std::vector<T> storage = random.array<T>({60}).values;
  for (const auto& from : strides) {
    for (const auto& to : strides) {
      for (const std::int64_t shift : {0, 1, 3, 4, 7}) {
        std::vector<T> memory = storage;
        const ArrayView<T> x(memory.data() + 20, 2, extents, from);
        const ArrayView<T> y(memory.data() + 20 + shift, 2, extents, to);
        Array<T> original({3, 4});
        original.values = test::elements(x);
        givens::rotate<T>(x, parameters.views(), schedule, y);
        CHECK(rotation_error<T>(original, parameters, schedule, y) <= 1);
        // What is no element of y has not changed.
        std::size_t changed = 0;
        for (std::size_t k = 0; k < memory.size(); ++k) changed += memory[k] != storage[k];
        CHECK(changed <= 12);
      }
    }
  }
}

TEST_CASE("y may be a row that x repeats along the batch") {
  Random random(29);
  const Schedule schedule = Schedule::circle(4);
  const auto parameters = test::random_parameters<double>(schedule, {}, random, {3});
  const Array<double> x = random.array<double>({1, 4});
  Array<double> y({3, 4});
  for (std::ptrdiff_t row = 0; row < 3; ++row) {
    std::copy(x.values.begin(), x.values.end(), y.values.begin() + 4 * row);
    givens::rotate<double>({y.values.data() + 4 * row, {1, 4}}, parameters.views(), schedule,
                           y.view());
    CHECK(rotation_error<double>(x, parameters, schedule, y.view()) <= 1);
  }
}

TEST_CASE("y may overlap the parameters") {
  // The parameters of two matrices lie in y; the vectors of the first matrix go where the
  // parameters of the second lie.
  using T = std::complex<double>;
  Random random(30);
  const Schedule schedule = Schedule::xor_(4);
  const Shape batch{2};
  const Array<T> x = random.array<T>({2, 2, 4});
  const auto check = [&](const Choice& choice, auto&& overlapped) {
    const auto parameters = test::random_parameters<double>(schedule, choice, random, batch);
    auto views = parameters.views();
    Array<T> y({2, 2, 4});
    ArrayView<const double>& view = overlapped(views);
    const ArrayView<double> inside(reinterpret_cast<double*>(y.values.data()), view.ndim(),
                                   view.shape(), nullptr);
    fill(inside, test::elements(view));
    view = inside;
    givens::rotate<T>(x.view(), views, schedule, y.view());
    CHECK(rotation_error<T>(x, parameters, schedule, y.view()) <= 1);
  };
  const Choice full{true, true, false};
  check(full, [](auto& views) -> auto& { return views.angles; });
  check(full, [](auto& views) -> auto& { return *views.phases; });
  check(full, [](auto& views) -> auto& { return *views.diagonal; });
  check({false, false, true}, [](auto& views) -> auto& { return *views.signs; });
}

TEST_CASE("views of mutable arrays are accepted where constant ones are asked for") {
  const Schedule schedule = Schedule::xor_(2);
  std::vector<float> angle{0.5F};
  std::vector<float> x{1, 0};
  std::vector<float> y(2);
  const ArrayView<float> angle_view(angle.data(), {1});
  const ArrayView<float> x_view(x.data(), {2});
  const ArrayView<float> y_view(y.data(), {2});
  givens::rotate<float>(x_view, {angle_view, {}, {}, {}}, schedule, y_view);
  CHECK(y[1] == doctest::Approx(std::sin(0.5)));
  std::vector<float> gx(2);
  std::vector<float> gangle(1);
  givens::rotate_vjp<float>(y_view, x_view, {angle_view, {}, {}, {}}, schedule, {gx.data(), {2}},
                            {{gangle.data(), {1}}, {}, {}});
  CHECK(gangle[0] == doctest::Approx(-std::sin(0.5)));
}

TEST_CASE_TEMPLATE("the gradients agree with differences, for shared parameters too", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(31);
  struct Shapes {
    Shape angles;
    Shape other;
    Shape y;
  };
  // Axes of 1 and missing ones are shared by the matrices along them.
  const Shapes cases[] = {{{}, {}, {2, 3, 5}}, {{2}, {}, {2, 3, 5}},        {{1}, {2}, {2, 3, 5}},
                          {{}, {2}, {2, 5}},   {{3}, {2, 1}, {2, 3, 2, 5}}, {{1}, {}, {2, 3, 5}}};
  for (const Schedule& schedule :
       {Schedule::xor_(5), Schedule::circle(5, 3), Schedule::brickwall(5)}) {
    for (const Shapes& shapes : cases) {
      for (const bool inverse : {false, true}) {
        CAPTURE(schedule.repr());
        CAPTURE(&shapes - cases);
        CAPTURE(inverse);
        auto parameters =
            test::random_parameters<R>(schedule, full_choice<T>(), random, shapes.other);
        parameters.angles =
            random.array<R>(test::joined(shapes.angles, schedule.num_rotations()), 3.0);
        const Array<T> x = random.array<T>(shapes.y);
        const Array<T> gy = random.array<T>(shapes.y);
        const RotateOptions options{-1, inverse};
        const auto expected = test::gradient_by_differences(parameters, [&] {
          return test::loss(gy.values, rotated(x, parameters, schedule, options).values);
        });
        const Array<T> y = rotated(x, parameters, schedule, options);
        const auto g = gradients(y, gy, parameters, schedule, options);
        // Twice the rounding for the product of states, once for y, once for the two losses.
        CHECK(test::largest_difference(g.of.all(), expected) <=
              4 * test::rounding<R>(schedule) * test::norm_of(x.values) * test::norm_of(gy.values));
        CHECK(rotation_error<T>(gy, parameters, schedule, g.gx.view(), {-1, !inverse}) <= 1);
      }
    }
  }
}

TEST_CASE_TEMPLATE("rotate_vjp takes any axis and strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(32);
  const Schedule schedule = Schedule::circle(4);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
  const Array<T> y = random.array<T>({2, 4, 3});
  const Array<T> gy = random.array<T>({2, 4, 3});
  const RotateOptions options{1, false};
  const auto expected = gradients(y, gy, parameters, schedule, options);

  const Placed<T> placed_y(y, {{2, 1, 0}, 1, 7, false});
  const Placed<T> placed_gy(gy, {{1, 2, 0}, 3, 0, false});
  const Placed<T> placed_gx(y.shape, {{0, 2, 1}, 2, 0});
  const Placed<R> gangles({2, 6}, {{1, 0}, 1, 3});
  OwnedGradients<R> others(parameters);
  auto views = others.views();
  views.angles = gangles.view();
  givens::rotate_vjp<T>(placed_y.view(), placed_gy.view(), parameters.views(), schedule,
                        placed_gx.view(), views, options);

  const double scale = test::norm_of(y.values) * test::norm_of(gy.values);
  others.angles = gangles.values();
  // Twice the error of a product of two states.
  CHECK(test::largest_difference(others.all(), expected.of.all()) <=
        4 * test::rounding<R>(schedule) * scale);
  CHECK(rotation_error<T>(gy, parameters, schedule, placed_gx.view(), {1, true}) <= 1);
  CHECK(placed_gx.only_elements_written());
  CHECK(gangles.only_elements_written());
}

TEST_CASE_TEMPLATE("matrix_vjp is the gradient by differences of matrix", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(33);
  for (const Schedule& schedule : {Schedule::xor_(5), Schedule::circle(6, 2),
                                   Schedule::team(5, 2, 4), Schedule::butterfly(6)}) {
    for (const Shape& batch : {Shape{}, Shape{2}, Shape{1}}) {
      CAPTURE(schedule.repr());
      auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, batch);
      const Array<T> U = matrix<T>(parameters, schedule);
      const Array<T> gU = random.array<T>(U.shape);
      const auto expected = test::gradient_by_differences(parameters, [&] {
        return test::loss(gU.values, matrix<T>(parameters, schedule).values);
      });
      const auto g = matrix_gradients(U, gU, parameters, schedule);
      // Twice the rounding for the product of states, once for U, once for the two losses.
      CHECK(test::largest_difference(g.all(), expected) <=
            4 * test::rounding<R>(schedule) * test::norm_of(U.values) * test::norm_of(gU.values));
    }
  }
}

TEST_CASE_TEMPLATE("larger sizes agree with the reference engine", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(37);
  for (const std::int64_t n : {33, 70}) {
    for (const Schedule& schedule :
         {Schedule::xor_(n), Schedule::circle(n), Schedule::team(n, 16), Schedule::brickwall(n),
          Schedule::butterfly(n), Schedule::xor_(n, 20), Schedule::circle(n, 20),
          Schedule::from_rounds(n, test::random_rounds(n, random))}) {
      for (const RotateOptions& options : {RotateOptions{-1, false}, RotateOptions{-2, true}}) {
        CAPTURE(schedule.repr());
        CAPTURE(options.axis);
        CAPTURE(options.inverse);
        const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random);
        const Shape shape = options.axis == -1 ? Shape{21, n} : Shape{n, 21};
        const Array<T> x = random.array<T>(shape);
        const Array<T> gy = random.array<T>(shape);
        const Array<T> y = rotated(x, parameters, schedule, options);
        const Array<T> expected = test::reference_rotate(x, parameters, schedule, options);
        // The errors of both.
        const double bound = 2 * test::rounding<R>(schedule);
        CHECK(test::largest_difference(y.values, expected.values) <=
              bound * test::norm_of(x.values));

        const auto g = gradients(y, gy, parameters, schedule, options);
        const auto right = test::reference_gradients(y, gy, parameters, schedule, options);
        CHECK(test::largest_difference(g.gx.values, right.gx.values) <=
              bound * test::norm_of(gy.values));
        // Each is a product of two states.
        CHECK(test::largest_difference(g.of.all(), right.of.all()) <=
              2 * bound * test::norm_of(y.values) * test::norm_of(gy.values));
      }
      const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random);
      CHECK(test::largest_difference(matrix<T>(parameters, schedule).values,
                                     test::reference_matrix<T>(parameters, schedule).values) <=
            2 * test::rounding<R>(schedule));
    }
  }
}

TEST_CASE_TEMPLATE("nothing to do", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(34);
  const Schedule schedule = Schedule::xor_(5);
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random);
  OwnedGradients<R> gradients(parameters, R(7));
  const ArrayView<T> none(nullptr, {0, 5});
  givens::rotate<T>(none, parameters.views(), schedule, none);
  // Without vectors the gradients are zero, and are written.
  givens::rotate_vjp<T>(none, none, parameters.views(), schedule, none, gradients.views());
  CHECK(test::norm_of(gradients.all()) == 0);

  const Schedule no_columns = Schedule::xor_(5, 0);
  auto without_angles = test::random_parameters<R>(no_columns, full_choice<T>(), random);
  OwnedGradients<R> without(without_angles, R(7));
  const ArrayView<T> no_u(nullptr, {5, 0});
  givens::matrix<T>(without_angles.views(), no_columns, no_u);
  givens::matrix_vjp<T>(no_u, no_u, without_angles.views(), no_columns, without.views());
  CHECK(test::norm_of(without.all()) == 0);

  const Schedule nothing = Schedule::circle(0);
  const ArrayView<T> no_coordinates(nullptr, {3, 0});
  givens::rotate<T>(no_coordinates, {{nullptr, {0}}, {}, {}, {}}, nothing, no_coordinates);
  givens::matrix<T>({{nullptr, {2, 0}}, {}, {}, {}}, nothing, {nullptr, {2, 0, 0}});
  CHECK(givens::matrix_shape<R>({{nullptr, {2, 0}}, {}, {}, {}}, nothing) == Shape{2, 0, 0});
}

TEST_CASE_TEMPLATE("NaN and infinities spread only to what depends on them", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(35);
  const Schedule schedule = Schedule::from_rounds(4, {{{0, 1}, {2, 3}}, {{0, 1}, {2, 3}}});
  const auto parameters = test::random_parameters<R>(schedule, full_choice<T>(), random, {2});
  const Array<T> x = random.array<T>({2, 2, 4});
  for (const R bad : {std::numeric_limits<R>::quiet_NaN(), std::numeric_limits<R>::infinity()}) {
    CAPTURE(bad);
    // A bad coordinate of one vector spoils its block of coordinates, and no other.
    Array<T> spoilt = x;
    spoilt.values[5] = bad;
    const Array<T> y = rotated(spoilt, parameters, schedule);
    for (std::size_t k = 0; k < y.values.size(); ++k) {
      CAPTURE(k);
      const bool depends = k == 4 || k == 5;
      CHECK(std::isfinite(std::abs(y.values[k])) == !depends);
    }
    // A bad angle spoils the block of its coordinates in all vectors of its matrix.
    auto with_bad_angle = parameters;
    with_bad_angle.angles.values[1] = bad;
    const Array<T> z = rotated(x, with_bad_angle, schedule);
    for (std::size_t k = 0; k < z.values.size(); ++k) {
      CAPTURE(k);
      const bool depends = k < 8 && k % 4 >= 2;
      CHECK(std::isnan(std::abs(z.values[k])) == depends);
    }
  }
}
