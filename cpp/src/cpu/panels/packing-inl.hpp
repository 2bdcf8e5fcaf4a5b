// Moving vectors between the caller's arrays and panels. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/half-inl.hpp"
#include "cpu/simd/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The columns of a panel in the caller's memory, which is counted in reals, S each: coordinate k of
// column c starts at data[k * row + offsets[c]]. A column is one of the caller's array; where F is
// real and the array complex, real and imaginary parts are columns of their own, as real rotations
// treat them alike. S is the real type of F, or a 16-bit type.
template <class S>
struct Columns {
  S* data;
  std::int64_t row;  // stride between coordinates
  const std::int64_t* offsets;
  std::int64_t count;

  // Whether each column is `step` behind the one before.
  bool consecutive(std::int64_t step) const {
    for (std::int64_t c = 1; c < count; ++c) {
      if (offsets[c] != offsets[0] + c * step) return false;
    }
    return true;
  }
};

// --- Between vector packs and elements in the caller's memory ---

// Loads kLanes consecutive elements.
template <class F, class S>
[[gnu::always_inline]] inline VectorPack<F> load_elements(const S* p) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    const Vector<R> first = load(p);
    const Vector<R> second = load(p + kLanes<R>);
    return {shuffle<EvenLanes>(first, second), shuffle<OddLanes>(first, second)};
  } else {
    return {load(p)};
  }
}

template <class F, class S>
[[gnu::always_inline]] inline void store_elements(S* p, const VectorPack<F>& x) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    store(p, shuffle<FirstHalvesInTurn>(x.re, x.im));
    store(p + kLanes<R>, shuffle<SecondHalvesInTurn>(x.re, x.im));
  } else {
    store(p, x.v);
  }
}

// Stores the first `count` of kLanes elements anywhere: one at each of `offsets`.
template <class F, class S>
[[gnu::always_inline]] inline void scatter_elements(S* p, const std::int64_t* offsets,
                                                    std::int64_t count, const VectorPack<F>& x) {
  S elements[kPackReals<F>];
  store_elements<F>(elements, x);
  for (std::int64_t k = 0; k < count; ++k) {
    std::copy_n(elements + k * kReals<F>, kReals<F>, p + offsets[k]);
  }
}

// Multiplies row s of a panel by factors[s].
template <class F>
void multiply_by(const std::vector<F>& factors, real_t<F>* panel, std::int64_t width) {
  for (std::size_t s = 0; s < factors.size(); ++s) {
    real_t<F>* row = panel + static_cast<std::int64_t>(s) * width;
    for (std::int64_t w = 0; w < width; w += kPackReals<F>) {
      times(VectorPack<F>::load_from(row + w), factors[s]).store_to(row + w);
    }
  }
}

// Whether the coordinates of a vector are consecutive in the caller's memory and the columns are
// not. Then kLanes coordinates of kLanes vectors are moved at a time, transposed in registers.
template <class F, class S>
bool vectors_are_contiguous(const Columns<S>& columns) {
  return columns.row == kReals<F> && !columns.consecutive(kReals<F>);
}

template <class R>
void clear_padding(const Plan& plan, R* panel, std::int64_t width) {
  for (std::int64_t s = 0; s < plan.rows; ++s) {
    if (plan.coordinate_of_row[static_cast<std::size_t>(s)] < 0) {
      std::fill_n(panel + s * width, width, R(0));
    }
  }
}

// The row of a panel that holds `coordinate`.
template <class R>
R* panel_row(const Plan& plan, R* panel, std::int64_t width, std::int64_t coordinate) {
  return panel + plan.row_of_coordinate[static_cast<std::size_t>(coordinate)] * width;
}

template <class F, class S>
void pack_row(const Columns<const S>& x, std::int64_t coordinate, bool contiguous, real_t<F>* row,
              std::int64_t width) {
  constexpr std::int64_t N = kLanes<real_t<F>>;
  const S* from = x.data + coordinate * x.row;
  for (std::int64_t c = 0; c * kReals<F> < width; c += N) {
    real_t<F>* pack_data = row + c * kReals<F>;
    const std::int64_t count = std::clamp<std::int64_t>(x.count - c, 0, N);
    if (contiguous && count == N) {
      load_elements<F>(from + x.offsets[c]).store_to(pack_data);
      continue;
    }
    for (std::int64_t part = 0; part < kReals<F>; ++part) {
      fill_lanes<S>(pack_data + part * N, count,
                    [&](std::int64_t k) { return from[x.offsets[c + k] + part]; });
    }
  }
}

template <class F, class Factor, class S>
void unpack_row(const real_t<F>* row, const Factor& factor, const Columns<S>& y,
                std::int64_t coordinate, bool contiguous) {
  constexpr std::int64_t N = kLanes<real_t<F>>;
  S* to = y.data + coordinate * y.row;
  for (std::int64_t c = 0; c < y.count; c += N) {
    const std::int64_t count = std::min(N, y.count - c);
    const VectorPack<F> x = times(VectorPack<F>::load_from(row + c * kReals<F>), factor);
    if (contiguous && count == N) {
      store_elements<F>(to + y.offsets[c], x);
    } else {
      scatter_elements<F>(to, y.offsets + c, count, x);
    }
  }
}

// Fills a panel: each row gets its coordinate of all columns. Rows of padding and columns beyond
// the count become zero.
template <class F, class S>
void pack(const Plan& plan, const Columns<const S>& x, real_t<F>* panel, std::int64_t width) {
  constexpr std::int64_t N = kLanes<real_t<F>>;
  const bool contiguous = x.consecutive(kReals<F>);
  const auto n = static_cast<std::int64_t>(plan.row_of_coordinate.size());
  std::int64_t first = 0;
  if (vectors_are_contiguous<F>(x)) {
    for (; first + N <= n; first += N) {
      for (std::int64_t c = 0; c * kReals<F> < width; c += N) {
        VectorPack<F> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] = c + k < x.count ? load_elements<F>(x.data + x.offsets[c + k] + first * x.row)
                                      : VectorPack<F>{};
        }
        transpose_packs<F>(square);
        for (std::int64_t k = 0; k < N; ++k) {
          square[k].store_to(panel_row(plan, panel, width, first + k) + c * kReals<F>);
        }
      }
    }
  }
  for (; first < n; ++first) {
    pack_row<F>(x, first, contiguous, panel_row(plan, panel, width, first), width);
  }
  clear_padding(plan, panel, width);
}

// Writes a panel back, row s times factors[s]. A Factor is an F or real.
template <class F, class Factor, class S>
void unpack(const Plan& plan, const real_t<F>* panel, std::int64_t width,
            const std::vector<Factor>& factors, const Columns<S>& y) {
  constexpr std::int64_t N = kLanes<real_t<F>>;
  const bool contiguous = y.consecutive(kReals<F>);
  const auto n = static_cast<std::int64_t>(plan.row_of_coordinate.size());
  const auto factor = [&](std::int64_t coordinate) {
    return factors[static_cast<std::size_t>(
        plan.row_of_coordinate[static_cast<std::size_t>(coordinate)])];
  };
  std::int64_t first = 0;
  if (vectors_are_contiguous<F>(y)) {
    for (; first + N <= n; first += N) {
      for (std::int64_t c = 0; c < y.count; c += N) {
        VectorPack<F> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] = times(
              VectorPack<F>::load_from(panel_row(plan, panel, width, first + k) + c * kReals<F>),
              factor(first + k));
        }
        transpose_packs<F>(square);
        for (std::int64_t k = 0; k < std::min(N, y.count - c); ++k) {
          store_elements<F>(y.data + y.offsets[c + k] + first * y.row, square[k]);
        }
      }
    }
  }
  for (; first < n; ++first) {
    unpack_row<F>(panel_row(plan, panel, width, first), factor(first), y, first, contiguous);
  }
}

}  // namespace givens::cpu::GIVENS_ISA
