// Moving vectors between the caller's arrays and panels. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/simd/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The columns of a panel in the caller's memory, which is counted in reals: coordinate k of column
// c starts at data[k * row + offsets[c]]. A column is one of the caller's array; where F is real
// and the array complex, real and imaginary parts are columns of their own, as real rotations treat
// them alike.
template <class R>
struct Columns {
  R* data;
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
template <class F>
[[gnu::always_inline]] inline VectorPack<F> load_elements(const real_t<F>* p) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    const Vector<R> first = load(p);
    const Vector<R> second = load(p + kLanes<R>);
    return {shuffle<EvenLanes>(first, second), shuffle<OddLanes>(first, second)};
  } else {
    return {load(p)};
  }
}

template <class F>
[[gnu::always_inline]] inline void store_elements(real_t<F>* p, const VectorPack<F>& x) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    store(p, shuffle<FirstHalvesInTurn>(x.re, x.im));
    store(p + kLanes<R>, shuffle<SecondHalvesInTurn>(x.re, x.im));
  } else {
    store(p, x.v);
  }
}

// Sets element `lane` of a vector pack in a panel.
template <class F>
[[gnu::always_inline]] inline void set_lane(real_t<F>* pack_data, std::int64_t lane,
                                            const real_t<F>* from) {
  for (std::int64_t part = 0; part < kReals<F>; ++part) {
    pack_data[part * kLanes<real_t<F>> + lane] = from[part];
  }
}

template <class F>
[[gnu::always_inline]] inline void get_lane(const real_t<F>* pack_data, std::int64_t lane,
                                            real_t<F>* to) {
  for (std::int64_t part = 0; part < kReals<F>; ++part) {
    to[part] = pack_data[part * kLanes<real_t<F>> + lane];
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
template <class F, class R>
bool vectors_are_contiguous(const Columns<R>& columns) {
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

template <class F>
void pack_row(const Columns<const real_t<F>>& x, std::int64_t coordinate, bool contiguous,
              real_t<F>* row, std::int64_t width) {
  using R = real_t<F>;
  constexpr std::int64_t N = kLanes<R>;
  const R* from = x.data + coordinate * x.row;
  std::int64_t c = 0;
  if (contiguous) {
    for (; c + N <= x.count; c += N) {
      load_elements<F>(from + x.offsets[c]).store_to(row + c * kReals<F>);
    }
  }
  if (c * kReals<F> < width) std::fill(row + c * kReals<F>, row + width, R(0));
  for (; c < x.count; ++c) {
    set_lane<F>(row + c / N * kPackReals<F>, c % N, from + x.offsets[c]);
  }
}

template <class F, class Factor>
void unpack_row(const real_t<F>* row, const Factor& factor, const Columns<real_t<F>>& y,
                std::int64_t coordinate, bool contiguous) {
  using R = real_t<F>;
  constexpr std::int64_t N = kLanes<R>;
  R* to = y.data + coordinate * y.row;
  for (std::int64_t c = 0; c < y.count; c += N) {
    const VectorPack<F> x = times(VectorPack<F>::load_from(row + c * kReals<F>), factor);
    if (contiguous && c + N <= y.count) {
      store_elements<F>(to + y.offsets[c], x);
      continue;
    }
    R lanes[kPackReals<F>];
    x.store_to(lanes);
    for (std::int64_t k = 0; k < std::min(N, y.count - c); ++k) {
      get_lane<F>(lanes, k, to + y.offsets[c + k]);
    }
  }
}

// Fills a panel: each row gets its coordinate of all columns. Rows of padding and columns beyond
// the count become zero.
template <class F>
void pack(const Plan& plan, const Columns<const real_t<F>>& x, real_t<F>* panel,
          std::int64_t width) {
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
template <class F, class Factor>
void unpack(const Plan& plan, const real_t<F>* panel, std::int64_t width,
            const std::vector<Factor>& factors, const Columns<real_t<F>>& y) {
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
