// Every engine: any number of threads gives the same bits.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine_checks.hpp"

using namespace test;

namespace {

// Allowed numbers of threads; the sizes below are work for two or three.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kThreads[] = {3};
#else
// Fewer and more than there are panels.
constexpr int kThreads[] = {2, 5, 16};
#endif

// Whether rotate and its gradient are the same for any number of threads. Returns what one thread
// gives.
template <class T>
Gradients<T> check_threads(const Engine& engine, const Array<T>& y, const Array<T>& gy,
                           const OwnedParameters<real_t<T>>& parameters, const Schedule& schedule,
                           RotateOptions options) {
  options.num_threads = 1;
  const Array<T> rotated = engine_rotated(engine, y, parameters, schedule, options);
  const Gradients<T> one = gradients(&engine, y, gy, parameters, schedule, options);
  for (const int threads : kThreads) {
    CAPTURE(threads);
    options.num_threads = threads;
    CHECK(
        same_bits(engine_rotated(engine, y, parameters, schedule, options).values, rotated.values));
    const Gradients<T> many = gradients(&engine, y, gy, parameters, schedule, options);
    CHECK(same_bits(many.gx.values, one.gx.values));
    CHECK(same_bits(many.of.all(), one.of.all()));
  }
  return one;
}

}  // namespace

// One matrix, which threads share by panels.
TEST_CASE_TEMPLATE("engines: threads on many vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(90);
  const std::int64_t vectors = 1600;
  for (const Schedule& schedule : {Schedule::xor_(64), Schedule::circle(57)}) {
    CAPTURE(schedule.repr());
    const Choice choice = any_choice<T>(random);
    CAPTURE(choice);
    const auto parameters = random_parameters<R>(schedule, choice, random);
    const Shape shape = {vectors, schedule.n()};
    Array<T> y = random.array<T>(shape);
    Array<T> gy = random.array<T>(shape);
    // In some panels only.
    make_some_large(y, gy, -1, vectors, 300, random);
    const RotateOptions options{-1, either(random)};
    CAPTURE(options.inverse);
    const auto expected = gradients<Wide<T>>(nullptr, widened(y), widened(gy), widened(parameters),
                                             schedule, options);
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      const Gradients<T> got = check_threads(*engine, y, gy, parameters, schedule, options);
      CHECK(vectors_error(got.gx, expected.gx, schedule, -1) <= 1);
      check_gradients(got.of, expected.of, y, gy, schedule, options);
    }
  }
}

// One panel of one matrix: one thread finds coefficients by runs of steps, several find all of them
// first. A third of the numbers become subnormal, which must show in neither way or in both.
TEST_CASE_TEMPLATE("engines: threads on few vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(93);
  const std::int64_t vectors = givens::is_complex_v<T> ? 60 : 120;
  for (const Schedule& schedule : {Schedule::xor_(257), Schedule::circle(257)}) {
    CAPTURE(schedule.repr());
    const auto parameters = random_parameters<R>(schedule, full_choice<T>(), random);
    const Shape shape = {vectors, schedule.n()};
    Array<T> y = random.array<T>(shape);
    Array<T> gy = random.array<T>(shape);
    for (std::size_t k = 0; k < y.values.size(); k += 3) {
      y.values[k] *= 4 * std::numeric_limits<R>::min();
      gy.values[k] *= 4 * std::numeric_limits<R>::min();
    }
    for (const bool inverse : {false, true}) {
      CAPTURE(inverse);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        check_threads(*engine, y, gy, parameters, schedule, {-1, inverse});
      }
    }
  }
}

// Threads share these by matrices, unless the matrices share gradients.
TEST_CASE_TEMPLATE("engines: threads on many matrices", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(91);
  struct Size {
    Schedule schedule;
    std::int64_t matrices, vectors;
  };
  // The second is vectorised across the matrices.
  for (const Size& size : {Size{Schedule::xor_(34), 60, 66}, Size{Schedule::circle(15), 2600, 8}}) {
    const Schedule& schedule = size.schedule;
    CAPTURE(schedule.repr());
    const Shape shape = {size.matrices, size.vectors, schedule.n()};
    const Shape each = {size.matrices};
    const Shape shared = {1};
    for (const BatchShapes& batch : {BatchShapes{each, each, each}, BatchShapes{each, shared, each},
                                     BatchShapes{shared, each, shared}}) {
      CAPTURE(batch.angles.front());
      CAPTURE(batch.phases.front());
      const auto parameters = parameters_of<R>(AngleKind::full_turn, AngleKind::full_turn, schedule,
                                               full_choice<T>(), random, batch);
      Array<T> y = random.array<T>(shape);
      Array<T> gy = random.array<T>(shape);
      make_some_large(y, gy, -1, size.vectors, size.vectors, random);
      const RotateOptions options{-1, either(random)};
      CAPTURE(options.inverse);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        check_threads(*engine, y, gy, parameters, schedule, options);
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: threads on one U", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(92);
  for (const Schedule& schedule : {Schedule::xor_(192), Schedule::circle(160)}) {
    CAPTURE(schedule.repr());
    const Choice choice = any_choice<T>(random);
    CAPTURE(choice);
    const auto parameters = random_parameters<R>(schedule, choice, random);
    const Array<T> gU = random.array<T>({schedule.n(), schedule.columns()});
    for (const Engine* engine : engines()) {
      CAPTURE(std::string(engine->name));
      const Array<T> U = engine_matrix<T>(*engine, parameters, schedule, 1);
      const Gradients<T> one = matrix_gradients<T>(engine, U, gU, parameters, schedule, 1);
      for (const int threads : kThreads) {
        CAPTURE(threads);
        CHECK(same_bits(engine_matrix<T>(*engine, parameters, schedule, threads).values, U.values));
        CHECK(same_bits(matrix_gradients<T>(engine, U, gU, parameters, schedule, threads).of.all(),
                        one.of.all()));
      }
    }
  }
}
