// The CUDA engine for many schedules, sizes and angles.
#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("cuda: every schedule, all sizes", T, GIVENS_TEST_TYPES) {
  Random random(11);
  for (const std::int64_t n : {0, 1, 2, 3, 8, 13, 31, 32, 33}) {
    if (kFew && (n == 31 || n == 32)) continue;
    if (kFewest && n != 3 && n != 13) continue;
    for (const Schedule& schedule : schedules(n, random)) {
      check_all<T>(schedule, any_choice<T>(random), 1 + random.below(5), -1 - random.below(2),
                   random.below(2) == 1, {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: larger sizes", T, GIVENS_TEST_TYPES) {
  Random random(12);
  // Seven schedules, an odd number: a type takes each of them with two of the sizes.
  std::size_t number = 0;
  for (const std::int64_t n : {64, 100, 127, 129}) {
    if (kFewest || (kFew && n > 64)) break;
    for (const Schedule& schedule : large_schedules(n, n % 2 == 0 ? n - 3 : n, random)) {
      if (!takes<T>(number++)) continue;
      check_all<T>(schedule, any_choice<T>(random), 1 + random.below(9), -1 - random.below(2),
                   random.below(2) == 1, {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: angles near the limits of fast rotations", T, GIVENS_TEST_TYPES) {
  if (kFew) return;  // other angles run the same instructions
  Random random(17);
  using R = real_t<T>;
  for (const AngleKind kind : kAngleKinds) {
    CAPTURE(static_cast<int>(kind));
    for (const Schedule& schedule : {Schedule::xor_(33), Schedule::circle(40),
                                     Schedule::team(33, 8), Schedule::brickwall(20)}) {
      CAPTURE(schedule.repr());
      const PlansOfTest plans;
      auto parameters = random_parameters<R>(schedule, full_choice<T>(), random, {});
      parameters.angles = angles_of<R>(kind, schedule, random);
      const auto x = random.array<T>({3, schedule.n()});
      const auto gy = random.array<T>({3, schedule.n()});
      check_on_device(x, gy, parameters, schedule, {});
    }
  }
}
