// Moving vectors between the caller's arrays and panels. Compiled for each instruction set; see
// simd.hpp.

namespace givens::cpu::GIVENS_ISA {

inline constexpr std::size_t kPanelAlignment = 64;

// Memory for panels, aligned, not initialised.
template <class R>
class PanelBuffer {
 public:
  explicit PanelBuffer(std::int64_t size)
      : data_(static_cast<R*>(::operator new(static_cast<std::size_t>(size) * sizeof(R),
                                             std::align_val_t(kPanelAlignment)))) {}
  ~PanelBuffer() { ::operator delete(data_, std::align_val_t(kPanelAlignment)); }
  PanelBuffer(const PanelBuffer&) = delete;
  PanelBuffer& operator=(const PanelBuffer&) = delete;
  R* data() const { return data_; }

 private:
  R* data_;
};

// Reals in an element.
template <class T>
inline constexpr std::int64_t kParts = is_complex_v<T> ? 2 : 1;

// The real columns of a panel in the caller's memory: column c of row k is data[k * row +
// offset[c]]. A complex vector is two columns, its real and its imaginary part, which real
// rotations treat alike.
template <class R>
struct Columns {
  R* data;
  std::int64_t row;  // stride between coordinates
  const std::int64_t* offsets;
  std::int64_t count;
};

inline bool consecutive(const std::int64_t* offsets, std::int64_t count) {
  for (std::int64_t c = 1; c < count; ++c) {
    if (offsets[c] != offsets[0] + c) return false;
  }
  return true;
}

// Rows k of `from` and of `to` as the columns of a square of kLanes x kLanes.
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

// Fills a panel: slot s gets the row of its coordinate; padding and columns beyond the count are
// zero.
template <class R>
void pack(const Plan& plan, const Columns<const R>& x, R* panel, std::int64_t width) {
  const bool contiguous = consecutive(x.offsets, x.count);
  constexpr std::int64_t N = kLanes<R>;
  std::int64_t s = 0;
  while (s < plan.slots) {
    const std::int64_t coordinate = plan.coordinate_of_slot[static_cast<std::size_t>(s)];
    R* row = panel + s * width;
    if (coordinate < 0) {
      std::fill_n(row, width, R(0));
    } else if (contiguous) {
      const R* from = x.data + coordinate * x.row + (x.count > 0 ? x.offsets[0] : 0);
      std::copy_n(from, x.count, row);
      std::fill(row + x.count, row + width, R(0));
    } else if (x.row == 1 && s + N <= plan.slots &&
               plan.coordinate_of_slot[static_cast<std::size_t>(s + N - 1)] == coordinate + N - 1 &&
               plan.coordinate_of_slot[static_cast<std::size_t>(s + 1)] == coordinate + 1) {
      // Vectors are contiguous: N coordinates of N vectors at a time.
      for (std::int64_t c = 0; c < width; c += N) {
        Vector<R> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] = c + k < x.count ? load(x.data + x.offsets[c + k] + coordinate) : Vector<R>{};
        }
        transpose_square<R>(square);
        for (std::int64_t k = 0; k < N; ++k) store(row + k * width + c, square[k]);
      }
      s += N;
      continue;
    } else {
      for (std::int64_t c = 0; c < x.count; ++c) row[c] = x.data[coordinate * x.row + x.offsets[c]];
      std::fill(row + x.count, row + width, R(0));
    }
    ++s;
  }
}

// Writes a panel back, each row times its scale.
template <class R>
void unpack(const Plan& plan, const R* panel, std::int64_t width, const std::vector<double>& scales,
            const Columns<R>& y) {
  const bool contiguous = consecutive(y.offsets, y.count);
  constexpr std::int64_t N = kLanes<R>;
  std::int64_t s = 0;
  while (s < plan.slots) {
    const std::int64_t coordinate = plan.coordinate_of_slot[static_cast<std::size_t>(s)];
    const R* row = panel + s * width;
    const R scale = static_cast<R>(scales[static_cast<std::size_t>(s)]);
    if (coordinate < 0) {
      ++s;
      continue;
    }
    if (contiguous) {
      if (y.count > 0) {
        R* to = y.data + coordinate * y.row + y.offsets[0];
        std::int64_t c = 0;
        for (; c + N <= y.count; c += N) store(to + c, load(row + c) * scale);
        for (; c < y.count; ++c) to[c] = row[c] * scale;
      }
    } else if (y.row == 1 && s + N <= plan.slots &&
               plan.coordinate_of_slot[static_cast<std::size_t>(s + N - 1)] == coordinate + N - 1 &&
               plan.coordinate_of_slot[static_cast<std::size_t>(s + 1)] == coordinate + 1) {
      for (std::int64_t c = 0; c < y.count; c += N) {
        Vector<R> square[N];
        for (std::int64_t k = 0; k < N; ++k) {
          square[k] =
              load(row + k * width + c) * static_cast<R>(scales[static_cast<std::size_t>(s + k)]);
        }
        transpose_square<R>(square);
        for (std::int64_t k = 0; k < std::min(N, y.count - c); ++k) {
          store(y.data + y.offsets[c + k] + coordinate, square[k]);
        }
      }
      s += N;
      continue;
    } else {
      for (std::int64_t c = 0; c < y.count; ++c)
        y.data[coordinate * y.row + y.offsets[c]] = row[c] * scale;
    }
    ++s;
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
  Mask excessive{};
  Mask small{};
  for (std::int64_t w = 0; w < width; w += kLanes<R>) {
    Vector<R> greatest{};
    for (std::int64_t s = 0; s < slots; ++s) {
      const Vector<R> x = load(panel + s * width + w);
      const Vector<R> size = x < R(0) ? -x : x;
      greatest = size > greatest ? size : greatest;
      excessive |= ~(size <= largest);  // true also for NaN
    }
    small |= (greatest > R(0)) & (greatest <= R(0x1p-40));
  }
  bool moderate = true;
  bool may_flush = true;
  for (std::int64_t k = 0; k < kLanes<R>; ++k) {
    moderate = moderate && excessive[k] == 0;
    may_flush = may_flush && small[k] == 0;
  }
  return {moderate, may_flush};
}

// 1 for the columns of a panel that are not moderate.
template <class R>
std::vector<char> excessive_columns(const R* panel, std::int64_t slots, std::int64_t width,
                                    R largest) {
  std::vector<char> out(static_cast<std::size_t>(width));
  for (std::int64_t s = 0; s < slots; ++s) {
    for (std::int64_t c = 0; c < width; ++c) {
      out[static_cast<std::size_t>(c)] |= !(std::abs(panel[s * width + c]) <= largest);
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
  static void set_control(Control value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Control = std::uint32_t;
  static constexpr Control kFlush = 0;
  static Control control() { return 0; }
  static void set_control(Control) {}
#endif
  Control before_;
};

}  // namespace givens::cpu::GIVENS_ISA
