// Every engine: all schedules, sizes and numbers of vectors.
#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "cpu/engine.hpp"
#include "engine_checks.hpp"
#include "givens/givens.hpp"
#include "problems.hpp"
#include "random.hpp"

using namespace test;

TEST_CASE("engines: fastest first, the baseline last") {
  std::vector<std::string> names;
  for (const Engine* engine : engines()) names.emplace_back(engine->name);
  REQUIRE(!names.empty());
  CHECK(names.back() == "baseline");
  std::vector<std::string> expected = {"baseline"};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    expected.insert(expected.begin(), "avx2");
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    expected.insert(expected.begin(), "avx512");
  }
#endif
  CHECK(names == expected);
  names.emplace_back("reference");
  CHECK(givens::backends() == names);

  const Engine* chosen = givens::cpu::engine();  // null if the environment says "reference"
  const std::vector<const Engine*> all = engines();
  CHECK((chosen == nullptr || std::count(all.begin(), all.end(), chosen) == 1));
}

TEST_CASE_TEMPLATE("an engine leaves a problem alone or computes it", T, std::complex<float>,
                   std::complex<double>) {
  using R = real_t<T>;
  Random random(71);
  const T untouched(77);
  for (const Schedule& schedule : {Schedule::xor_(9), Schedule::circle(20)}) {
    for (const Choice& choice : test::choices<T>()) {
      const auto parameters = test::random_parameters<R>(schedule, choice, random);
      const Array<T> x = random.array<T>({3, schedule.n()});
      const auto y = reference_rotate(widened(x), widened(parameters), schedule, {});
      const auto U = reference_matrix<std::complex<double>>(widened(parameters), schedule);
      for (const Engine* engine : engines()) {
        CAPTURE(std::string(engine->name));
        Array<T> got(x.shape, untouched);
        if (engine_rotate<T>(*engine, x.view(), parameters.views(), schedule, got.view(), {})) {
          CHECK(vectors_error(got, y, schedule, -1) <= 1);
        } else {
          CHECK((choice.phases || choice.diagonal));
          CHECK(got.values == Array<T>(x.shape, untouched).values);
        }
        Array<T> got_U(U.shape, untouched);
        if (engine->functions<T>().matrix(
                givens::validate::matrix<T>(parameters.views(), schedule, got_U.view()),
                plan_of(schedule))) {
          CHECK(vectors_error(got_U, U, schedule, -2) <= 1);
        } else {
          CHECK(got_U.values == Array<T>(U.shape, untouched).values);
        }
        if (!choice.phases && !choice.diagonal) continue;
        Array<T> gx(x.shape, untouched);
        OwnedGradients<R> gangles(parameters);
        const auto problem = givens::validate::rotate_vjp<T>(
            got.view(), x.view(), parameters.views(), schedule, gx.view(), gangles.views(), {});
        if (!engine->functions<T>().vjp(problem, plan_of(schedule))) {
          CHECK(gx.values == Array<T>(x.shape, untouched).values);
          CHECK(gangles.all() == OwnedGradients<R>(parameters).all());
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: rotate and its gradient, every schedule and size", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(72);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const std::int64_t counts = n < 60 ? 9 : 7;  // many large vectors would take long
      const Arrangement a = arrangement(n, kVectorCounts[random.below(counts)], random);
      const RotateOptions options{a.axis, either(random)};
      CAPTURE(a.shape.front());
      CAPTURE(options.axis);
      CAPTURE(options.inverse);
      const auto kinds = static_cast<std::int64_t>(std::size(kAngleKinds));
      const AngleKind kind =
          either(random) ? AngleKind::full_turn : kAngleKinds[random.below(kinds)];
      CAPTURE(kind);
      const auto parameters = parameters_of<R>(kind, schedule, either(random), random);
      const Array<T> x =
          either(random) ? mixed_vectors<T>(a.shape, a.axis, random) : random.array<T>(a.shape);
      check_rotate(x, parameters, schedule, options);
      check_vjp(random.array<T>(a.shape), random.array<T>(a.shape), parameters, schedule, options);
    }
  }
}

TEST_CASE_TEMPLATE("engines: matrix and its gradient, every schedule and size", R, float, double) {
  Random random(73);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const auto kinds = static_cast<std::int64_t>(std::size(kAngleKinds));
      const AngleKind kind =
          either(random) ? AngleKind::full_turn : kAngleKinds[random.below(kinds)];
      CAPTURE(kind);
      const Shape batch = n < 20 ? Shape{2} : Shape{};
      check_matrix(parameters_of<R>(kind, schedule, either(random), random, batch), schedule,
                   random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: any number of vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(74);
  for (const Schedule& schedule : {Schedule::xor_(20), Schedule::circle(21)}) {
    CAPTURE(schedule.repr());
    const auto parameters = parameters_of<R>(AngleKind::normal, schedule, true, random);
    for (const std::int64_t vectors : kVectorCounts) {
      CAPTURE(vectors);
      for (const bool inverse : {false, true}) {
        const Shape rows = {vectors, schedule.n()};
        const Shape columns = {schedule.n(), vectors};
        check_rotate(random.array<T>(rows), parameters, schedule, {-1, inverse});
        check_rotate(random.array<T>(columns), parameters, schedule, {-2, inverse});
        check_vjp(random.array<T>(rows), random.array<T>(rows), parameters, schedule,
                  {-1, inverse});
        check_vjp(random.array<T>(columns), random.array<T>(columns), parameters, schedule,
                  {-2, inverse});
      }
    }
  }
}
