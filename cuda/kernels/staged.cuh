// Matrices too large for even one column to fit in shared memory: a launch for each stage, on a
// panel in global memory.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/rotate.cuh"
#include "kernels/vjp.cuh"

namespace givens::cuda {

inline constexpr int kStagedThreads = 128;

// The arguments of rotate_kernel or vjp_kernel, for a panel of matrix `first_matrix`. Only the
// columns of the tiling count.
template <class Arguments>
struct Staged {
  using F = typename Arguments::Field;
  Arguments arguments;
  Panels<F> panels;
  std::int64_t first_column;
  std::int32_t stage;
  bool first;  // panel of the matrix
  bool last;

  // Panels come one after the other, and form one chain whose accumulators are the matrix's.
  __device__ PanelRole role(bool first_columns, bool last_columns) const {
    return {first && first_columns, false, true, last && last_columns};
  }
};

template <class Arguments>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_offsets_kernel(const Staged<Arguments> staged) {
  find_offsets(grid_threads(), staged.arguments, 0, staged.first_column, staged.panels.y.width,
               staged.arguments.numbers.offsets);
}

template <class Arguments>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_load_kernel(const Staged<Arguments> staged) {
  load_panels(grid_threads(), staged.arguments, 0, staged.first_column, staged.panels,
              staged.arguments.numbers.offsets);
}

template <class Arguments>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_store_kernel(const Staged<Arguments> staged) {
  store_panels(grid_threads(), staged.arguments, 0, staged.panels,
               staged.arguments.numbers.offsets);
}

// Thread blocks x share out the steps of a stage, and thread blocks y the columns.
template <class F, int C>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_rotate_kernel(const Staged<RotateArguments<F>> staged) {
  const PreparedWalk<F>& walk = staged.arguments.walk;
  const Stage stage = walk.stages[staged.stage];
  for (std::int32_t k = stage.first + static_cast<std::int32_t>(blockIdx.x); k < stage.last;
       k += static_cast<std::int32_t>(gridDim.x)) {
    const Step& step = walk.steps[k];
    const int stride = static_cast<int>(gridDim.y) * kStagedThreads * C;
    for (int column = static_cast<int>(blockIdx.y * kStagedThreads + threadIdx.x) * C;
         column < staged.panels.y.width; column += stride) {
      const real_t<F>* const coefficients = walk.coefficients_of(step, 0);
      rotate_step<F, C>(staged.panels.y, step, is_standard<F>(step, coefficients), walk.adjoint,
                        column, coefficients);
    }
  }
}

template <class F>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_diagonal_kernel(const Staged<VjpArguments<F>> staged) {
  add_diagonal(grid_threads(), staged.panels, staged.arguments.walk.rows.count,
               staged.role(true, true), staged.arguments.numbers.diagonal_accumulators,
               staged.arguments.numbers.diagonal_accumulators);
}

// Each step has a warp, which takes the columns in order.
template <class F, int C>
__global__ void __launch_bounds__(kStagedThreads, 1)
    staged_vjp_kernel(const Staged<VjpArguments<F>> staged) {
  const VjpArguments<F>& arguments = staged.arguments;
  const PreparedWalk<F>& walk = arguments.walk;
  const Stage stage = walk.stages[staged.stage];
  constexpr int kLanes = 32;
  const Lanes lanes{static_cast<int>(threadIdx.x) % kLanes, kLanes, 0xFFFFFFFFU};
  const auto warps = static_cast<std::int32_t>(gridDim.x) * (kStagedThreads / kLanes);
  const auto matrix = arguments.matrices.at(arguments.first_matrix);
  for (std::int32_t k =
           stage.first +
           static_cast<std::int32_t>(blockIdx.x * kStagedThreads + threadIdx.x) / kLanes;
       k < stage.last; k += warps) {
    const Step& step = walk.steps[k];
    for (int column = 0; column < staged.panels.y.width; column += kLanes * C) {
      const GradientAccumulators<F> accumulators{
          staged.role(column == 0, column + kLanes * C >= staged.panels.y.width),
          arguments.numbers.accumulators,
          arguments.numbers.accumulators,
          arguments.numbers.weights,
          walk.adjoint,
          walk.angle_indices,
          arguments.gangles.at(matrix.at[VjpArguments<F>::kGradAngles])};
      Panels<F> panels = staged.panels;
      panels.y.data += column;
      panels.g.data += column;
      const real_t<F>* const coefficients = walk.coefficients_of(step, 0);
      // Addresses of global memory leave registers for the sums of float only.
      vjp_step<F, C, !std::is_same_v<F, float>>(panels, step, is_standard<F>(step, coefficients),
                                                walk.adjoint, lanes, coefficients, accumulators);
    }
  }
}

}  // namespace givens::cuda
