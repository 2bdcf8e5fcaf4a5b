// Half and bfloat16. Conversions round to nearest, and to even between two.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

struct Half {
  static float value(unsigned bits) {
    return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
  }
  static unsigned bits(float value) { return __half_as_ushort(__float2half_rn(value)); }
  static unsigned bits_of_double(double value) { return __half_as_ushort(__double2half(value)); }
  static constexpr unsigned infinity = 0x7c00;
};

struct Bfloat {
  static float value(unsigned bits) {
    return __bfloat162float(__ushort_as_bfloat16(static_cast<unsigned short>(bits)));
  }
  static unsigned bits(float value) { return __bfloat16_as_ushort(__float2bfloat16_rn(value)); }
  static unsigned bits_of_double(double value) {
    return __bfloat16_as_ushort(__double2bfloat16(value));
  }
  static constexpr unsigned infinity = 0x7f80;
};

TEST_CASE_TEMPLATE(
    "every number survives, and what is between two becomes the nearer or the even one", Format,
    Half, Bfloat) {
  for (unsigned bits = 0; bits < Format::infinity; ++bits) {
    const float value = Format::value(bits);
    REQUIRE(Format::bits(value) == bits);
    REQUIRE(Format::bits(-value) == (bits | 0x8000u));
    if (bits + 1 == Format::infinity) break;
    const double next = Format::value(bits + 1);
    const double middle = (value + next) / 2;
    REQUIRE(next > value);
    REQUIRE(Format::bits_of_double(middle) == bits + bits % 2);
    REQUIRE(Format::bits_of_double(std::nextafter(middle, 0)) == bits);
    REQUIRE(Format::bits_of_double(std::nextafter(middle, next)) == bits + 1);
  }
}

TEST_CASE_TEMPLATE("what is too large becomes infinite", Format, Half, Bfloat) {
  const double largest = Format::value(Format::infinity - 1);
  const double half_a_step = (largest - Format::value(Format::infinity - 2)) / 2;
  CHECK(Format::bits_of_double(std::nextafter(largest + half_a_step, 0)) == Format::infinity - 1);
  CHECK(Format::bits_of_double(largest + half_a_step) == Format::infinity);
  CHECK(Format::bits(std::numeric_limits<float>::max()) == Format::infinity);
  CHECK(Format::bits(-HUGE_VALF) == (Format::infinity | 0x8000u));
  CHECK(Format::value(Format::infinity) == HUGE_VALF);
  CHECK(Format::value(Format::infinity | 0x8000u) == -HUGE_VALF);
}

TEST_CASE_TEMPLATE("what is not a number stays so", Format, Half, Bfloat) {
  CHECK(Format::bits(std::nanf("")) == 0x7fff);
  CHECK(Format::bits(-std::nanf("")) == 0x7fff);
  CHECK(std::isnan(Format::value(0x7fff)));
  CHECK(std::isnan(Format::value(Format::infinity + 1)));
  CHECK(std::isnan(Format::value(0xffff)));
}

TEST_CASE("pairs are converted as their parts are") {
  const __half2 halves = __floats2half2_rn(0.1f, 70000.0f);
  CHECK(__half22float2(halves).x == Half::value(Half::bits(0.1f)));
  CHECK(__half22float2(halves).y == HUGE_VALF);
  const __nv_bfloat162 bfloats = __float22bfloat162_rn(make_float2(0.1f, 70000.0f));
  CHECK(__bfloat1622float2(bfloats).x == Bfloat::value(Bfloat::bits(0.1f)));
  CHECK(__bfloat1622float2(bfloats).y == Bfloat::value(Bfloat::bits(70000.0f)));
}

}  // namespace
