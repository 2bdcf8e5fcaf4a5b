// Rotating vectors, and forming U: all stages in one launch, panel by panel.
#pragma once

#include "host/tiling.hpp"
#include "kernels/device_loop.cuh"
#include "kernels/forward.cuh"

namespace givens::cuda {

// A plan's walk and a batch's coefficients, in device memory.
template <class F>
struct Program {
  const Stage* stages;
  std::int32_t stage_count;
  const Work* works;
  const std::int32_t* sources;
  PlanRows rows;
  const real_t<F>* coefficients;
  std::int64_t matrix_units;  // from a matrix's coefficients to the next one's
  bool undo;
};

// All strides and offsets in the caller's memory count reals.
template <class F>
struct RotateArguments {
  using R = real_t<F>;
  Program<F> program;
  Tiling tiling;
  std::int64_t first_matrix;
  std::int64_t matrix_count;
  ConstNumbers<R> x;  // absent: the identity
  Numbers<R> y;
  std::int64_t x_row_stride;
  std::int64_t y_row_stride;
  bool x_columns_are_near;
  bool y_columns_are_near;
  // Columns of F for each vector: 2 of real rotations on complex numbers.
  std::int32_t columns_of_vector;
  DeviceLoop<4> matrices;  // signs, diagonal, x, y
  DeviceLoop<2> vectors;   // x, y
  const R* signs;
  std::int64_t sign_stride;
  const R* diagonal;  // (Re, Im) by coordinate, matrix after matrix
  std::int64_t matrix_coordinates;
  bool inverse;
};

// The work items of a stage that touch a panel of the identity's columns.
struct ActiveSlots {
  std::int32_t first;
  std::int32_t last;

  __device__ bool has(const Work& work) const { return work.a >= first && work.a < last; }
};

// `first` .. `last` - 1 are the identity's columns. Slots and coordinates agree in plans with
// blocks smaller than the matrix.
__device__ inline ActiveSlots active_slots(const Stage& stage, bool from_identity,
                                           std::int64_t first, std::int64_t last,
                                           std::int32_t slots) {
  if (!from_identity || stage.block >= slots) return {0, slots};
  const std::int32_t block = stage.block;
  return {static_cast<std::int32_t>(first) / block * block,
          (static_cast<std::int32_t>(last) + block - 1) / block * block};
}

// Fills in where columns first .. of a matrix are, for each operand.
template <int Operands, class Loop>
__device__ void find_columns(const Team& team, const Loop& vectors, std::int64_t columns_of_vector,
                             std::int64_t columns, std::int64_t first, int width,
                             const std::int64_t* matrix_offsets, std::int64_t* places) {
  for (int c = team.thread; c < width; c += team.threads) {
    const std::int64_t column = first + c;
    const bool there = column < columns;
    const auto at = vectors.at(there ? column / columns_of_vector : 0);
    for (int p = 0; p < Operands; ++p) {
      places[p * width + c] =
          there ? matrix_offsets[p] + at.at[p] + column % columns_of_vector : kNoColumn;
    }
  }
}

// What matrix `first_matrix + index` multiplies its rows by, if that is wanted here. `matrices` of
// the arguments starts with signs.
template <class F, class Arguments>
__device__ RowFactors<F> row_factors(const Arguments& arguments, std::int64_t index, bool wanted) {
  if (!wanted) return {nullptr, 0, nullptr};
  return {
      arguments.signs
          ? arguments.signs + arguments.matrices.at(arguments.first_matrix + index).at[0]
          : nullptr,
      arguments.sign_stride,
      arguments.diagonal ? arguments.diagonal + 2 * index * arguments.matrix_coordinates : nullptr};
}

// What a block works on: columns first_column .. last_column - 1 of some matrices.
struct BlockShare {
  std::int64_t first_matrix;
  int matrices;
  std::int64_t first_column;
  std::int64_t last_column;
};

// Blocks are panels, those of one matrix after those of the one before; or groups of matrices.
__device__ inline BlockShare share_of(const Tiling& tiling, std::int64_t block,
                                      std::int64_t matrix_count) {
  const std::int64_t first_matrix = block / tiling.panels * tiling.matrices;
  const std::int64_t first_column = block % tiling.panels * tiling.width;
  const std::int64_t matrices = matrix_count - first_matrix;
  const std::int64_t last_column = first_column + tiling.width;
  return {first_matrix, matrices < tiling.matrices ? static_cast<int>(matrices) : tiling.matrices,
          first_column, last_column < tiling.columns ? last_column : tiling.columns};
}

// A work item of one of a block's matrices.
template <class F>
struct Item {
  Work work;
  int matrix;
  // Its first factor, of a pair zero: a zero says that it is plain.
  real_t<F> factor;
};

// How a block shares out the items of its matrices: `lanes` threads that follow one another have
// the same ones.
template <class F>
struct BlockWalk {
  const Program<F>& program;
  std::int64_t first_matrix;
  int matrices;
  int lanes;

  // Without items after the last one.
  __device__ Stage stage(std::int32_t s) const {
    return s < program.stage_count ? program.stages[s] : Stage{0, 0, 0};
  }
  __device__ int count(const Stage& stage) const { return matrices * (stage.last - stage.first); }
  // This thread's first item of a stage.
  __device__ int first() const { return static_cast<int>(threadIdx.x) / lanes; }
  __device__ int lane() const { return static_cast<int>(threadIdx.x) % lanes; }

  // All of item k of a stage but its factor; anything if there are fewer.
  __device__ __forceinline__ Item<F> item(const Stage& stage, int k) const {
    Item<F> out{};
    if (k >= count(stage)) return out;
    if (matrices > 1) {
      out.matrix = k / (stage.last - stage.first);
      k -= out.matrix * (stage.last - stage.first);
    }
    out.work = program.works[stage.first + k];
    return out;
  }

  __device__ __forceinline__ void read_factor(const Stage& stage, int k, Item<F>& out) const {
    if (k < count(stage) && out.work.kind != WorkKind::pair) {
      out.factor = *first_factor<F>(out.work, coefficients(out));
    }
  }

  __device__ __forceinline__ const real_t<F>* coefficients(const Item<F>& item) const {
    return program.coefficients + kUnit * ((first_matrix + item.matrix) * program.matrix_units +
                                           item.work.unit[kParts<F> - 1]);
  }

  // Calls visit(item, lane) for all that a stage has for this thread, whose first item is known.
  template <class Visit>
  __device__ __forceinline__ void for_each_item(const Stage& stage, Item<F> at,
                                                Visit&& visit) const {
    for (int k = first(); k < count(stage);) {
      visit(at, lane());
      k += static_cast<int>(blockDim.x) / lanes;
      at = item(stage, k);
      read_factor(stage, k, at);
    }
  }
};

// Block `blockIdx.x` has the share of that number.
template <class F, int C>
__global__ void __launch_bounds__(kMostThreads, 1)
    rotate_kernel(const RotateArguments<F> arguments) {
  using R = real_t<F>;
  GIVENS_DYNAMIC_SHARED(shared);
  const Tiling& tiling = arguments.tiling;
  const Program<F>& program = arguments.program;
  const int width = tiling.width;
  const int groups = program.rows.slots / kRowBlock;
  const BlockShare share = share_of(tiling, blockIdx.x, arguments.matrix_count);
  const int panel_reals = program.rows.slots * width * kParts<F>;
  R* const panels = reinterpret_cast<R*>(shared);
  auto* const places = reinterpret_cast<std::int64_t*>(panels + tiling.matrices * panel_reals);

  const auto panel_of = [&](int m) { return Panel<F>{panels + m * panel_reals, groups, width}; };

  for (int m = 0; m < share.matrices; ++m) {
    const auto offsets = arguments.matrices.at(arguments.first_matrix + share.first_matrix + m);
    const std::int64_t of_matrix[2] = {offsets.at[2], offsets.at[3]};
    find_columns<2>(block_team(), arguments.vectors, arguments.columns_of_vector, tiling.columns,
                    share.first_column, width, of_matrix, places + 2 * m * width);
  }
  __syncthreads();
  for (int m = 0; m < share.matrices; ++m) {
    if (!arguments.x) {
      load_identity(block_team(), panel_of(m), program.rows, share.first_column);
      continue;
    }
    const ColumnPlaces from{places + 2 * m * width, arguments.x_row_stride,
                            arguments.x_columns_are_near};
    load_panel(block_team(), panel_of(m), program.rows, arguments.x, from,
               row_factors<F>(arguments, share.first_matrix + m, arguments.inverse), true);
  }
  __syncthreads();

  // What a thread needs to begin a stage is read stages before: the stage itself three, its first
  // item two, that item's factor one. Else it would wait for each of them in turn.
  const BlockWalk<F> walk{program, share.first_matrix, share.matrices, tiling.lanes};
  const int first = walk.first();
  Stage stage = walk.stage(0);
  Stage second = walk.stage(1);
  Stage third = walk.stage(2);
  Item<F> item = walk.item(stage, first);
  Item<F> next_item = walk.item(second, first);
  walk.read_factor(stage, first, item);
  for (std::int32_t s = 0; s < program.stage_count; ++s) {
    walk.read_factor(second, first, next_item);
    const Item<F> third_item = walk.item(third, first);
    const Stage fourth = walk.stage(s + 3);
    const ActiveSlots active = active_slots(stage, !arguments.x, share.first_column,
                                            share.last_column, program.rows.slots);
    walk.for_each_item(stage, item, [&](const Item<F>& at, int lane) {
      if (!active.has(at.work)) return;
      rotate_work<F, C>(panel_of(at.matrix), at.work, at.factor == real_t<F>(0), program.undo,
                        lane * C, walk.coefficients(at));
    });
    stage = second;
    second = third;
    third = fourth;
    item = next_item;
    next_item = third_item;
    __syncthreads();
  }

  for (int m = 0; m < share.matrices; ++m) {
    const ColumnPlaces to{places + (2 * m + 1) * width, arguments.y_row_stride,
                          arguments.y_columns_are_near};
    store_panel(block_team(), panel_of(m), program.rows, arguments.y, to,
                row_factors<F>(arguments, share.first_matrix + m, !arguments.inverse));
  }
}

}  // namespace givens::cuda
