// The CUDA engine for many numbers of vectors and of matrices.
#include <doctest/doctest.h>

#include <complex>
#include <cstdint>

#include "transform_checks.hpp"

using namespace test;

TEST_CASE_TEMPLATE("cuda: all numbers of vectors", T, GIVENS_TEST_TYPES) {
  Random random(14);
  for (const std::int64_t vectors : {0, 1, 2, 31, 33, 129, 300}) {
    if (kFew && (vectors == 2 || vectors == 31 || vectors == 300)) continue;
    for (const std::int64_t axis : {-1, -2}) {
      check_all<T>(Schedule::xor_(19), any_choice<T>(random), vectors, axis, random.below(2) == 1,
                   {}, random);
      check_all<T>(Schedule::circle(34), any_choice<T>(random), vectors, axis, random.below(2) == 1,
                   {}, random);
    }
  }
}

TEST_CASE_TEMPLATE("cuda: batches of matrices", T, GIVENS_TEST_TYPES) {
  Random random(15);
  for (const Shape& batch : {Shape{0}, Shape{1}, Shape{3, 4}, Shape{40}}) {
    if (kFew && batch == Shape{40}) continue;
    for (const std::int64_t n : {2, 5, 8, 17}) {
      check_all<T>(Schedule::xor_(n), any_choice<T>(random), 3, -1, false, batch, random);
      check_all<T>(Schedule::circle(n), any_choice<T>(random), 2, -2, true, batch, random);
    }
  }
}
