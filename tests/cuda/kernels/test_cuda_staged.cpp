// Panels in global memory.
#include <doctest/doctest.h>

#include <complex>
#include <cstddef>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("cuda: too little shared memory for one column", T, GIVENS_TEST_TYPES) {
  Random random(16);
  const SmallSharedMemory small(1024);
  const Schedule all[] = {Schedule::circle(264, 2), Schedule::team(260, 8, 3),
                          Schedule::butterfly(264), Schedule::xor_(257), Schedule::brickwall(258)};
  const std::size_t count = kFew ? 2 : 5;
  for (std::size_t k = 0; k < count; ++k) {
    if (!takes<T>(k)) continue;
    const Schedule& schedule = all[k];
    const bool once = schedule.num_rotations() > 5000;
    check_all<T>(schedule, any_choice<T>(random), 1 + random.below(4), -1 - random.below(2),
                 random.below(2) == 1, once ? Shape{} : Shape{2}, random);
  }
}
