// The CUDA engine's own sines and cosines against long double.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kernels/sincos.cuh"

namespace {

// sine_and_cosine promises 3 * 2^-53. The oracle's own error is 2^-64.
constexpr long double kTolerance = 3.01L * 0x1p-53L;

void check(double x) {
  double sine, cosine;
  givens::cuda::sine_and_cosine(x, &sine, &cosine);
  CAPTURE(x);
  REQUIRE(std::fabs(static_cast<long double>(sine) - std::sin(static_cast<long double>(x))) <=
          kTolerance);
  REQUIRE(std::fabs(static_cast<long double>(cosine) - std::cos(static_cast<long double>(x))) <=
          kTolerance);
}

void check_neighbours(double x) {
  for (const double sign : {1.0, -1.0}) {
    check(sign * x);
    check(sign * std::nextafter(x, 0.0));
    check(sign * std::nextafter(x, HUGE_VAL));
  }
}

TEST_CASE("sines and cosines of angles of every magnitude are within three halves of an ulp of 1") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> mantissa(1.0, 2.0);
  for (int exponent = -60; exponent < 1024; ++exponent) {
    check_neighbours(std::ldexp(1.0, exponent));
    for (int k = 0; k < 20; ++k) check(std::ldexp(mantissa(random), exponent));
  }
  check(0.0);
  check(std::numeric_limits<double>::denorm_min());
  check(-std::numeric_limits<double>::max());
}

TEST_CASE("and so are those near multiples of a quarter turn") {
  for (int k = 1; k < 2'000'000; k += k < 100 ? 1 : k / 50) {
    check_neighbours(static_cast<double>(1.57079632679489661923132L * k));
  }
}

TEST_CASE("an angle nearer to an odd number of quarter turns than any other keeps a cosine") {
  const double x = std::ldexp(6381956970095103.0, 797);
  double sine, cosine;
  givens::cuda::sine_and_cosine(x, &sine, &cosine);
  // The reduction is as good as 2^-104 of a half turn.
  CHECK(std::fabs(cosine - -4.68716592425462761112e-19) < 0x1p-101);
  CHECK(sine == 1.0);
}

TEST_CASE("an angle that is not finite has no sine and no cosine") {
  for (const double x : {HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    double sine = 0, cosine = 0;
    givens::cuda::sine_and_cosine(x, &sine, &cosine);
    CHECK(std::isnan(sine));
    CHECK(std::isnan(cosine));
  }
}

}  // namespace
