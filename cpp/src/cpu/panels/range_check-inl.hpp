// Whether the numbers in a panel are in the range that fast rotations need; columns that are not
// are moved to a panel of their own. Compiled for each
// instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

struct RangeCheck {
  // All numbers are finite and at most `largest` in size.
  bool in_range;
  // Every column is zero or has a number above 2^-40, so that flushing subnormal numbers to zero
  // changes it by less than 2^-80 of its length.
  bool may_flush;
};

template <class R>
RangeCheck range_check(const R* panel, std::int64_t rows, std::int64_t width, R largest) {
  using Integer = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
  constexpr Integer kMagnitude = std::numeric_limits<Integer>::max();
  Bits<R> excessive{};
  Bits<R> small{};
  const auto check_columns = [&](std::int64_t first, auto vectors) {
    Vector<R> greatest[vectors.value] = {};
    for (std::int64_t s = 0; s < rows; ++s) {
      unrolled<vectors.value>([&](auto v) __attribute__((always_inline)) {
        const Vector<R> x = load(panel + s * width + first + v * kLanes<R>);
        const auto size = from_bits(bits_of(x) & kMagnitude);
        excessive |= ~(size <= largest);  // true also for NaN
        greatest[v] = size > greatest[v] ? size : greatest[v];
      });
    }
    for (const Vector<R>& size : greatest) small |= (size > R(0)) & (size <= R(0x1p-40));
  };
  // Several vectors at a time: whole lines of the cache.
  constexpr int kAtOnce = 4;
  std::int64_t w = 0;
  for (; w + kAtOnce * kLanes<R> <= width; w += kAtOnce * kLanes<R>) {
    check_columns(w, std::integral_constant<int, kAtOnce>{});
  }
  for (; w < width; w += kLanes<R>) check_columns(w, std::integral_constant<int, 1>{});
  return {none<R>(excessive), none<R>(small)};
}

// For each real of a panel's rows: 1 if its column has a number that is not finite or above
// `largest`.
template <class F>
std::vector<char> excessive_columns(const real_t<F>* panel, std::int64_t rows, std::int64_t width,
                                    real_t<F> largest) {
  std::vector<char> out(static_cast<std::size_t>(width));
  for (std::int64_t s = 0; s < rows; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      out[static_cast<std::size_t>(c)] |= !(std::abs(panel[s * width + c]) <= largest);
    }
  }
  if constexpr (is_complex_v<F>) {
    constexpr auto L = static_cast<std::size_t>(kLanes<real_t<F>>);
    for (std::size_t c = 0; c < out.size(); c += 2 * L) {
      for (std::size_t k = c; k < c + L; ++k) out[k] = out[k + L] = out[k] | out[k + L];
    }
  }
  return out;
}

// Moves the chosen columns into the panel `others`, which is zero elsewhere, and leaves zeros in
// their place.
template <class R>
void set_apart(R* panel, R* others, std::int64_t rows, std::int64_t width,
               const std::vector<char>& chosen) {
  for (std::int64_t s = 0; s < rows; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      const bool here = chosen[static_cast<std::size_t>(c)] != 0;
      others[s * width + c] = here ? panel[s * width + c] : R(0);
      if (here) panel[s * width + c] = R(0);
    }
  }
}

// Moves the columns back that set_apart moved away.
template <class R>
void bring_back(R* panel, const R* others, std::int64_t rows, std::int64_t width,
                const std::vector<char>& chosen) {
  for (std::int64_t s = 0; s < rows; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      if (chosen[static_cast<std::size_t>(c)]) panel[s * width + c] = others[s * width + c];
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA
