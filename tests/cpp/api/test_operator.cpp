// Operators: the same bits as the functions without one, and the same errors.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "calls.hpp"
#include "cases.hpp"

using namespace test;
using givens::Operator;

namespace {

template <class R>
bool same(const std::optional<givens::ArrayView<const R>>& copy,
          const std::optional<Array<R>>& given) {
  if (!copy || !given) return !copy && !given;
  return elements(*copy) == given->values;
}

template <class T>
void check_same_bits(const Operator<real_t<T>>& kept, const Array<T>& x, const Array<T>& gy,
                     const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                     const RotateOptions& options) {
  const Array<T> expected = rotated(x, parameters, schedule, options);
  Array<T> y(expected.shape);
  kept.template rotate<T>(x.view(), y.view(), options);
  CHECK(y.values == expected.values);

  const Gradients<T> gradients_expected = gradients(y, gy, parameters, schedule, options);
  Gradients<T> found{Array<T>(y.shape, T(1000)),
                     OwnedGradients<real_t<T>>(parameters, real_t<T>(1000))};
  kept.template rotate_vjp<T>(y.view(), gy.view(), found.gx.view(), found.of.views(), options);
  CHECK(found.gx.values == gradients_expected.gx.values);
  CHECK(found.of.angles.values == gradients_expected.of.angles.values);
  if (parameters.phases) {
    CHECK(found.of.phases->values == gradients_expected.of.phases->values);
  }
  if (parameters.diagonal) {
    CHECK(found.of.diagonal->values == gradients_expected.of.diagonal->values);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("Operator: the same bits as without", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(95);
  for_each_choice<T>(std::vector<std::int64_t>{0, 1, 2, 5, 16, 33}, random,
                     [&](const Schedule& schedule, const Choice& choice) {
                       const auto parameters = random_parameters<R>(schedule, choice, random, {2});
                       const Operator<R> kept(parameters.views(), schedule);
                       CHECK(kept.schedule() == schedule);
                       CHECK(kept.batch() == std::vector<std::int64_t>{2});
                       CHECK(kept.is_complex() == (choice.phases || choice.diagonal));
                       CHECK(elements(kept.parameters().angles) == parameters.angles.values);
                       CHECK(same<R>(kept.parameters().signs, parameters.signs));
                       const Shape shape = {2, 3, schedule.n()};
                       for_each_direction([&](bool inverse) {
                         // Twice: coefficients are found in the first call, and then kept.
                         for (int time = 0; time < 2; ++time) {
                           check_same_bits(kept, random.array<T>(shape), random.array<T>(shape),
                                           parameters, schedule, {-1, inverse});
                         }
                       });
                       Array<T> U(givens::matrix_shape(parameters.views(), schedule));
                       kept.template matrix<T>(U.view());
                       CHECK(U.values == matrix<T>(parameters, schedule).values);
                     });
}

TEST_CASE("Operator: keeps copies, and parameters in full") {
  const Schedule schedule = Schedule::butterfly(16);
  Random random(96);
  auto parameters = random_parameters<double>(schedule, {false, false, true}, random, {});
  parameters.angles = random.array<double>({3, 1, schedule.num_rotations()});
  parameters.signs = Array<double>({2, 16}, 1.0);
  const Array<double> x = random.array<double>({3, 2, 16});
  const Array<double> expected = rotated(x, parameters, schedule);
  const Operator<double> kept(parameters.views(), schedule);
  std::fill(parameters.angles.values.begin(), parameters.angles.values.end(), 0.0);
  CHECK(kept.batch() == std::vector<std::int64_t>{3, 2});
  const Operator<double> copy = kept;  // NOLINT: copies share their data
  Array<double> y(x.shape);
  copy.rotate<double>(x.view(), y.view());
  CHECK(y.values == expected.values);
}

TEST_CASE("Operator: used by many threads at once") {
  const Schedule schedule = Schedule::butterfly(64);
  Random random(97);
  const auto parameters = random_parameters<float>(schedule, {}, random, {});
  const Operator<float> kept(parameters.views(), schedule);
  const Array<float> x = random.array<float>({5, 64});
  const Array<float> expected = rotated(x, parameters, schedule);
  std::vector<Array<float>> results(4, Array<float>(x.shape));
  std::vector<std::thread> threads;
  for (Array<float>& y : results) {
    threads.emplace_back([&] { kept.rotate<float>(x.view(), y.view()); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Array<float>& y : results) CHECK(y.values == expected.values);
}

TEST_CASE("Operator: what it refuses") {
  const Schedule schedule = Schedule::xor_(4);
  const Array<double> few({5});
  CHECK_THROWS_WITH_AS(Operator<double>({few.view(), {}, {}, {}}, schedule),
                       doctest::Contains("angles"), std::invalid_argument);
  const Array<double> angles({6});
  const Array<double> signs({4}, 2.0);
  CHECK_THROWS_WITH_AS(Operator<double>({angles.view(), {}, {}, signs.view()}, schedule),
                       doctest::Contains("signs"), std::invalid_argument);
  const Operator<double> kept({angles.view(), {}, {}, {}}, schedule);
  const Array<double> x({5});
  Array<double> y({5});
  CHECK_THROWS_WITH_AS(kept.rotate<double>(x.view(), y.view()), doctest::Contains("x"),
                       std::invalid_argument);
}
