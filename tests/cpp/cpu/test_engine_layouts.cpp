// Every engine: batches of matrices, arrays of any strides.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "engine_checks.hpp"
#include "layout_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("engines: batches of matrices", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(78);
  struct Case {
    BatchShapes parameters;
    Shape x;  // without the coordinates, which come last
  };
  const Case cases[] = {{{{3}, {}, {}}, {3}},
                        {{{3}, {3}, {}}, {1, 5}},
                        {{{1}, {3}, {3}}, {3, 5}},
                        {{{3, 1}, {2}, {1, 2}}, {3, 2, 4}},
                        {{{3, 1}, {3, 1}, {}}, {3, 2, 4}},
                        {{{2}, {1}, {2}}, {2, 17}},
                        {{{0}, {}, {}}, {0, 4}},
                        {{{2}, {2}, {1}}, {2, 0}},
                        {{{}, {4}, {4}}, {4, 3}},
                        {{{1, 1}, {}, {}}, {2, 3}}};
  for (const Schedule& schedule :
       {Schedule::xor_(19), Schedule::circle(18), Schedule::team(9, 3)}) {
    CAPTURE(schedule.repr());
    for (const Case& shapes : cases) {
      CAPTURE(&shapes - cases);
      for (const Choice& choice : test::choices<T>()) {
        CAPTURE(choice);
        const auto parameters = parameters_of<R>(AngleKind::normal, AngleKind::full_turn, schedule,
                                                 choice, random, shapes.parameters);
        const Array<T> x = random.array<T>(test::joined(shapes.x, schedule.n()));
        for (const bool inverse : {false, true}) {
          CAPTURE(inverse);
          const RotateOptions options{-1, inverse};
          check_rotate(x, parameters, schedule, options);
          const Shape full =
              givens::validate::rotated_shape<T>(x.view(), parameters.views(), schedule, -1);
          check_vjp(random.array<T>(full), random.array<T>(full), parameters, schedule, options);
        }
        check_matrix<T>(parameters, schedule, random);
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: arrays of any strides", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(79);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 1, 2},
                            {{0, 1, 2}, 3, 0}, {{2, 0, 1}, 1, 5}};
  const Layout of_parameters[] = {{{0, 1}, 1, 0}, {{0, 1}, 1, 2}, {{1, 0}, 1, 0}, {{0, 1}, 3, 3}};
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18)}) {
    CAPTURE(schedule.repr());
    const Shape shape = {2, 18, schedule.n()};
    std::vector<Choice> some = {{false, false, true}};
    if (givens::is_complex_v<T>)
      some.insert(some.end(), {{true, true, false}, {true, false, true}});
    for (const Choice& choice : some) {
      CAPTURE(choice);
      const auto parameters = random_parameters<R>(schedule, choice, random, Shape{2});
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        const RotateOptions options{-1, inverse};
        for (std::size_t k = 0; k < std::size(layouts); ++k) {
          CAPTURE(k);
          // Each array has another layout.
          const auto next = [&, in = k, of_parameter = k](std::size_t axes) mutable {
            return axes == 2 ? of_parameters[of_parameter++ % std::size(of_parameters)]
                             : layouts[(in += 3) % std::size(layouts)];
          };
          check_layouts(random.array<T>(shape), random.array<T>(shape), parameters, schedule,
                        options, next);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: one vector that is read many times", T, GIVENS_TEST_TYPES) {
  Random random(94);
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18)}) {
    const std::int64_t n = schedule.n();
    const Shape shape = {2, 18, n};
    const std::int64_t strides[] = {18 * n, 0, 1};
    const Array<T> x = random.array<T>(shape);
    for (const Choice& choice : test::choices<T>()) {
      const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, Shape{2});
      for (const bool inverse : {false, true}) {
        for (const Engine* engine : engines()) {
          CAPTURE(std::string(engine->name));
          Array<T> y(shape);
          engine_rotate<T>(*engine, {x.values.data(), 3, shape.data(), strides}, parameters.views(),
                           schedule, y.view(), {-1, inverse});
          for (std::size_t v = 0; v < 2 * 18; ++v) {
            const auto row = static_cast<std::ptrdiff_t>(v) * n;
            const auto first = static_cast<std::ptrdiff_t>(v / 18 * 18) * n;
            CHECK(std::equal(y.values.begin() + row, y.values.begin() + row + n,
                             y.values.begin() + first));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: U in memory of any strides", T, GIVENS_TEST_TYPES) {
  Random random(80);
  const Layout layouts[] = {{{0, 1, 2}, 1, 0}, {{0, 2, 1}, 1, 0}, {{2, 1, 0}, 1, 0},
                            {{1, 0, 2}, 2, 7}, {{0, 1, 2}, 1, 4}, {{0, 2, 1}, 3, 2}};
  for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(18, 11)}) {
    CAPTURE(schedule.repr());
    for (const Choice& choice : test::choices<T>()) {
      CAPTURE(choice);
      const auto parameters = random_parameters<real_t<T>>(schedule, choice, random, Shape{2});
      for (std::size_t k = 0; k < std::size(layouts); ++k) {
        CAPTURE(k);
        const auto next = [&, in = k](std::size_t axes) mutable {
          return axes == 2 ? Layout{{0, 1}} : layouts[in++ % std::size(layouts)];
        };
        check_matrix_layouts<T>(parameters, schedule, random, next);
      }
    }
  }
}
