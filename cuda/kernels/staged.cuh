// Matrices of which not one column fits in shared memory: a launch for each stage, on a panel in
// global memory.
//
// The panel has `width` columns from `first_column` on, of matrix `first_matrix`. The arguments are
// those of rotate_kernel and vjp_kernel; of a tiling only `columns` counts.
#pragma once

#include "kernels/vjp.cuh"

namespace givens::cuda {

inline constexpr int kStagedThreads = 128;

template <class F>
struct GlobalPanels {
  Panel<F> y;
  Panel<F> g;            // of gradients only
  std::int64_t* places;  // see find_columns
  std::int64_t first_column;
};

template <class F>
struct StagedRotate {
  RotateArguments<F> arguments;
  GlobalPanels<F> panels;
  std::int32_t stage;
};

template <class F>
struct StagedVjp {
  VjpArguments<F> arguments;
  GlobalPanels<F> panels;
  std::int32_t stage;
  bool first;  // panel of the matrix
  bool last;

  // Panels come one after the other: one chain, whose sums are those of the matrix.
  __device__ PanelRole role(bool first_columns, bool last_columns) const {
    return {first && first_columns, false, true, last && last_columns};
  }
};

// Of either kind of arguments; see find_columns.
template <int Operands, class Staged>
__global__ void __launch_bounds__(kStagedThreads, 1) staged_places_kernel(const Staged staged) {
  const auto& arguments = staged.arguments;
  const auto offsets = arguments.matrices.at(arguments.first_matrix);
  std::int64_t of_matrix[Operands];
  for (int p = 0; p < Operands; ++p) of_matrix[p] = offsets.at[2 + p];
  find_columns<Operands>(grid_team(), arguments.vectors, arguments.columns_of_vector,
                         arguments.tiling.columns, staged.panels.first_column,
                         staged.panels.y.width, of_matrix, staged.panels.places);
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_load_kernel(const StagedRotate<F> staged) {
  const RotateArguments<F>& arguments = staged.arguments;
  if (!arguments.x) {
    load_identity(grid_team(), staged.panels.y, arguments.program.rows, staged.panels.first_column);
    return;
  }
  load_panel(grid_team(), staged.panels.y, arguments.program.rows, arguments.x,
             {staged.panels.places, arguments.x_row_stride, arguments.x_columns_are_near},
             row_factors<F>(arguments, 0, arguments.inverse), true);
}

// A block for each work item, and as many in y as the columns need.
template <class F, int C>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_rotate_kernel(const StagedRotate<F> staged) {
  const Program<F>& program = staged.arguments.program;
  const Stage stage = program.stages[staged.stage];
  for (std::int32_t k = stage.first + static_cast<std::int32_t>(blockIdx.x); k < stage.last;
       k += static_cast<std::int32_t>(gridDim.x)) {
    const Work& work = program.works[k];
    const int step = static_cast<int>(gridDim.y) * kStagedThreads * C;
    for (int column = static_cast<int>(blockIdx.y * kStagedThreads + threadIdx.x) * C;
         column < staged.panels.y.width; column += step) {
      const real_t<F>* const coefficients =
          program.coefficients + std::int64_t{kUnit} * work.unit[kParts<F> - 1];
      rotate_work<F, C>(staged.panels.y, work, is_plain<F>(work, coefficients), program.undo,
                        column, coefficients);
    }
  }
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_store_kernel(const StagedRotate<F> staged) {
  const RotateArguments<F>& arguments = staged.arguments;
  store_panel(grid_team(), staged.panels.y, arguments.program.rows, arguments.y,
              {staged.panels.places + staged.panels.y.width, arguments.y_row_stride,
               arguments.y_columns_are_near},
              row_factors<F>(arguments, 0, !arguments.inverse));
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_vjp_load_kernel(const StagedVjp<F> staged) {
  const VjpArguments<F>& arguments = staged.arguments;
  const RowFactors<F> factors = row_factors<F>(arguments, 0, !arguments.inverse);
  const int width = staged.panels.y.width;
  load_panel(grid_team(), staged.panels.y, arguments.program.rows, arguments.y,
             {staged.panels.places, arguments.y_row_stride, arguments.y_columns_are_near}, factors,
             true);
  load_panel(grid_team(), staged.panels.g, arguments.program.rows, arguments.gy,
             {staged.panels.places + width, arguments.gy_row_stride, arguments.gy_columns_are_near},
             factors, true);
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_diagonal_kernel(const StagedVjp<F> staged) {
  add_diagonal_sums(grid_team(), staged.panels.y, staged.panels.g,
                    staged.arguments.program.rows.slots, staged.role(true, true),
                    staged.arguments.diagonal_sums, staged.arguments.diagonal_sums);
}

// A warp for each work item, which takes the columns in order.
template <class F, int C>
__global__ void __launch_bounds__(kStagedThreads, 1) staged_vjp_kernel(const StagedVjp<F> staged) {
  const VjpArguments<F>& arguments = staged.arguments;
  const Program<F>& program = arguments.program;
  const Stage stage = program.stages[staged.stage];
  constexpr int kLanes = 32;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const auto warps = static_cast<std::int32_t>(gridDim.x) * (kStagedThreads / kLanes);
  const auto offsets = arguments.matrices.at(arguments.first_matrix);
  for (std::int32_t k =
           stage.first +
           static_cast<std::int32_t>(blockIdx.x * kStagedThreads + threadIdx.x) / kLanes;
       k < stage.last; k += warps) {
    const Work& work = program.works[k];
    for (int column = 0; column < staged.panels.y.width; column += kLanes * C) {
      const SumPlaces<F> sums{
          staged.role(column == 0, column + kLanes * C >= staged.panels.y.width),
          arguments.sums,
          arguments.sums,
          arguments.weights,
          program.undo,
          program.sources,
          arguments.gangles + (is_complex_v<F> ? 0 : offsets.at[5]),
          arguments.gangle_stride};
      Panel<F> y = staged.panels.y;
      Panel<F> g = staged.panels.g;
      y.data += column;
      g.data += column;
      const real_t<F>* const coefficients =
          program.coefficients + std::int64_t{kUnit} * work.unit[kParts<F> - 1];
      // All but float's sums lack registers, beside addresses of global memory.
      vjp_work<F, C, !std::is_same_v<F, float>>(y, g, work, is_plain<F>(work, coefficients),
                                                program.undo, lane, kLanes, 0xFFFFFFFFU,
                                                coefficients, sums);
    }
  }
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_vjp_store_kernel(const StagedVjp<F> staged) {
  const VjpArguments<F>& arguments = staged.arguments;
  store_panel(grid_team(), staged.panels.g, arguments.program.rows, arguments.gx,
              {staged.panels.places + 2 * staged.panels.y.width, arguments.gx_row_stride,
               arguments.gx_columns_are_near},
              row_factors<F>(arguments, 0, arguments.inverse));
}

}  // namespace givens::cuda
