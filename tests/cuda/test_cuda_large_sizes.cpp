// The CUDA engine for sizes that take long on the emulator.
#include <doctest/doctest.h>

#include <complex>
#include <cstdint>
#include <vector>

#include "transform_checks.hpp"

using namespace test;

TEST_CASE("cuda: 257 coordinates") {
  Random random(13);
  if (kFew) return;
  check_all<float>(Schedule::xor_(257), {}, 3, -1, false, {}, random);
}

TEST_CASE_TEMPLATE("cuda: every schedule of 257 coordinates", T, GIVENS_TEST_TYPES) {
  Random random(20);
  if (kFew) return;
  std::int64_t axis = -1;  // and then the other, by turns
  for (const Schedule& schedule : large_schedules(257, 257, random)) {
    check_on_device<T>(schedule, any_choice<T>(random), 2, axis, random.below(2) == 1, {}, random);
    axis = -3 - axis;
  }
}

// Each takes seconds, so that the schedules go with the types by turns.
TEST_CASE_TEMPLATE("cuda: 1000 coordinates", T, GIVENS_TEST_TYPES) {
  Random random(22);
  if (kFew) return;
  const std::vector<Schedule> schedules = large_schedules(1000, 1000, random);
  const std::size_t first = 2 * givens::is_complex_v<T> + (sizeof(real_t<T>) == 8);
  for (std::size_t k = first; k < schedules.size(); k += 4) {
    check_on_device<T>(schedules[k], any_choice<T>(random), 2, -1 - random.below(2),
                       random.below(2) == 1, {}, random);
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
