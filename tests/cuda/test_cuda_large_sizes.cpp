// The CUDA engine for sizes that take long on the emulator.
#include <doctest/doctest.h>

#include <complex>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

TEST_CASE("cuda: 257 coordinates") {
  Random random(13);
  if (kFew) return;
  check_all<float>(Schedule::xor_(257), {}, 3, -1, false, {}, random);
}

TEST_CASE_TEMPLATE("cuda: every schedule of 257 and 1000 coordinates", T, GIVENS_TEST_TYPES) {
  Random random(20);
  if (kFew) return;
  for (const std::int64_t n : {257, 1000}) {
    std::int64_t axis = n == 257 ? -1 : -2;  // and then the other, by turns
    for (const Schedule& schedule : large_schedules(n, n, random)) {
      check_on_device<T>(schedule, any_choice<T>(random), 2, axis, random.below(2) == 1, {},
                         random);
      axis = -3 - axis;
    }
  }
}

TEST_CASE_TEMPLATE("cuda: 257 and 1000 coordinates, few columns", T, GIVENS_TEST_TYPES) {
  Random random(18);
  if (kFew) return;
  for (const Schedule& schedule : {Schedule::circle(257, 5), Schedule::xor_(1000, 2)}) {
    check_all<T>(schedule, any_choice<T>(random), 2, -1 - random.below(2), random.below(2) == 1, {},
                 random);
  }
}
