// Moving the numbers of kLanes matrices between the caller's arrays and vectors that have one lane
// for each matrix. Compiled for each instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_BATCHED_LANES_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_BATCHED_LANES_INL_HPP
#undef GIVENS_CPU_BATCHED_LANES_INL_HPP
#else
#define GIVENS_CPU_BATCHED_LANES_INL_HPP
#endif

#include "cpu/panels/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The offsets at which an operand has the numbers of kLanes matrices.
template <class R>
struct Lanes {
  std::array<std::int64_t, kLanes<R>> offsets;
  // Lanes in use. The others repeat the last of these: they may be read and are never written.
  std::int64_t used;

  bool all_used() const { return used == kLanes<R>; }
  // Whether all lanes are in use, each `step` behind the one before.
  bool spaced_by(std::int64_t step) const {
    bool out = all_used();
    for (std::size_t l = 1; l < offsets.size(); ++l) {
      out = out && offsets[l] == offsets[0] + static_cast<std::int64_t>(l) * step;
    }
    return out;
  }
};

// The offsets of all operands for `used` matrices from `first` on.
template <class R, std::size_t Operands>
class Chunk {
 public:
  Chunk(const StridedLoop<Operands>& matrices, std::int64_t first, std::int64_t used)
      : used_(used) {
    if (matrices.depth() == 1) {  // without the divisions of `at`
      const auto step = matrices.at(1);
      for (std::int64_t l = 0; l < used; ++l) {
        for (std::size_t p = 0; p < Operands; ++p) lane(l)[p] = (first + l) * step[p];
      }
    } else {
      for (std::int64_t l = 0; l < used; ++l) lane(l) = matrices.at(first + l);
    }
    for (std::int64_t l = used; l < kLanes<R>; ++l) lane(l) = lane(used - 1);
  }

  // `parts` is the number of reals in an element of the operand.
  Lanes<R> operand(std::size_t p, std::int64_t parts = 1) const {
    Lanes<R> out;
    for (std::size_t l = 0; l < lanes_.size(); ++l) out.offsets[l] = parts * lanes_[l][p];
    out.used = used_;
    return out;
  }

 private:
  using Offsets = typename StridedLoop<Operands>::Offsets;

  Offsets& lane(std::int64_t l) { return lanes_[static_cast<std::size_t>(l)]; }

  std::array<Offsets, kLanes<R>> lanes_;
  std::int64_t used_;
};

// Which numbers of one matrix are in which vectors: runs of numbers with a common stride in the
// caller's memory, each of which has a place, a vector's index, in a block.
class Layout {
 public:
  struct Run {
    std::int64_t offset;
    std::int64_t stride;
    std::int64_t count;
    std::size_t first;  // of its places
  };

  // The next number. Neighbours in memory should follow one another.
  void add(std::int64_t offset, std::int64_t place) {
    if (!runs_.empty()) {
      Run& run = runs_.back();
      const std::int64_t stride = offset - last_;
      if (run.count == 1) run.stride = stride;
      if (run.stride == stride) {
        ++run.count;
        append(offset, place);
        return;
      }
    }
    runs_.push_back({offset, 1, 1, places_.size()});
    append(offset, place);
  }

  const std::vector<Run>& runs() const { return runs_; }
  const std::int32_t* offsets(const Run& run) const { return places_.data() + run.first; }

 private:
  void append(std::int64_t offset, std::int64_t place) {
    places_.push_back(static_cast<std::int32_t>(place));
    last_ = offset;
  }

  std::vector<Run> runs_;
  std::vector<std::int32_t> places_;
  std::int64_t last_ = 0;
};

// The numbers of a vector, one place after the other; none if it is absent.
template <class R>
Layout layout_of_vector(const Strided<R>& vector, std::int64_t count) {
  Layout out;
  if (!vector) return out;
  for (std::int64_t k = 0; k < count; ++k) out.add(k * vector.stride, k);
  return out;
}

// Columns of `rows` numbers, `row_stride` apart, whose first numbers are at `columns`; column c of
// row r has the place r * row_step + c. Columns come in groups of `parts` that are neighbours in
// memory: 2 for the parts of complex numbers.
inline Layout layout_of_columns(std::int64_t rows, std::int64_t row_stride,
                                const std::vector<std::int64_t>& columns, std::int64_t parts,
                                std::int64_t row_step) {
  Layout out;
  const auto count = static_cast<std::int64_t>(columns.size());
  const auto add = [&](std::int64_t r, std::int64_t c) {
    out.add(r * row_stride + columns[static_cast<std::size_t>(c)], r * row_step + c);
  };
  const bool rows_inside =
      count == parts ||
      (count > parts &&
       std::abs(row_stride) < std::abs(columns[static_cast<std::size_t>(parts)] - columns[0]));
  if (rows_inside) {
    for (std::int64_t first = 0; first < count; first += parts) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t part = 0; part < parts; ++part) add(r, first + part);
      }
    }
  } else {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < count; ++c) add(r, c);
    }
  }
  return out;
}

template <class R>
struct IndicesOf {
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Index;
  typedef Index type __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
};

// M vectors, a power of two, with the numbers of lane l in element l of each, to the same numbers
// lane by lane: number m of lane l at l M + m. See transpose_square, which is M = kLanes.
template <class R, int M>
[[gnu::always_inline]] inline void interleave(Vector<R>* v) {
  constexpr int N = static_cast<int>(kLanes<R>);
  using Order = typename IndicesOf<R>::type;
#pragma GCC unroll 4
  for (int round = 1; round < M; round *= 2) {
    Vector<R> next[M];
#pragma GCC unroll 8
    for (int m = 0; m < M / 2; ++m) {
      Order low{}, high{};
      for (int k = 0; k < N / 2; ++k) {
        low[2 * k] = k;
        low[2 * k + 1] = N + k;
        high[2 * k] = N / 2 + k;
        high[2 * k + 1] = N + N / 2 + k;
      }
      next[2 * m] = __builtin_shuffle(v[m], v[m + M / 2], low);
      next[2 * m + 1] = __builtin_shuffle(v[m], v[m + M / 2], high);
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) v[m] = next[m];
  }
}

// The reverse.
template <class R, int M>
[[gnu::always_inline]] inline void separate(Vector<R>* v) {
  constexpr int N = static_cast<int>(kLanes<R>);
  using Order = typename IndicesOf<R>::type;
#pragma GCC unroll 4
  for (int round = 1; round < M; round *= 2) {
    Vector<R> next[M];
#pragma GCC unroll 8
    for (int m = 0; m < M / 2; ++m) {
      Order even{}, odd{};
      for (int k = 0; k < N; ++k) {
        even[k] = 2 * k;
        odd[k] = 2 * k + 1;
      }
      next[m] = __builtin_shuffle(v[2 * m], v[2 * m + 1], even);
      next[m + M / 2] = __builtin_shuffle(v[2 * m], v[2 * m + 1], odd);
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) v[m] = next[m];
  }
}

// Runs of M < kLanes numbers that lie matrix after matrix without a gap.
template <class R, int M>
void load_dense(const R* from, const std::int32_t* offsets, R* block) {
  Vector<R> v[M];
  for (int m = 0; m < M; ++m) v[m] = load(from + m * kLanes<R>);
  separate<R, M>(v);
  for (int m = 0; m < M; ++m) store(block + offsets[m] * kLanes<R>, v[m]);
}

template <class R, int M>
void store_dense(R* to, const std::int32_t* offsets, const R* block) {
  Vector<R> v[M];
  for (int m = 0; m < M; ++m) v[m] = load(block + offsets[m] * kLanes<R>);
  interleave<R, M>(v);
  for (int m = 0; m < M; ++m) store(to + m * kLanes<R>, v[m]);
}

// Calls move(integral_constant<M>) and returns true if a run can go through load_dense or
// store_dense.
template <class R, class Move>
bool move_dense(const Lanes<R>& lanes, const Layout::Run& run, Move&& move) {
  constexpr std::int64_t L = kLanes<R>;
  if (run.stride != 1 || run.count >= L || !lanes.spaced_by(run.count)) return false;
  if constexpr (L > 2) {
    if (run.count == 2) return move(std::integral_constant<int, 2>()), true;
  }
  if constexpr (L > 4) {
    if (run.count == 4) return move(std::integral_constant<int, 4>()), true;
  }
  if constexpr (L > 8) {
    if (run.count == 8) return move(std::integral_constant<int, 8>()), true;
  }
  return false;
}

// Where squares of kLanes numbers in each of kLanes matrices start in a run: the last one overlaps
// the one before where the count is not a multiple.
template <class R, class Body>
void for_each_square(std::int64_t count, Body&& body) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t k = 0; k + L <= count; k += L) body(k);
  if (count % L != 0) body(count - L);
}

// Fills the vectors that a layout names.
template <class R>
void load_lanes(const R* data, const Lanes<R>& lanes, const Layout& layout, R* block) {
  constexpr std::int64_t L = kLanes<R>;
  const bool neighbours = lanes.spaced_by(1);
  for (const Layout::Run& run : layout.runs()) {
    const R* from = data + run.offset;
    const std::int32_t* offsets = layout.offsets(run);
    if (neighbours) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        store(block + offsets[k] * L, load(from + lanes.offsets[0] + k * run.stride));
      }
    } else if (run.stride == 1 && run.count >= L) {
      for_each_square<R>(run.count, [&](std::int64_t k) {
        Vector<R> square[L];
        for (std::size_t l = 0; l < L; ++l) square[l] = load(from + lanes.offsets[l] + k);
        transpose_square<R>(square);
        for (std::int64_t m = 0; m < L; ++m) store(block + offsets[k + m] * L, square[m]);
      });
    } else if (!move_dense(lanes, run, [&](auto count) {
                 load_dense<R, decltype(count)::value>(from + lanes.offsets[0], offsets, block);
               })) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        R* to = block + offsets[k] * L;
        for (std::size_t l = 0; l < L; ++l) to[l] = from[lanes.offsets[l] + k * run.stride];
      }
    }
  }
}

// Writes the vectors that a layout names.
template <class R>
void store_lanes(R* data, const Lanes<R>& lanes, const Layout& layout, const R* block) {
  constexpr std::int64_t L = kLanes<R>;
  const bool neighbours = lanes.spaced_by(1);
  const auto used = static_cast<std::size_t>(lanes.used);
  for (const Layout::Run& run : layout.runs()) {
    R* to = data + run.offset;
    const std::int32_t* offsets = layout.offsets(run);
    if (neighbours) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        store(to + lanes.offsets[0] + k * run.stride, load(block + offsets[k] * L));
      }
    } else if (run.stride == 1 && run.count >= L) {
      for_each_square<R>(run.count, [&](std::int64_t k) {
        Vector<R> square[L];
        for (std::int64_t m = 0; m < L; ++m) square[m] = load(block + offsets[k + m] * L);
        transpose_square<R>(square);
        if (lanes.all_used()) {
          for (std::size_t l = 0; l < L; ++l) store(to + lanes.offsets[l] + k, square[l]);
        } else {
          for (std::size_t l = 0; l < used; ++l) store(to + lanes.offsets[l] + k, square[l]);
        }
      });
    } else if (!move_dense(lanes, run, [&](auto count) {
                 store_dense<R, decltype(count)::value>(to + lanes.offsets[0], offsets, block);
               })) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        const R* from = block + offsets[k] * L;
        for (std::size_t l = 0; l < used; ++l) to[lanes.offsets[l] + k * run.stride] = from[l];
      }
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
