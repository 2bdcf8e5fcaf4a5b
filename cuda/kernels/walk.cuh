// What the kernels for rotating and for gradients have in common: their arguments, and how thread
// blocks share out columns, matrices and steps.
#pragma once

#include <cstdint>

#include "host/tiling.hpp"
#include "kernels/device_loop.cuh"
#include "kernels/forward.cuh"
#include "kernels/numbers.cuh"

namespace givens::cuda {

// A plan's walk with the coefficients of some matrices, in device memory.
template <class F>
struct PreparedWalk {
  const Stage* stages;
  std::int32_t stage_count;
  const Step* steps;
  const std::int32_t* angle_indices;
  PlanRows rows;
  const real_t<F>* coefficients;
  // The distances from a matrix's coefficients to the next one's, and from its rotations to the
  // next one's.
  std::int64_t matrix_units;
  std::int64_t matrix_rotations;
  bool adjoint;

  __device__ __forceinline__ const real_t<F>* coefficients_of(const Step& step,
                                                              std::int64_t matrix) const {
    return coefficients + kUnit * (matrix * matrix_units + step.unit[kReals<F> - 1]);
  }
};

// Panels y and g of a matrix: vectors, and the gradient of a loss by them. Rotating alone has no g.
template <class F>
struct Panels {
  Panel<F> y;
  Panel<F> g;
};

// The arguments of every call. All strides and offsets in the caller's memory count reals.
template <class F>
struct CallArguments {
  using Field = F;
  using R = real_t<F>;
  // The operands of a call's loop over matrices: `signs`, then the operands of its loop over
  // vectors, then others.
  enum Operand : int { kSigns, kVectors };

  PreparedWalk<F> walk;
  Tiling tiling;
  std::int64_t first_matrix;
  std::int64_t matrix_count;
  // Columns of a panel for each vector: 2 for real rotations of complex vectors.
  std::int32_t columns_of_vector;
  Strided<const R> signs;
  CallNumbers<R> numbers;
  std::int64_t matrix_coordinates;
  bool inverse;
};

// The rows that columns of the identity can reach in a stage.
struct ActiveRows {
  std::int32_t first;
  std::int32_t last;

  __device__ bool has(const Step& step) const { return step.a >= first && step.a < last; }
};

// `first` .. `last` - 1 are the identity's columns. Rows and coordinates agree in plans with blocks
// smaller than the matrix.
__device__ inline ActiveRows active_rows(const Stage& stage, bool from_identity, std::int64_t first,
                                         std::int64_t last, std::int32_t rows) {
  if (!from_identity || stage.block >= rows) return {0, rows};
  const std::int32_t block = stage.block;
  return {static_cast<std::int32_t>(first) / block * block,
          (static_cast<std::int32_t>(last) + block - 1) / block * block};
}

// Fills in the offsets of the `width` columns from `first_column` on, for each operand of the
// vectors, in matrix `first_matrix + index`.
template <class Arguments>
__device__ void find_offsets(const ThreadSet& threads, const Arguments& arguments,
                             std::int64_t index, std::int64_t first_column, int width,
                             std::int64_t* offsets) {
  const auto matrix = arguments.matrices.at(arguments.first_matrix + index);
  for (int c = threads.index; c < width; c += threads.count) {
    const std::int64_t column = first_column + c;
    const bool there = column < arguments.tiling.columns;
    const auto vector = arguments.vectors.at(there ? column / arguments.columns_of_vector : 0);
    for (int p = 0; p < Arguments::kVectorOperands; ++p) {
      offsets[p * width + c] = there ? matrix.at[Arguments::kVectors + p] + vector.at[p] +
                                           column % arguments.columns_of_vector
                                     : kNoColumn;
    }
  }
}

// The factors by which matrix `first_matrix + index` multiplies its rows, or none if they are not
// wanted here.
template <class F, class Arguments>
__device__ RowFactors<F> row_factors(const Arguments& arguments, std::int64_t index, bool wanted) {
  if (!wanted) return {};
  const auto offsets = arguments.matrices.at(arguments.first_matrix + index);
  const auto* const diagonal = arguments.numbers.diagonal;
  return {arguments.signs.at(offsets.at[Arguments::kSigns]),
          diagonal ? diagonal + 2 * index * arguments.matrix_coordinates : nullptr};
}

// A thread block's columns, first_column .. last_column - 1, of some matrices.
struct ThreadBlockShare {
  std::int64_t first_matrix;
  int matrices;
  std::int64_t first_column;
  std::int64_t last_column;
};

// The share of thread block `index`: a panel, numbered matrix after matrix, or some whole matrices.
__device__ inline ThreadBlockShare share_of(const Tiling& tiling, std::int64_t index,
                                            std::int64_t matrix_count) {
  const std::int64_t first_matrix = index / tiling.panels * tiling.matrices;
  const std::int64_t first_column = index % tiling.panels * tiling.width;
  const std::int64_t matrices = matrix_count - first_matrix;
  const std::int64_t last_column = first_column + tiling.width;
  return {first_matrix, matrices < tiling.matrices ? static_cast<int>(matrices) : tiling.matrices,
          first_column, last_column < tiling.columns ? last_column : tiling.columns};
}

// A step on one of a thread block's matrices.
template <class F>
struct Item {
  Step step;
  int matrix;
  // The first row scale. It is zero if the rotations are standard ones, as in a pair.
  real_t<F> scale;
};

// How a thread block shares out the items of its matrices: `lanes` successive threads have the same
// ones.
template <class F>
struct ThreadBlockItems {
  const PreparedWalk<F>& walk;
  std::int64_t first_matrix;
  int matrices;
  int lanes;

  // Stages beyond the last one are empty.
  __device__ Stage stage(std::int32_t s) const {
    return s < walk.stage_count ? walk.stages[s] : Stage{0, 0, 0};
  }
  __device__ int count(const Stage& stage) const { return matrices * (stage.last - stage.first); }
  // The number of this thread's first item of a stage.
  __device__ int first() const { return static_cast<int>(threadIdx.x) / lanes; }
  __device__ int lane() const { return static_cast<int>(threadIdx.x) % lanes; }

  // Item k of a stage without its scale. It is empty if there are fewer items.
  __device__ __forceinline__ Item<F> item(const Stage& stage, int k) const {
    Item<F> out{};
    if (k >= count(stage)) return out;
    if (matrices > 1) {
      out.matrix = k / (stage.last - stage.first);
      k -= out.matrix * (stage.last - stage.first);
    }
    out.step = walk.steps[stage.first + k];
    return out;
  }

  __device__ __forceinline__ void read_scale(const Stage& stage, int k, Item<F>& out) const {
    if (k < count(stage) && out.step.pattern != Pattern::pairs) {
      out.scale = *first_scale<F>(out.step, coefficients(out));
    }
  }

  __device__ __forceinline__ const real_t<F>* coefficients(const Item<F>& item) const {
    return walk.coefficients_of(item.step, first_matrix + item.matrix);
  }

  // Calls visit(item, lane) for all items of a stage that this thread has. The first is known.
  template <class Visit>
  __device__ __forceinline__ void for_each_item(const Stage& stage, Item<F> at,
                                                Visit&& visit) const {
    for (int k = first(); k < count(stage);) {
      visit(at, lane());
      k += static_cast<int>(blockDim.x) / lanes;
      at = item(stage, k);
      read_scale(stage, k, at);
    }
  }
};

}  // namespace givens::cuda
