// Rotating vectors, and forming U: all stages in one launch, panel by panel.
#pragma once

#include <cstdint>

#include "kernels/walk.cuh"

namespace givens::cuda {

template <class F>
struct RotateArguments : CallArguments<F> {
  using R = real_t<F>;
  static constexpr int kVectorOperands = 2;  // x and y
  // The shared memory of a matrix: panels, and 64-bit numbers for each column.
  static constexpr int kPanels = 1;
  static constexpr int kColumnNumbers = kVectorOperands;
  static constexpr int kLeastLanes = 1;  // the fewest threads that share a step
  // The columns of a thread in wide panels: as many as registers allow, at most 16 bytes of them.
  static constexpr int kColumns = 16 / static_cast<int>(sizeof(R)) / kReals<F>;

  Vectors<ConstNumbers<R>> x;  // absent: the identity
  Vectors<Numbers<R>> y;
  DeviceLoop<CallArguments<F>::kVectors + kVectorOperands> matrices;  // signs, x, y
  DeviceLoop<kVectorOperands> vectors;
};

// Loads the panel of matrix `first_matrix + index` whose columns start at `first_column`.
// find_offsets has filled in `offsets`.
template <class F>
__device__ void load_panels(const ThreadSet& threads, const RotateArguments<F>& arguments,
                            std::int64_t index, std::int64_t first_column, const Panels<F>& panels,
                            const std::int64_t* offsets) {
  if (!arguments.x.data) {
    load_identity(threads, panels.y, arguments.walk.rows, first_column);
    return;
  }
  load_panel(threads, panels.y, arguments.walk.rows, arguments.x, offsets,
             row_factors<F>(arguments, index, arguments.inverse));
}

template <class F>
__device__ void store_panels(const ThreadSet& threads, const RotateArguments<F>& arguments,
                             std::int64_t index, const Panels<F>& panels,
                             const std::int64_t* offsets) {
  store_panel(threads, panels.y, arguments.walk.rows, arguments.y, offsets + panels.y.width,
              row_factors<F>(arguments, index, !arguments.inverse));
}

// Thread block `blockIdx.x` has the share of that number.
template <class F, int C>
__global__ void __launch_bounds__(kMostThreads, 1)
    rotate_kernel(const RotateArguments<F> arguments) {
  using R = real_t<F>;
  GIVENS_DYNAMIC_SHARED(shared);
  const Tiling& tiling = arguments.tiling;
  const PreparedWalk<F>& walk = arguments.walk;
  const int width = tiling.width;
  const int row_blocks = walk.rows.count / kRowBlock;
  const ThreadBlockShare share = share_of(tiling, blockIdx.x, arguments.matrix_count);
  const int panel_reals = walk.rows.count * width * kReals<F>;
  R* const reals = reinterpret_cast<R*>(shared);
  auto* const offsets = reinterpret_cast<std::int64_t*>(reals + tiling.matrices * panel_reals);

  const auto panels_of = [&](int m) {
    return Panels<F>{{reals + m * panel_reals, row_blocks, width}, {}};
  };
  const auto offsets_of = [&](int m) {
    return offsets + RotateArguments<F>::kVectorOperands * m * width;
  };

  for (int m = 0; m < share.matrices; ++m) {
    find_offsets(block_threads(), arguments, share.first_matrix + m, share.first_column, width,
                 offsets_of(m));
  }
  __syncthreads();
  for (int m = 0; m < share.matrices; ++m) {
    load_panels(block_threads(), arguments, share.first_matrix + m, share.first_column,
                panels_of(m), offsets_of(m));
  }
  __syncthreads();

  // A thread reads ahead, so that it need not wait for one load after the other at the start of a
  // stage: the stage itself three stages before, its first item two, and that item's scale one.
  const ThreadBlockItems<F> items{walk, share.first_matrix, share.matrices, tiling.lanes};
  const int first = items.first();
  Stage stage = items.stage(0);
  Stage second = items.stage(1);
  Stage third = items.stage(2);
  Item<F> item = items.item(stage, first);
  Item<F> next_item = items.item(second, first);
  items.read_scale(stage, first, item);
  for (std::int32_t s = 0; s < walk.stage_count; ++s) {
    items.read_scale(second, first, next_item);
    const Item<F> third_item = items.item(third, first);
    const Stage fourth = items.stage(s + 3);
    const ActiveRows active = active_rows(stage, !arguments.x.data, share.first_column,
                                          share.last_column, walk.rows.count);
    items.for_each_item(stage, item, [&](const Item<F>& at, int lane) {
      if (!active.has(at.step)) return;
      rotate_step<F, C>(panels_of(at.matrix).y, at.step, at.scale == real_t<F>(0), walk.adjoint,
                        lane * C, items.coefficients(at));
    });
    stage = second;
    second = third;
    third = fourth;
    item = next_item;
    next_item = third_item;
    __syncthreads();
  }

  for (int m = 0; m < share.matrices; ++m) {
    store_panels(block_threads(), arguments, share.first_matrix + m, panels_of(m), offsets_of(m));
  }
}

}  // namespace givens::cuda
