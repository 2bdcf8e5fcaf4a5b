// Moving vectors between the caller's arrays and panels. Compiled for each instruction set; see
// engine_headers.hpp.
#if defined(GIVENS_CPU_PANELS_PACKING_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_PANELS_PACKING_INL_HPP
#undef GIVENS_CPU_PANELS_PACKING_INL_HPP
#else
#define GIVENS_CPU_PANELS_PACKING_INL_HPP
#endif

#include "cpu/panels/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The columns of a panel in the caller's memory: column c of row k starts at data[k * row +
// offsets[c]], reals all. A column of F is a column of the caller's array, or where F is real and
// the array complex its real or its imaginary part, which real rotations treat alike.
template <class R>
struct Columns {
  R* data;
  std::int64_t row;  // stride between coordinates
  const std::int64_t* offsets;
  std::int64_t count;

  // Whether they follow one another, `step` apart.
  bool consecutive(std::int64_t step) const {
    for (std::int64_t c = 1; c < count; ++c) {
      if (offsets[c] != offsets[0] + c * step) return false;
    }
    return true;
  }
};

// --- Between segments and elements in the caller's memory ---

// kLanes elements that follow one another.
template <class F>
[[gnu::always_inline]] inline VectorPack<F> load_elements(const real_t<F>* p) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
    typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
    Order even{};
    for (int k = 0; k < static_cast<int>(kLanes<R>); ++k) even[k] = 2 * k;
    const Vector<R> low = load(p);
    const Vector<R> high = load(p + kLanes<R>);
    return {__builtin_shuffle(low, high, even), __builtin_shuffle(low, high, even + 1)};
  } else {
    return {load(p)};
  }
}

template <class F>
[[gnu::always_inline]] inline void store_elements(real_t<F>* p, const VectorPack<F>& x) {
  using R = real_t<F>;
  if constexpr (is_complex_v<F>) {
    typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
    typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
    constexpr int L = static_cast<int>(kLanes<R>);
    Order low{};
    for (int k = 0; k < L; ++k) low[k] = k / 2 + k % 2 * L;
    store(p, __builtin_shuffle(x.re, x.im, low));
    store(p + L, __builtin_shuffle(x.re, x.im, low + L / 2));
  } else {
    store(p, x.v);
  }
}

// Element `lane` of a segment in a panel.
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

// Whether vectors are contiguous in the caller's memory, and not what follows one another there the
// columns: then kLanes coordinates of as many vectors are moved at a time, as squares that are
// transposed.
template <class F, class R>
bool vectors_are_contiguous(const Columns<R>& columns) {
  return columns.row == kReals<F> && !columns.consecutive(kReals<F>);
}

template <class R>
void fill_padding(const Plan& plan, R* panel, std::int64_t width) {
  for (std::int64_t s = 0; s < plan.rows; ++s) {
    if (plan.coordinate_of_row[static_cast<std::size_t>(s)] < 0) {
      std::fill_n(panel + s * width, width, R(0));
    }
  }
}

// Row `coordinate` of a panel.
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

// Fills a panel: slot s gets the row of its coordinate; padding and columns beyond the count are
// zero.
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
  fill_padding(plan, panel, width);
}

// Writes a panel back, the row of slot s times factors[s], of F or real.
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

#endif
