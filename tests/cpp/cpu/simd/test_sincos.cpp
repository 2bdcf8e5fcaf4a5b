// Sine and cosine of the CPU engine, for every instruction set that this machine has,
// against values that have more digits.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "exact_sincos.hpp"
#include "simd_functions.hpp"

namespace {

using test::instruction_sets;
using test::SimdFunctions;
using test::SinCos;

constexpr double kLimit = 1e6;  // what sincos_reduced is for
const long double kHalfPi = std::acos(-1.0L) / 2;

// From -1 to 1, with all 53 bits.
double uniform(std::mt19937_64& bits) {
  return static_cast<double>(static_cast<std::int64_t>(bits())) / 9223372036854775808.0;
}

// Angles of every kind up to kLimit; R = float has floats only.
template <class R>
std::vector<double> angles() {
  std::vector<double> out;
  const auto add = [&](double value) {
    const R rounded = static_cast<R>(value);
    if (std::abs(rounded) <= static_cast<R>(kLimit)) {
      out.push_back(static_cast<double>(rounded));
      out.push_back(-static_cast<double>(rounded));
    }
  };
  std::mt19937_64 bits(61);
  for (int k = 0; k < 20000; ++k) {
    add(uniform(bits) * static_cast<double>(kHalfPi) / 2);  // not reduced
    add(uniform(bits) * 10);
    add(uniform(bits) * kLimit);
    add(std::ldexp(uniform(bits), static_cast<int>(bits() % 80) - 60));
  }
  // The multiples of pi/4: at the odd ones the quotient changes, at the even ones sine or cosine
  // all but vanishes. All up to 2000, then more and more sparsely up to the limit.
  for (std::int64_t k = 1; k < 2000000; k += k < 2000 ? 1 : 17) {
    const long double multiple = static_cast<long double>(k) * kHalfPi / 2;
    R value = static_cast<R>(multiple);
    add(static_cast<double>(value));
    for (R towards : {-std::numeric_limits<R>::max(), std::numeric_limits<R>::max()}) {
      R near = value;
      for (int step = 0; step < 3; ++step) {
        near = std::nextafter(near, towards);
        add(static_cast<double>(near));
      }
    }
  }
  add(kLimit);
  add(static_cast<double>(std::nextafter(static_cast<R>(kLimit), R(0))));
  add(0.0);  // and -0
  add(static_cast<double>(std::numeric_limits<R>::min()));
  add(static_cast<double>(std::numeric_limits<R>::denorm_min()));
  add(static_cast<double>(std::numeric_limits<R>::denorm_min()) * 12345);
  add(std::numeric_limits<double>::min() / 3);
  out.resize((out.size() + 7) / 8 * 8, 1.0);
  return out;
}

// The largest error beyond `absolute`, in units of `relative` times the value. At most 1 if all is
// right.
struct Errors {
  double relative;
  double absolute;
  double worst = 0;
  double worst_at = 0;

  void add(double x, double got, long double expected) {
    const long double error = std::abs(static_cast<long double>(got) - expected);
    const long double allowed = relative * std::abs(expected) + absolute;
    const double ratio =
        got == static_cast<double>(expected) ? 0.0 : static_cast<double>(error / allowed);
    if (ratio <= worst) return;
    worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
    worst_at = x;
  }
};

struct Expected {
  double x;
  long double sine;
  long double cosine;
};

std::vector<Expected> expected(const std::vector<double>& x) {
  std::vector<Expected> out;
  for (const double t : x) {
    const test::ExactSinCos exact = test::exact_sincos(t);
    out.push_back({t, exact.sine, exact.cosine});
  }
  return out;
}

void check(const SimdFunctions& isa, SinCos function, const std::vector<Expected>& all,
           double relative, double absolute) {
  CAPTURE(isa.name);
  Errors sine{relative, absolute};
  Errors cosine{relative, absolute};
  for (std::size_t first = 0; first < all.size(); first += 8) {
    double x[8], s[8], c[8];
    for (std::size_t k = 0; k < 8; ++k) x[k] = all[first + k].x;
    function(x, s, c);
    for (std::size_t k = 0; k < 8; ++k) {
      sine.add(x[k], s[k], all[first + k].sine);
      cosine.add(x[k], c[k], all[first + k].cosine);
    }
  }
  CAPTURE(sine.worst_at);
  CAPTURE(cosine.worst_at);
  CHECK(sine.worst <= 1);
  CHECK(cosine.worst <= 1);
}

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

}  // namespace

// The relative error in units of eps / 2: the reduced angle is rounded twice, which makes 2 for it
// and for its sine; the terms left out make less than 0.6 of the sine, r^16 / 17! at r = pi/4; the
// roundings of products and sums make 1.4 at most. The total is 4, or 2 eps, and a quarter is added
// for terms of second order. The absolute error comes from the third part of pi/2, which has 53
// bits from 2^-69 on, and its rounded product: 2^-102.7 each for 6.4e5 quotients.
TEST_CASE("sincos_reduced for double") {
  const std::vector<Expected> all = expected(angles<double>());
  for (const SimdFunctions& isa : instruction_sets()) {
    check(isa, isa.for_double, all, 2.25 * kEpsilon, 0x1p-101);
  }
}

// The relative error comes from the polynomials: 6.4e-11 at most, the cosine's. The absolute error
// comes from the second part of pi/2, which has 53 bits from 2^-34 on: 2^-67.7 for 6.4e5 quotients,
// and 2^-67 with its rounded product.
TEST_CASE("sincos_reduced for float") {
  const std::vector<Expected> all = expected(angles<float>());
  for (const SimdFunctions& isa : instruction_sets()) {
    check(isa, isa.for_float, all, 6.5e-11, 0x1p-67);
  }
}

TEST_CASE("sincos_any is the C library's, for any angle") {
  const double infinity = std::numeric_limits<double>::infinity();
  const double x[8] = {0.5,      -1e7,
                       1e30,     -1e300,
                       0.0,      std::numeric_limits<double>::denorm_min(),
                       infinity, std::numeric_limits<double>::quiet_NaN()};
  for (const SimdFunctions& isa : instruction_sets()) {
    CAPTURE(isa.name);
    double s[8], c[8];
    isa.any(x, s, c);
    for (int k = 0; k < 6; ++k) {
      CHECK(s[k] == std::sin(x[k]));
      CHECK(c[k] == std::cos(x[k]));
    }
    for (int k = 6; k < 8; ++k) {
      CHECK(std::isnan(s[k]));
      CHECK(std::isnan(c[k]));
    }
  }
}
