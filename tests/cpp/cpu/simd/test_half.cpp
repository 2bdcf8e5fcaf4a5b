// Conversions to and from 16 bits, of the CPU engines and of the reference engine, against all
// numbers of a format in order.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "givens/half.hpp"
#include "reference/half.hpp"
#include "runtime/floating_point.hpp"
#include "simd_functions.hpp"

namespace {

using givens::BFloat16;
using givens::Half;
using test::Conversions;

std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(x));
  return bits;
}

float from_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

template <class H>
H half_of(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(bits)};
}

template <class H>
struct Named {
  std::string name;
  Conversions<H> functions;
};

template <class H>
void widen_by_reference(const H* x, float* out) {
  for (int k = 0; k < 16; ++k) out[k] = givens::reference::widened(x[k]);
}
template <class H>
void round_by_reference(const float* x, H* out) {
  for (int k = 0; k < 16; ++k) out[k] = givens::reference::rounded<H>(x[k]);
}

template <class H>
std::vector<Named<H>> all_conversions() {
  std::vector<Named<H>> out{{"reference", {&widen_by_reference<H>, &round_by_reference<H>}}};
  for (const test::SimdFunctions& isa : test::instruction_sets()) {
    if constexpr (std::is_same_v<H, Half>) out.push_back({isa.name, isa.float16});
    if constexpr (std::is_same_v<H, BFloat16>) out.push_back({isa.name, isa.bfloat16});
  }
  return out;
}

// The values of the patterns from 0 to infinity, which stands for the power of two after the
// largest number: neighbours are equally far apart in the first two of so many, twice as far in the
// next, and so on.
template <class H>
std::vector<double> values() {
  constexpr bool kHalf = std::is_same_v<H, Half>;
  constexpr std::size_t kOfOnePower = kHalf ? 1024 : 128;
  constexpr std::size_t kInfinity = kHalf ? 0x7c00 : 0x7f80;
  double spacing = std::ldexp(1.0, kHalf ? -24 : -133);
  std::vector<double> out{0};
  while (out.size() <= kInfinity) {
    out.push_back(out.back() + spacing);
    if (out.size() % kOfOnePower == 1 && out.size() > 2 * kOfOnePower) spacing *= 2;
  }
  return out;
}

constexpr std::uint32_t kSign16 = 0x8000;
constexpr std::uint32_t kSign32 = 0x80000000;

// Calls check() as the thread is, and with subnormal floats flushed to zero.
template <class Check>
void with_and_without_subnormals(Check&& check) {
  for (const bool flush : {false, true}) {
    const givens::runtime::FlushSubnormals flushing(flush);
    check();
  }
}

}  // namespace

TEST_CASE_TEMPLATE("16 bits: all patterns become the same float", H, Half, BFloat16) {
  const std::vector<double> all = values<H>();
  const auto infinity = static_cast<std::uint32_t>(all.size() - 1);
  const auto expected = [&](std::uint32_t pattern) {  // for patterns up to infinity
    return pattern == infinity ? bits_of(INFINITY) : bits_of(static_cast<float>(all[pattern]));
  };
  std::vector<std::uint32_t> floats;
  for (std::uint32_t pattern = 0; pattern <= infinity; ++pattern) {
    floats.push_back(expected(pattern));
  }
  for (const Named<H>& conversions : all_conversions<H>()) {
    CAPTURE(conversions.name);
    with_and_without_subnormals([&] {
      int wrong = 0;
      for (std::uint32_t first = 0; first < 0x10000; first += 16) {
        std::array<H, 16> x;
        std::array<float, 16> got;
        for (std::uint32_t k = 0; k < 16; ++k) x[k] = half_of<H>(first + k);
        conversions.functions.widen(x.data(), got.data());
        for (std::uint32_t k = 0; k < 16; ++k) {
          const std::uint32_t pattern = (first + k) & ~kSign16;
          const std::uint32_t sign = (first + k) & kSign16 ? kSign32 : 0;
          const std::uint32_t bits = bits_of(got[k]);
          if (pattern > infinity) {
            wrong += (bits & ~kSign32) <= bits_of(INFINITY);  // no NaN
          } else {
            wrong += bits != (floats[pattern] | sign);
          }
        }
      }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE_TEMPLATE("16 bits: floats are rounded to nearest, ties to even", H, Half, BFloat16) {
  struct Case {
    std::uint32_t x;
    std::uint32_t expected;
  };
  // Every number, every midpoint between two, and its neighbours among the floats.
  const std::vector<double> all = values<H>();
  const auto infinity = static_cast<std::uint32_t>(all.size() - 1);
  std::vector<Case> cases;
  for (std::uint32_t k = 0; k < infinity; ++k) {
    const double midpoint = all[k] + (all[k + 1] - all[k]) / 2;
    const std::uint32_t middle = bits_of(static_cast<float>(midpoint));
    REQUIRE(static_cast<double>(from_bits(middle)) == midpoint);
    cases.insert(cases.end(), {{bits_of(static_cast<float>(all[k])), k},
                               {middle - 1, k},
                               {middle, k + k % 2},
                               {middle + 1, k + 1}});
  }
  for (const float x : {std::numeric_limits<float>::max(), INFINITY}) {
    cases.push_back({bits_of(x), infinity});
  }
  if (std::is_same_v<H, Half>) {
    for (const float x : {65536.0F, 65537.0F, 1e5F, 1e10F, 1e30F}) {
      cases.push_back({bits_of(x), infinity});
    }
    for (const float x : {0x1p-26F, 1e-20F, 1e-40F, std::numeric_limits<float>::denorm_min()}) {
      cases.push_back({bits_of(x), 0});
    }
  }
  while (cases.size() % 16 != 0) cases.push_back(cases.back());
  for (const Named<H>& conversions : all_conversions<H>()) {
    CAPTURE(conversions.name);
    with_and_without_subnormals([&] {
      for (const std::uint32_t sign : {0U, 1U}) {
        int wrong = 0;
        for (std::size_t first = 0; first < cases.size(); first += 16) {
          std::array<float, 16> x;
          std::array<H, 16> got;
          for (std::size_t k = 0; k < 16; ++k) {
            x[k] = from_bits(cases[first + k].x | sign * kSign32);
          }
          conversions.functions.round(x.data(), got.data());
          for (std::size_t k = 0; k < 16; ++k) {
            wrong += got[k].bits != (cases[first + k].expected | sign * kSign16);
          }
        }
        CHECK(wrong == 0);
      }
    });
  }
}

TEST_CASE_TEMPLATE("16 bits: NaN stays NaN, whatever its payload", H, Half, BFloat16) {
  const auto infinity = static_cast<std::uint32_t>(values<H>().size() - 1);
  std::vector<std::uint32_t> patterns;
  for (const std::uint32_t sign : {0U, kSign32}) {
    for (int bit = 0; bit < 23; ++bit) patterns.push_back(sign | 0x7f800000 | 1U << bit);
    patterns.push_back(sign | 0x7fffffff);
  }
  for (const Named<H>& conversions : all_conversions<H>()) {
    CAPTURE(conversions.name);
    for (const std::uint32_t pattern : patterns) {
      CAPTURE(pattern);
      std::array<float, 16> x{};
      x[5] = from_bits(pattern);
      std::array<H, 16> got;
      conversions.functions.round(x.data(), got.data());
      CHECK((got[5].bits & ~kSign16) > infinity);
      CHECK(got[4].bits == 0);
    }
  }
}
