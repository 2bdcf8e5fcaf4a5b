#pragma once

#include <math.h>

#include <cstdint>

namespace cuda_emulator {

// A number in a format of 16 bits.
template <int mantissa_bits>
class NarrowFloat {
 public:
  static constexpr unsigned infinity = ((1u << (15 - mantissa_bits)) - 1) << mantissa_bits;

  NarrowFloat() = default;
  // Rounded to nearest, and to even between two.
  explicit NarrowFloat(double value) : bits_(bits_of(value)) {}
  static NarrowFloat with_bits(unsigned bits) {
    NarrowFloat number;
    number.bits_ = static_cast<std::uint16_t>(bits);
    return number;
  }

  operator float() const { return value_of(bits_); }
  unsigned bits() const { return bits_; }

 private:
  static constexpr int exponent_bits = 15 - mantissa_bits;
  static constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  static constexpr int min_exponent = 1 - bias;
  static constexpr unsigned quiet_nan = 0x7fff;  // CUDA's, without a sign

  static std::uint16_t bits_of(double value) {
    if (isnan(value)) return quiet_nan;
    const unsigned sign = signbit(value) ? 0x8000u : 0u;
    const double magnitude = fabs(value);
    if (magnitude == 0) return static_cast<std::uint16_t>(sign);
    // Above the largest exponent there is infinity, and below the smallest the spacing of the
    // numbers stays what it is there.
    const int exponent = magnitude < ldexp(1.0, min_exponent) ? min_exponent
                         : magnitude >= ldexp(1.0, bias + 1)  ? bias + 1
                                                              : ilogb(magnitude);
    if (exponent > bias) return static_cast<std::uint16_t>(sign | infinity);
    const auto spacings =
        static_cast<unsigned>(nearbyint(ldexp(magnitude, mantissa_bits - exponent)));
    const unsigned bits =
        (static_cast<unsigned>(exponent - min_exponent) << mantissa_bits) + spacings;
    return static_cast<std::uint16_t>(sign | bits);
  }

  static float value_of(std::uint16_t bits) {
    const unsigned magnitude = bits & 0x7fffu;
    const unsigned mantissa = magnitude & ((1u << mantissa_bits) - 1);
    const int field = static_cast<int>(magnitude >> mantissa_bits);
    float value;
    if (magnitude >= infinity) {
      value = magnitude == infinity ? HUGE_VALF : NAN;
    } else if (field == 0) {
      value = ldexpf(static_cast<float>(mantissa), min_exponent - mantissa_bits);
    } else {
      value =
          ldexpf(static_cast<float>(mantissa | 1u << mantissa_bits), field - bias - mantissa_bits);
    }
    return (bits & 0x8000u) != 0 ? -value : value;
  }

  std::uint16_t bits_;
};

}  // namespace cuda_emulator
