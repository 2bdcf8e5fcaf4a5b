// A panel: all rows of a few columns. It is in the shared memory of a thread block, or, if not even
// one column fits there, in global memory.
#pragma once

#include <cstdint>

#include "arguments/strided_loop.hpp"
#include "host/plan.hpp"
#include "kernels/columns.cuh"
#include "kernels/storage.cuh"

namespace givens::cuda {

// Row k of row block q is followed by row k of row block q + 1: neighbouring threads work on
// neighbouring row blocks, and so on different banks.
template <class F>
struct Panel {
  using R = real_t<F>;
  R* data;
  int row_blocks;
  int width;  // columns

  __device__ int row_reals() const { return kReals<F> * width; }
  __device__ R* row(int k) const {
    return data + ((k & (kRowBlock - 1)) * row_blocks + k / kRowBlock) * row_reals();
  }
  // The distance from a row to the next one of the same row block.
  __device__ int next_row() const { return row_blocks * row_reals(); }

  __device__ void set(int k, int column, const R* number) const {
#pragma unroll
    for (int part = 0; part < kReals<F>; ++part) row(k)[part * width + column] = number[part];
  }
  __device__ void get(int k, int column, R* number) const {
#pragma unroll
    for (int part = 0; part < kReals<F>; ++part) number[part] = row(k)[part * width + column];
  }
};

// Vectors in the caller's memory, as the columns of a panel. `Data` is ConstNumbers or Numbers. The
// offset of a column, in reals, is where its coordinate 0 is.
template <class Data>
struct Vectors {
  Data data;
  std::int64_t row_stride;
  // Whether columns are nearer to each other in memory than rows.
  bool columns_are_near;
};

// The offset of a column beyond the last.
inline constexpr std::int64_t kNoColumn = INT64_MIN;

// The rows of a plan.
struct PlanRows {
  const std::int32_t* coordinate_of_row;
  std::int32_t count;
};

// The factor of each row: a sign, exp(i d) of a diagonal, or 1. Both may be null.
template <class F>
struct RowFactors {
  using R = real_t<F>;
  Strided<const R> signs;
  const R* diagonal;  // (Re, Im) by coordinate; only if F is complex

  __device__ void apply(int coordinate, bool conjugate, R* number) const {
    if (signs) {
#pragma unroll
      for (int part = 0; part < kReals<F>; ++part) number[part] *= signs[coordinate];
    }
    if constexpr (is_complex_v<F>) {
      if (diagonal) {
        const R c = diagonal[2 * coordinate];
        const R s = conjugate ? -diagonal[2 * coordinate + 1] : diagonal[2 * coordinate + 1];
        const R re = number[0] * c - number[1] * s;
        number[1] = number[1] * c + number[0] * s;
        number[0] = re;
      }
    }
  }
};

// The threads that work on a panel together, seen from one of them.
struct ThreadSet {
  int index;
  int count;
};

__device__ inline ThreadSet block_threads() {
  return {static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)};
}

__device__ inline ThreadSet grid_threads() {
  return {static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x),
          static_cast<int>(gridDim.x * blockDim.x)};
}

// Calls visit(row, column) for all of a panel, shared out over the threads.
template <class Visit>
__device__ void for_each_number(const ThreadSet& threads, int rows, int width,
                                bool columns_are_near, Visit&& visit) {
  const int count = rows * width;
  for (int k = threads.index; k < count; k += threads.count) {
    if (columns_are_near) {
      visit(k / width, k % width);
    } else {
      visit(k % rows, k / rows);
    }
  }
}

// Fills a panel. Padding, and columns beyond the last, become zero.
template <class F>
__device__ void load_panel(const ThreadSet& threads, const Panel<F>& panel, const PlanRows& rows,
                           const Vectors<ConstNumbers<real_t<F>>>& from,
                           const std::int64_t* offsets, const RowFactors<F>& factors) {
  for_each_number(threads, rows.count, panel.width, from.columns_are_near,
                  [&](int row, int column) {
                    real_t<F> number[kReals<F>] = {};
                    const std::int32_t coordinate = rows.coordinate_of_row[row];
                    const std::int64_t offset = offsets[column];
                    if (coordinate >= 0 && offset != kNoColumn) {
#pragma unroll
                      for (int part = 0; part < kReals<F>; ++part) {
                        number[part] = from.data.read(offset + coordinate * from.row_stride + part);
                      }
                      // What is loaded passes through the adjoint of the diagonal.
                      factors.apply(coordinate, true, number);
                    }
                    panel.set(row, column, number);
                  });
}

// Fills a panel with the columns of the identity from `first` on.
template <class F>
__device__ void load_identity(const ThreadSet& threads, const Panel<F>& panel, const PlanRows& rows,
                              std::int64_t first) {
  for_each_number(threads, rows.count, panel.width, true, [&](int row, int column) {
    real_t<F> number[kReals<F>] = {};
    if (rows.coordinate_of_row[row] == first + column) number[0] = 1;
    panel.set(row, column, number);
  });
}

template <class F>
__device__ void store_panel(const ThreadSet& threads, const Panel<F>& panel, const PlanRows& rows,
                            const Vectors<Numbers<real_t<F>>>& to, const std::int64_t* offsets,
                            const RowFactors<F>& factors) {
  for_each_number(threads, rows.count, panel.width, to.columns_are_near, [&](int row, int column) {
    const std::int32_t coordinate = rows.coordinate_of_row[row];
    const std::int64_t offset = offsets[column];
    if (coordinate < 0 || offset == kNoColumn) return;
    real_t<F> number[kReals<F>];
    panel.get(row, column, number);
    factors.apply(coordinate, false, number);
#pragma unroll
    for (int part = 0; part < kReals<F>; ++part) {
      to.data.write(offset + coordinate * to.row_stride + part, number[part]);
    }
  });
}

}  // namespace givens::cuda
