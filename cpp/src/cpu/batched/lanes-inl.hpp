// Moving the numbers of kLanes matrices between the caller's arrays and vectors with one lane for
// each matrix. Compiled for each instruction set; see engine_headers.hpp.
//
// The caller's arrays have reals of type S: R, or a 16-bit type.
#pragma once

#include "cpu/simd/half-inl.hpp"
#include "cpu/simd/transpose-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// For each of kLanes matrices, the offset at which an operand has its numbers.
template <class R>
struct Lanes {
  std::array<std::int64_t, kLanes<R>> offsets;
  // The number of lanes in use. The others repeat the last of these: they are read, not written.
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

  // The offsets of one operand in reals; each of its elements has `parts` of them.
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

// Says which number of a matrix is in which vector of a block, its place: in runs of numbers with a
// common stride in the caller's memory.
class Layout {
 public:
  struct Run {
    std::int64_t offset;
    std::int64_t stride;
    std::int64_t count;
    std::size_t first;  // index of the first number's place
  };

  // Adds a number. Numbers that are neighbours in memory should be added one after the other.
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
  const std::int32_t* places(const Run& run) const { return places_.data() + run.first; }

 private:
  void append(std::int64_t offset, std::int64_t place) {
    places_.push_back(static_cast<std::int32_t>(place));
    last_ = offset;
  }

  std::vector<Run> runs_;
  std::vector<std::int32_t> places_;
  std::int64_t last_ = 0;
};

// A vector's numbers have the places 0 .. count - 1. The layout of an absent vector is empty.
template <class R>
Layout layout_of_vector(const Strided<R>& vector, std::int64_t count) {
  Layout out;
  if (!vector) return out;
  for (std::int64_t k = 0; k < count; ++k) out.add(k * vector.stride, k);
  return out;
}

// Columns of `rows` numbers, `row_stride` apart, whose first numbers are at `columns`. Row r of
// column c has the place r * row_step + c. Each `parts` columns are neighbours in memory: 2 for the
// parts of complex numbers.
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

// Runs of M < kLanes numbers that follow one another, matrix after matrix, without a gap.
template <class R, int M, class S>
void load_dense(const S* from, const std::int32_t* places, R* block) {
  Vector<R> v[M];
  for (int m = 0; m < M; ++m) v[m] = load(from + m * kLanes<R>);
  separate<R, M>(v);
  for (int m = 0; m < M; ++m) store(block + places[m] * kLanes<R>, v[m]);
}

template <class R, int M, class S>
void store_dense(S* to, const std::int32_t* places, const R* block) {
  Vector<R> v[M];
  for (int m = 0; m < M; ++m) v[m] = load(block + places[m] * kLanes<R>);
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

// Calls body(k) for the first numbers k of squares, kLanes numbers of kLanes matrices, that cover a
// run. The last square overlaps the one before where the count is not a multiple of kLanes.
template <class R, class Body>
void for_each_square(std::int64_t count, Body&& body) {
  constexpr std::int64_t L = kLanes<R>;
  for (std::int64_t k = 0; k + L <= count; k += L) body(k);
  if (count % L != 0) body(count - L);
}

// Fills the vectors that a layout names.
template <class R, class S>
void load_lanes(const S* data, const Lanes<R>& lanes, const Layout& layout, R* block) {
  constexpr std::int64_t L = kLanes<R>;
  const bool neighbours = lanes.spaced_by(1);
  for (const Layout::Run& run : layout.runs()) {
    const S* from = data + run.offset;
    const std::int32_t* places = layout.places(run);
    if (neighbours) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        store(block + places[k] * L, load(from + lanes.offsets[0] + k * run.stride));
      }
    } else if (run.stride == 1 && run.count >= L) {
      for_each_square<R>(run.count, [&](std::int64_t k) {
        Vector<R> square[L];
        for (std::size_t l = 0; l < L; ++l) square[l] = load(from + lanes.offsets[l] + k);
        transpose_square<R>(square);
        for (std::int64_t m = 0; m < L; ++m) store(block + places[k + m] * L, square[m]);
      });
    } else if (!move_dense(lanes, run, [&](auto count) {
                 load_dense<R, decltype(count)::value>(from + lanes.offsets[0], places, block);
               })) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        fill_lanes<S>(block + places[k] * L, L, [&](std::int64_t l) {
          return from[lanes.offsets[static_cast<std::size_t>(l)] + k * run.stride];
        });
      }
    }
  }
}

// Writes the vectors that a layout names.
template <class R, class S>
void store_lanes(S* data, const Lanes<R>& lanes, const Layout& layout, const R* block) {
  constexpr std::int64_t L = kLanes<R>;
  const bool neighbours = lanes.spaced_by(1);
  const auto used = static_cast<std::size_t>(lanes.used);
  for (const Layout::Run& run : layout.runs()) {
    S* to = data + run.offset;
    const std::int32_t* places = layout.places(run);
    if (neighbours) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        store(to + lanes.offsets[0] + k * run.stride, load(block + places[k] * L));
      }
    } else if (run.stride == 1 && run.count >= L) {
      for_each_square<R>(run.count, [&](std::int64_t k) {
        Vector<R> square[L];
        for (std::int64_t m = 0; m < L; ++m) square[m] = load(block + places[k + m] * L);
        transpose_square<R>(square);
        if (lanes.all_used()) {
          for (std::size_t l = 0; l < L; ++l) store(to + lanes.offsets[l] + k, square[l]);
        } else {
          for (std::size_t l = 0; l < used; ++l) store(to + lanes.offsets[l] + k, square[l]);
        }
      });
    } else if (!move_dense(lanes, run, [&](auto count) {
                 store_dense<R, decltype(count)::value>(to + lanes.offsets[0], places, block);
               })) {
      for (std::int64_t k = 0; k < run.count; ++k) {
        S numbers[L];
        store(numbers, load(block + places[k] * L));
        for (std::size_t l = 0; l < used; ++l) to[lanes.offsets[l] + k * run.stride] = numbers[l];
      }
    }
  }
}

}  // namespace givens::cpu::GIVENS_ISA
