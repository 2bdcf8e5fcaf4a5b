// Every engine: all schedules, sizes and numbers of vectors.
#include <doctest/doctest.h>

#include <algorithm>
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
#if defined(__aarch64__)
  std::vector<std::string> expected = {"neon"};
#else
  std::vector<std::string> expected = {"baseline"};
#endif
#if defined(__x86_64__)
  __builtin_cpu_init();
#if defined(GIVENS_HAS_avx2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    expected.insert(expected.begin(), "avx2");
  }
#endif
#if defined(GIVENS_HAS_avx512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    expected.insert(expected.begin(), "avx512");
  }
#endif
#endif
  CHECK(names == expected);
  names.emplace_back("reference");
  CHECK(givens::backends() == names);

  const Engine* chosen = givens::cpu::engine();  // null if the environment says "reference"
  const std::vector<const Engine*> all = engines();
  CHECK((chosen == nullptr || std::count(all.begin(), all.end(), chosen) == 1));
}

TEST_CASE_TEMPLATE("engines: rotate and its gradient, every schedule and size", T,
                   GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(72);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      // Many large vectors would take long.
      const auto counts = static_cast<std::int64_t>(std::size(kVectorCounts)) - (n < 60 ? 0 : 7);
      const Arrangement a = arrangement(n, kVectorCounts[random.below(counts)], random);
      const RotateOptions options{a.axis, either(random)};
      CAPTURE(a.shape.front());
      CAPTURE(options.axis);
      CAPTURE(options.inverse);
      const AngleKind angles = any_angles(random);
      const AngleKind phases = any_angles(random);
      CAPTURE(angles);
      CAPTURE(phases);
      const Choice choice = any_choice<T>(random);
      CAPTURE(choice);
      const auto parameters = parameters_of<R>(angles, phases, schedule, choice, random);
      const Array<T> x =
          either(random) ? mixed_vectors<T>(a.shape, a.axis, random) : random.array<T>(a.shape);
      check_rotate(x, parameters, schedule, options);
      check_vjp(random.array<T>(a.shape), random.array<T>(a.shape), parameters, schedule, options);
    }
  }
}

TEST_CASE_TEMPLATE("engines: matrix and its gradient, every schedule and size", T,
                   GIVENS_TEST_TYPES) {
  Random random(73);
  for (const std::int64_t n : kEngineSizes) {
    for (const Schedule& schedule : test::schedules(n, random)) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const AngleKind angles = any_angles(random);
      const AngleKind phases = any_angles(random);
      CAPTURE(angles);
      CAPTURE(phases);
      const Choice choice = any_choice<T>(random);
      CAPTURE(choice);
      const Shape batch = n < 20 ? Shape{2} : Shape{};
      check_matrix<T>(parameters_of<real_t<T>>(angles, phases, schedule, choice, random, batch),
                      schedule, random);
    }
  }
}

// From these sizes on panels rotate only what is not zero in their columns: full panels with even
// and odd columns apart, and one that is not full.
TEST_CASE_TEMPLATE("engines: matrix and its gradient, columns with few nonzero rows", T,
                   GIVENS_TEST_TYPES) {
  Random random(86);
  for (const Schedule& schedule :
       {Schedule::circle(258), Schedule::circle(321, 264), Schedule::brickwall(256)}) {
    if (too_long(schedule.n(), random)) continue;
    CAPTURE(schedule.repr());
    const Choice choice = any_choice<T>(random);
    CAPTURE(choice);
    check_matrix<T>(random_parameters<real_t<T>>(schedule, choice, random), schedule, random);
  }
}

TEST_CASE_TEMPLATE("engines: any number of columns", T, GIVENS_TEST_TYPES) {
  Random random(85);
  const std::int64_t n = 66;
  for (const std::int64_t columns : kVectorCounts) {
    if (columns > n) continue;
    for (const Schedule& schedule : {Schedule::xor_(n, columns), Schedule::circle(n, columns)}) {
      if (too_long(n, random)) continue;
      CAPTURE(schedule.repr());
      const Choice choice = any_choice<T>(random);
      CAPTURE(choice);
      check_matrix<T>(random_parameters<real_t<T>>(schedule, choice, random), schedule, random);
    }
  }
}

TEST_CASE_TEMPLATE("engines: few vectors, coefficients by runs of steps", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(89);
  // At 200 a plan has more rotations than a run may have.
  for (const Schedule& schedule :
       {Schedule::xor_(200), Schedule::circle(201), Schedule::brickwall(200)}) {
    if (too_long(schedule.n(), random)) continue;
    for (const bool inverse : {false, true}) {
      for (const bool vectors_in_rows : {false, true}) {
        CAPTURE(schedule.repr());
        CAPTURE(inverse);
        CAPTURE(vectors_in_rows);
        const Shape shape = vectors_in_rows ? Shape{2, 3, schedule.n()} : Shape{2, schedule.n(), 3};
        const RotateOptions options{vectors_in_rows ? -1 : -2, inverse, 1};
        // Two matrices, which share the diagonal but not the angles.
        const auto parameters = parameters_of<R>(AngleKind::normal, AngleKind::full_turn, schedule,
                                                 full_choice<T>(), random, {{2}, {1}, {1}});
        check_vectors<T>(shape, parameters, schedule, options, random);
      }
    }
  }
}

TEST_CASE_TEMPLATE("engines: any number of vectors", T, GIVENS_TEST_TYPES) {
  using R = real_t<T>;
  Random random(74);
  for (const Schedule& schedule : {Schedule::xor_(20), Schedule::circle(21)}) {
    CAPTURE(schedule.repr());
    for (const std::int64_t vectors : kVectorCounts) {
      CAPTURE(vectors);
      for (const bool inverse : {false, true}) {
        CAPTURE(inverse);
        for (const bool as_rows : {false, true}) {
          const Choice choice = any_choice<T>(random);
          CAPTURE(as_rows);
          CAPTURE(choice);
          const auto parameters =
              parameters_of<R>(AngleKind::normal, AngleKind::full_turn, schedule, choice, random);
          const Shape shape = as_rows ? Shape{vectors, schedule.n()} : Shape{schedule.n(), vectors};
          const RotateOptions options{as_rows ? -1 : -2, inverse};
          check_vectors<T>(shape, parameters, schedule, options, random);
        }
      }
    }
  }
}
