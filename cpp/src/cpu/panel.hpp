// Moving vectors between the caller's arrays and panels. Compiled for each instruction set; see
// simd.hpp.

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

// Rows become the columns of a square of kLanes x kLanes.
template <class R>
[[gnu::always_inline]] inline void transpose_square(Vector<R>* v) {
  constexpr int N = static_cast<int>(kLanes<R>);
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  // log2 N times: element 2 m, 2 m + 1 of the result are element m of the two halves' vectors.
#pragma GCC unroll 4
  for (int round = 1; round < N; round *= 2) {
    Vector<R> next[N];
#pragma GCC unroll 8
    for (int m = 0; m < N / 2; ++m) {
      Order low{}, high{};
      for (int k = 0; k < N / 2; ++k) {
        low[2 * k] = k;
        low[2 * k + 1] = N + k;
        high[2 * k] = N / 2 + k;
        high[2 * k + 1] = N + N / 2 + k;
      }
      next[2 * m] = __builtin_shuffle(v[m], v[m + N / 2], low);
      next[2 * m + 1] = __builtin_shuffle(v[m], v[m + N / 2], high);
    }
#pragma GCC unroll 16
    for (int m = 0; m < N; ++m) v[m] = next[m];
  }
}

template <class F>
[[gnu::always_inline]] inline void transpose_segments(Segment<F>* square) {
  using R = real_t<F>;
  constexpr int N = static_cast<int>(kLanes<R>);
  Vector<R> v[N];
  if constexpr (is_complex_v<F>) {
    for (int k = 0; k < N; ++k) v[k] = square[k].re;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].re = v[k];
    for (int k = 0; k < N; ++k) v[k] = square[k].im;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].im = v[k];
  } else {
    for (int k = 0; k < N; ++k) v[k] = square[k].v;
    transpose_square<R>(v);
    for (int k = 0; k < N; ++k) square[k].v = v[k];
  }
}

// --- Between segments and elements in the caller's memory ---

// kLanes elements that follow one another.
template <class F>
[[gnu::always_inline]] inline Segment<F> load_elements(const real_t<F>* p) {
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
[[gnu::always_inline]] inline void store_elements(real_t<F>* p, const Segment<F>& x) {
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
[[gnu::always_inline]] inline void set_lane(real_t<F>* segment, std::int64_t lane,
                                            const real_t<F>* from) {
  for (std::int64_t part = 0; part < kParts<F>; ++part) {
    segment[part * kLanes<real_t<F>> + lane] = from[part];
  }
}

template <class F>
[[gnu::always_inline]] inline void get_lane(const real_t<F>* segment, std::int64_t lane,
                                            real_t<F>* to) {
  for (std::int64_t part = 0; part < kParts<F>; ++part) {
    to[part] = segment[part * kLanes<real_t<F>> + lane];
  }
}

[[gnu::always_inline]] inline float conjugate(float x) { return x; }
[[gnu::always_inline]] inline double conjugate(double x) { return x; }
template <class R>
[[gnu::always_inline]] inline std::complex<R> conjugate(const std::complex<R>& x) {
  return {x.real(), -x.imag()};
}

template <class R>
[[gnu::always_inline]] inline Segment<R> times(const Segment<R>& x, R factor) {
  return {x.v * factor};
}

template <class R>
[[gnu::always_inline]] inline Segment<std::complex<R>> times(const Segment<std::complex<R>>& x,
                                                             R factor) {
  return {x.re * factor, x.im * factor};
}

template <class R>
[[gnu::always_inline]] inline Segment<std::complex<R>> times(const Segment<std::complex<R>>& x,
                                                             const std::complex<R>& factor) {
  const R re = factor.real();
  const R im = factor.imag();
  return {x.re * re - x.im * im, x.im * re + x.re * im};
}

// Multiplies row s of a panel by factors[s].
template <class F>
void multiply_by(const std::vector<F>& factors, real_t<F>* panel, std::int64_t width) {
  for (std::size_t s = 0; s < factors.size(); ++s) {
    real_t<F>* row = panel + static_cast<std::int64_t>(s) * width;
    for (std::int64_t w = 0; w < width; w += kSegment<F>) {
      times(Segment<F>::load_from(row + w), factors[s]).store_to(row + w);
    }
  }
}

// Whether vectors are contiguous in the caller's memory, and not what follows one another there the
// columns: then kLanes coordinates of as many vectors are moved at a time, as squares that are
// transposed.
template <class F, class R>
bool vectors_are_contiguous(const Columns<R>& columns) {
  return columns.row == kParts<F> && !columns.consecutive(kParts<F>);
}

template <class R>
void fill_padding(const Plan& plan, R* panel, std::int64_t width) {
  for (std::int64_t s = 0; s < plan.slots; ++s) {
    if (plan.coordinate_of_slot[static_cast<std::size_t>(s)] < 0) {
      std::fill_n(panel + s * width, width, R(0));
    }
  }
}

// The order of U's columns `first` .. first + count - 1 in a panel. See Plan::columns_by_parity.
struct ColumnOrder {
  // `reals` in a row of each column.
  ColumnOrder(const Plan& plan, std::int64_t first_column, std::int64_t columns, std::int64_t reals)
      : first(first_column),
        count(columns),
        reals_of_each(reals),
        by_parity(plan.columns_by_parity && Reach::pays(plan) && reals == 1 &&
                  columns % (2 * kPartReals) == 0) {}

  std::int64_t place_of(std::int64_t column) const {
    return by_parity ? column % 2 * (count / 2) + column / 2 : column;
  }

  void find_reach(const Plan& plan, Reach& reach) const {
    std::int32_t coordinates[kMostColumns];
    for (std::int64_t c = 0; c < count; ++c) {
      coordinates[place_of(c)] = static_cast<std::int32_t>(first + c);
    }
    reach.find(plan, coordinates, count, reals_of_each);
  }

  static constexpr std::int64_t kMostColumns = 8 * kPartReals;
  const std::int64_t first;
  const std::int64_t count;
  const std::int64_t reals_of_each;
  const bool by_parity;
};

// Puts the elements of a panel's rows that are by_parity in the order of ColumnOrder, or back.
template <bool Back, class R>
void order_columns(const ColumnOrder& order, R* panel, std::int64_t slots, std::int64_t width) {
  if (!order.by_parity) return;
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index Order __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  constexpr int L = static_cast<int>(kLanes<R>);
  Order even{}, low{};
  for (int k = 0; k < L; ++k) {
    even[k] = 2 * k;
    low[k] = k / 2 + k % 2 * L;
  }
  const std::int64_t half = order.count / 2;
  for (R* row = panel; row < panel + slots * width; row += width) {
    R before[ColumnOrder::kMostColumns];
    std::copy_n(row, order.count, before);
    for (std::int64_t w = 0; w < half; w += L) {
      if constexpr (Back) {
        const Vector<R> u = load(before + w);
        const Vector<R> v = load(before + half + w);
        store(row + 2 * w, __builtin_shuffle(u, v, low));
        store(row + 2 * w + L, __builtin_shuffle(u, v, low + L / 2));
      } else {
        const Vector<R> u = load(before + 2 * w);
        const Vector<R> v = load(before + 2 * w + L);
        store(row + w, __builtin_shuffle(u, v, even));
        store(row + half + w, __builtin_shuffle(u, v, even + 1));
      }
    }
  }
}

// Row `coordinate` of a panel.
template <class R>
R* panel_row(const Plan& plan, R* panel, std::int64_t width, std::int64_t coordinate) {
  return panel + plan.slot_of_coordinate[static_cast<std::size_t>(coordinate)] * width;
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
      load_elements<F>(from + x.offsets[c]).store_to(row + c * kParts<F>);
    }
  }
  if (c * kParts<F> < width) std::fill(row + c * kParts<F>, row + width, R(0));
  for (; c < x.count; ++c) {
    set_lane<F>(row + c / N * kSegment<F>, c % N, from + x.offsets[c]);
  }
}

template <class F, class Factor>
void unpack_row(const real_t<F>* row, const Factor& factor, const Columns<real_t<F>>& y,
                std::int64_t coordinate, bool contiguous) {
  using R = real_t<F>;
  constexpr std::int64_t N = kLanes<R>;
  R* to = y.data + coordinate * y.row;
  for (std::int64_t c = 0; c < y.count; c += N) {
    const Segment<F> x = times(Segment<F>::load_from(row + c * kParts<F>), factor);
    if (contiguous && c + N <= y.count) {
      store_elements<F>(to + y.offsets[c], x);
      continue;
    }
    R lanes[kSegment<F>];
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
  const bool contiguous = x.consecutive(kParts<F>);
  const auto n = static_cast<std::int64_t>(plan.slot_of_coordinate.size());
  std::int64_t first = 0;
  if (vectors_are_contiguous<F>(x)) {
    for (; first + N <= n; first += N) {
      for (std::int64_t c = 0; c * kParts<F> < width; c += N) {
        Segment<F> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] = c + k < x.count ? load_elements<F>(x.data + x.offsets[c + k] + first * x.row)
                                      : Segment<F>{};
        }
        transpose_segments<F>(square);
        for (std::int64_t k = 0; k < N; ++k) {
          square[k].store_to(panel_row(plan, panel, width, first + k) + c * kParts<F>);
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
  const bool contiguous = y.consecutive(kParts<F>);
  const auto n = static_cast<std::int64_t>(plan.slot_of_coordinate.size());
  const auto factor = [&](std::int64_t coordinate) {
    return factors[static_cast<std::size_t>(
        plan.slot_of_coordinate[static_cast<std::size_t>(coordinate)])];
  };
  std::int64_t first = 0;
  if (vectors_are_contiguous<F>(y)) {
    for (; first + N <= n; first += N) {
      for (std::int64_t c = 0; c < y.count; c += N) {
        Segment<F> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] =
              times(Segment<F>::load_from(panel_row(plan, panel, width, first + k) + c * kParts<F>),
                    factor(first + k));
        }
        transpose_segments<F>(square);
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

// What there is to know of the numbers in a panel.
struct Survey {
  // All are finite and at most `largest`.
  bool moderate;
  // Every column is zero or has an entry above 2^-40, so that flushing subnormal numbers to zero
  // changes it by less than 2^-80 of its length.
  bool may_flush;
};

template <class R>
Survey survey(const R* panel, std::int64_t slots, std::int64_t width, R largest) {
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Integer;
  typedef Integer Mask __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  constexpr Integer kMagnitude = std::numeric_limits<Integer>::max();
  Mask excessive{};
  Mask small{};
  const auto survey_columns = [&](std::int64_t first, auto vectors) {
    Vector<R> greatest[vectors.value] = {};
    for (std::int64_t s = 0; s < slots; ++s) {
      unrolled<vectors.value>([&](auto v) __attribute__((always_inline)) {
        const Vector<R> x = load(panel + s * width + first + v * kLanes<R>);
        const auto size = (Vector<R>)((Mask)x & kMagnitude);
        excessive |= ~(size <= largest);  // true also for NaN
        greatest[v] = size > greatest[v] ? size : greatest[v];
      });
    }
    for (const Vector<R>& size : greatest) small |= (size > R(0)) & (size <= R(0x1p-40));
  };
  // Whole lines of the cache at a time, and more.
  constexpr int kAtOnce = 4;
  std::int64_t w = 0;
  for (; w + kAtOnce * kLanes<R> <= width; w += kAtOnce * kLanes<R>) {
    survey_columns(w, std::integral_constant<int, kAtOnce>{});
  }
  for (; w < width; w += kLanes<R>) survey_columns(w, std::integral_constant<int, 1>{});
  bool moderate = true;
  bool may_flush = true;
  for (std::int64_t k = 0; k < kLanes<R>; ++k) {
    moderate = moderate && excessive[k] == 0;
    may_flush = may_flush && small[k] == 0;
  }
  return {moderate, may_flush};
}

// 1 for the reals of a panel's rows that belong to columns that are not moderate.
template <class F>
std::vector<char> excessive_columns(const real_t<F>* panel, std::int64_t slots, std::int64_t width,
                                    real_t<F> largest) {
  std::vector<char> out(static_cast<std::size_t>(width));
  for (std::int64_t s = 0; s < slots; ++s) {
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

// Moves the columns that `chosen` names into a panel that is otherwise zero, and leaves zeros in
// their place.
template <class R>
void set_apart(R* panel, R* others, std::int64_t slots, std::int64_t width,
               const std::vector<char>& chosen) {
  for (std::int64_t s = 0; s < slots; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      const bool here = chosen[static_cast<std::size_t>(c)] != 0;
      others[s * width + c] = here ? panel[s * width + c] : R(0);
      if (here) panel[s * width + c] = R(0);
    }
  }
}

// Brings the columns that `set_apart` moved back.
template <class R>
void bring_back(R* panel, const R* others, std::int64_t slots, std::int64_t width,
                const std::vector<char>& chosen) {
  for (std::int64_t s = 0; s < slots; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      if (chosen[static_cast<std::size_t>(c)]) panel[s * width + c] = others[s * width + c];
    }
  }
}

// While one lives, subnormal numbers are zero on this thread, if `wanted`. Arithmetic with them is
// many times slower, and long products of sines, as in the columns of the identity, get there.
class FlushSubnormals {
 public:
  explicit FlushSubnormals(bool wanted) : before_(control()) {
    if (wanted) set_control(before_ | kFlush);
  }
  ~FlushSubnormals() { set_control(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  using Control = std::uint32_t;
  static constexpr Control kFlush = 0x8040;  // FTZ, DAZ
  static Control control() { return __builtin_ia32_stmxcsr(); }
  static void set_control(Control value) { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
  using Control = std::uint64_t;
  static constexpr Control kFlush = Control{1} << 24;  // FZ
  static Control control() {
    Control value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  // What is stored before is computed before.
  static void set_control(Control value) { asm volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
#else
  using Control = std::uint32_t;
  static constexpr Control kFlush = 0;
  static Control control() { return 0; }
  static void set_control(Control) {}
#endif
  Control before_;
};

}  // namespace givens::cpu::GIVENS_ISA
