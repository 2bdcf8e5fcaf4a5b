// Half and bfloat16. Conversions round to nearest, and to even between two.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

template <class Format>
float value_of(unsigned bits) {
  return Format::with_bits(bits);
}

template <class Format>
unsigned bits_of(double value) {
  return Format(value).bits();
}

TEST_CASE_TEMPLATE(
    "every number survives, and what is between two becomes the nearer or the even one", Format,
    __half, __nv_bfloat16) {
  for (unsigned bits = 0; bits < Format::infinity; ++bits) {
    const float value = value_of<Format>(bits);
    REQUIRE(bits_of<Format>(value) == bits);
    REQUIRE(bits_of<Format>(-value) == (bits | 0x8000u));
    if (bits + 1 == Format::infinity) break;
    const double next = value_of<Format>(bits + 1);
    const double middle = (value + next) / 2;
    REQUIRE(next > value);
    REQUIRE(bits_of<Format>(middle) == bits + bits % 2);
    REQUIRE(bits_of<Format>(std::nextafter(middle, 0)) == bits);
    REQUIRE(bits_of<Format>(std::nextafter(middle, next)) == bits + 1);
  }
}

TEST_CASE_TEMPLATE("what is too large becomes infinite", Format, __half, __nv_bfloat16) {
  const double largest = value_of<Format>(Format::infinity - 1);
  const double half_a_step = (largest - value_of<Format>(Format::infinity - 2)) / 2;
  CHECK(bits_of<Format>(std::nextafter(largest + half_a_step, 0)) == Format::infinity - 1);
  CHECK(bits_of<Format>(largest + half_a_step) == Format::infinity);
  CHECK(bits_of<Format>(std::numeric_limits<float>::max()) == Format::infinity);
  CHECK(bits_of<Format>(-HUGE_VALF) == (Format::infinity | 0x8000u));
  CHECK(value_of<Format>(Format::infinity) == HUGE_VALF);
  CHECK(value_of<Format>(Format::infinity | 0x8000u) == -HUGE_VALF);
}

TEST_CASE_TEMPLATE("what is not a number stays so", Format, __half, __nv_bfloat16) {
  CHECK(bits_of<Format>(std::nanf("")) == 0x7fff);
  CHECK(bits_of<Format>(-std::nanf("")) == 0x7fff);
  CHECK(std::isnan(value_of<Format>(0x7fff)));
  CHECK(std::isnan(value_of<Format>(Format::infinity + 1)));
  CHECK(std::isnan(value_of<Format>(0xffff)));
}

TEST_CASE("CUDA's functions convert so") {
  CHECK(__half2float(__float2half_rn(0.1f)) == value_of<__half>(bits_of<__half>(0.1f)));
  CHECK(__bfloat162float(__float2bfloat16_rn(0.1f)) ==
        value_of<__nv_bfloat16>(bits_of<__nv_bfloat16>(0.1f)));
}

}  // namespace
