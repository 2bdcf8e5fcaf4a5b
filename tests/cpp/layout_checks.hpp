// Every CPU engine on arrays of any strides, against the reference engine in double.
#pragma once

#include <string>

#include "engine_checks.hpp"
#include "placed.hpp"

namespace test {

template <class T>
void check_placed_gradients(const StoredGradients<Placed<real_t<T>>>& got,
                            const StoredGradients<Array<double>>& expected, const Array<T>& y,
                            const Array<T>& gy, const Schedule& schedule,
                            const RotateOptions& options) {
  const auto values = [](const Placed<real_t<T>>& gradient) {
    CHECK(gradient.only_elements_written());
    return gradient.values();
  };
  check_gradients(got.each(values), expected, y, gy, schedule, options);
}

// Checks rotate, in place too, and its gradient. `next(axes)` is the layout of the next array,
// which has so many axes.
template <class T, class Next>
void check_layouts(const Array<T>& x, const Array<T>& gy,
                   const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                   const RotateOptions& options, Next next) {
  using R = real_t<T>;
  const auto place = [&](const auto& array) { return Placed(array, next(array.shape.size())); };
  const auto expected = reference_rotate(widened(x), widened(parameters), schedule, options);
  const auto expected_gradients =
      gradients<Wide<T>>(nullptr, widened(x), widened(gy), widened(parameters), schedule, options);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const auto placed = parameters.each(place);
    const Placed<T> from = place(x);
    const Placed<T> to(x.shape, next(x.shape.size()));
    engine_rotate<T>(*engine, from.view(), placed.views(), schedule, to.view(), options);
    CHECK(vectors_error(to.values(), expected, schedule, options.axis) <= 1);
    CHECK(to.only_elements_written());
    engine_rotate<T>(*engine, from.view(), placed.views(), schedule, from.view(), options);
    CHECK(vectors_error(from.values(), expected, schedule, options.axis) <= 1);
    CHECK(from.only_elements_written());

    const Placed<T> y = place(x);
    const Placed<T> g = place(gy);
    const Placed<T> gx(x.shape, next(x.shape.size()));
    auto of = OwnedGradients<R>(parameters).each(place);
    engine->functions<T>().vjp(
        givens::validate::rotate_vjp<T>(y.view(), g.view(), placed.views(), schedule, gx.view(),
                                        of.views(), options),
        plan_of(schedule));
    CHECK(vectors_error(gx.values(), expected_gradients.gx, schedule, options.axis) <= 1);
    CHECK(gx.only_elements_written());
    check_placed_gradients(of, expected_gradients.of, x, gy, schedule, options);
  }
}

// Checks matrix and its gradient.
template <class T, class Next>
void check_matrix_layouts(const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                          Random& random, Next next) {
  using R = real_t<T>;
  const auto place = [&](const auto& array) { return Placed(array, next(array.shape.size())); };
  const auto expected = reference_matrix<Wide<T>>(widened(parameters), schedule);
  const Array<T> U = rounded<T>(expected);
  const Array<T> gU = random.array<T>(U.shape);
  const auto expected_gradients =
      matrix_gradients<Wide<T>>(nullptr, widened(U), widened(gU), widened(parameters), schedule);
  for (const Engine* engine : engines()) {
    CAPTURE(std::string(engine->name));
    const auto placed = parameters.each(place);
    const Placed<T> out(U.shape, next(U.shape.size()));
    engine->functions<T>().matrix(givens::validate::matrix<T>(placed.views(), schedule, out.view()),
                                  plan_of(schedule));
    CHECK(vectors_error(out.values(), expected, schedule, -2) <= 1);
    CHECK(out.only_elements_written());

    auto of = OwnedGradients<R>(parameters).each(place);
    engine->functions<T>().matrix_vjp(
        givens::validate::matrix_vjp<T>(place(U).view(), place(gU).view(), placed.views(), schedule,
                                        of.views()),
        plan_of(schedule));
    check_placed_gradients(of, expected_gradients.of, U, gU, schedule, {-2, false});
  }
}

}  // namespace test
