// Gradients: a walk of all rotations on two panels, backwards or, for the inverse, forwards, in one
// launch, with the sums over columns from which the gradients follow.
//
// Panels y and g hold the vectors after the rotations and the loss's gradient there. For a rotation
// of rows x and y, the sum over columns of g_y conj(y_x) - y_y conj(g_x) is added to its
// accumulator; then both panels are rotated (arXiv 2106.00003, section 4). For real rotations that
// sum is the same before and after the rotation, so the gradient through the inverse needs one walk
// too.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/reverse.cuh"
#include "kernels/walk.cuh"

namespace givens::cuda {

template <class F>
struct VjpArguments : CallArguments<F> {
  using R = real_t<F>;
  static constexpr int kVectorOperands = 3;  // y, gy and gx
  static constexpr int kGradAngles = CallArguments<F>::kVectors + kVectorOperands;
  // See RotateArguments. The first column has one number more, the offset of a matrix's gangles.
  static constexpr int kPanels = 2;
  static constexpr int kColumnNumbers = kVectorOperands + 1;
  static constexpr int kLeastLanes = kLeastVjpLanes;
  static constexpr int kColumns = std::is_same_v<F, float> ? 2 : 1;

  Vectors<ConstNumbers<R>> y;
  Vectors<ConstNumbers<R>> gy;
  Vectors<Numbers<R>> gx;                // may be absent
  DeviceLoop<kGradAngles + 1> matrices;  // signs, y, gy, gx, gangles
  DeviceLoop<kVectorOperands> vectors;
  bool from_identity;  // y is U

  // A matrix's last panel writes these; only if F is real.
  Strided<R> gangles;
};

// Loads both panels; see load_panels in rotate.cuh.
template <class F>
__device__ void load_panels(const ThreadSet& threads, const VjpArguments<F>& arguments,
                            std::int64_t index, std::int64_t, const Panels<F>& panels,
                            const std::int64_t* offsets) {
  const RowFactors<F> factors = row_factors<F>(arguments, index, !arguments.inverse);
  load_panel(threads, panels.y, arguments.walk.rows, arguments.y, offsets, factors);
  load_panel(threads, panels.g, arguments.walk.rows, arguments.gy, offsets + panels.y.width,
             factors);
}

template <class F>
__device__ void store_panels(const ThreadSet& threads, const VjpArguments<F>& arguments,
                             std::int64_t index, const Panels<F>& panels,
                             const std::int64_t* offsets) {
  if (!arguments.gx.data) return;
  store_panel(threads, panels.g, arguments.walk.rows, arguments.gx, offsets + 2 * panels.g.width,
              row_factors<F>(arguments, index, arguments.inverse));
}

// Adds Im W[s, s], summed over the columns of a panel, for every row s.
template <class F>
__device__ void add_diagonal(const ThreadSet& threads, const Panels<F>& panels, int rows,
                             const PanelRole& role, real_t<F>* of_chain, real_t<F>* of_matrix) {
  for (int row = threads.index; row < rows; row += threads.count) {
    real_t<F> sum = 0;
    for (int c = 0; c < panels.y.width; ++c) {
      real_t<F> y[2], g[2];
      panels.y.get(row, c, y);
      panels.g.get(row, c, g);
      sum += 2 * (g[1] * y[0] - g[0] * y[1]);
    }
    add_in_order(role, sum_so_far(role, of_chain + row), sum, of_chain + row, of_matrix + row);
  }
}

// As rotate_kernel. Panels are dealt out in the order in which thread blocks begin, so that the
// panel before has always begun.
template <class F, int C>
__global__ void __launch_bounds__(kMostThreads, 1) vjp_kernel(const VjpArguments<F> arguments) {
  using R = real_t<F>;
  constexpr int kColumnNumbers = VjpArguments<F>::kColumnNumbers;
  GIVENS_DYNAMIC_SHARED(shared);
  const Tiling& tiling = arguments.tiling;
  const PreparedWalk<F>& walk = arguments.walk;
  const CallNumbers<R>& numbers = arguments.numbers;
  const int width = tiling.width;
  const int row_blocks = walk.rows.count / kRowBlock;
  const int panel_reals = walk.rows.count * width * kReals<F>;
  R* const reals = reinterpret_cast<R*>(shared);  // y and g of every matrix
  auto* const offsets = reinterpret_cast<std::int64_t*>(reals + 2 * tiling.matrices * panel_reals);
  auto* const ticket =
      reinterpret_cast<std::int32_t*>(offsets + kColumnNumbers * tiling.matrices * width);

  if (threadIdx.x == 0) *ticket = atomicAdd(numbers.counters, 1);
  __syncthreads();
  const std::int64_t index = *ticket;
  const std::int64_t panel_index = index % tiling.panels;
  const ThreadBlockShare share = share_of(tiling, index, arguments.matrix_count);
  const std::int64_t chain = panel_index / tiling.chain;
  const std::int64_t member = panel_index % tiling.chain;
  const std::int64_t chains = (tiling.panels + tiling.chain - 1) / tiling.chain;
  const bool last = panel_index == tiling.panels - 1;
  const PanelRole role{member == 0, member == tiling.chain - 1 || last, chain == 0, last};
  PanelOrder order(role, numbers.counters + 1 + index, member);

  const auto panels_of = [&](int m) {
    R* const first = reals + 2 * m * panel_reals;
    return Panels<F>{{first, row_blocks, width}, {first + panel_reals, row_blocks, width}};
  };
  const auto offsets_of = [&](int m) { return offsets + kColumnNumbers * m * width; };

  for (int m = 0; m < share.matrices; ++m) {
    const std::int64_t matrix = share.first_matrix + m;
    find_offsets(block_threads(), arguments, matrix, share.first_column, width, offsets_of(m));
    if (threadIdx.x == 0) {
      offsets_of(m)[3 * width] =
          arguments.matrices.at(arguments.first_matrix + matrix).at[VjpArguments<F>::kGradAngles];
    }
  }
  __syncthreads();
  for (int m = 0; m < share.matrices; ++m) {
    load_panels(block_threads(), arguments, share.first_matrix + m, share.first_column,
                panels_of(m), offsets_of(m));
  }
  __syncthreads();

  // Complex rotations add the diagonal of W before the stages of the walk.
  constexpr std::int32_t kBefore = is_complex_v<F> ? 1 : 0;
  if constexpr (is_complex_v<F>) {
    if (threadIdx.x == 0) order.wait(0);
    __syncthreads();
    for (int m = 0; m < share.matrices; ++m) {
      const std::int64_t matrix = share.first_matrix + m;
      add_diagonal(
          block_threads(), panels_of(m), walk.rows.count, role,
          numbers.chain_diagonal_accumulators + (matrix * chains + chain) * walk.rows.count,
          numbers.diagonal_accumulators + matrix * walk.rows.count);
    }
  }

  const ThreadBlockItems<F> items{walk, share.first_matrix, share.matrices, tiling.lanes};
  Stage next_stage = items.stage(0);
  for (std::int32_t s = 0; s < walk.stage_count; ++s) {
    __syncthreads();
    if (threadIdx.x == 0) {
      order.tell(s + kBefore);
      order.wait(s + kBefore);
    }
    // The other threads read this while the first waits.
    const Stage stage = next_stage;
    next_stage = items.stage(s + 1);
    Item<F> item = items.item(stage, items.first());
    items.read_scale(stage, items.first(), item);
    __syncthreads();
    const std::int64_t each = arguments.columns_of_vector;
    const ActiveRows active = active_rows(stage, arguments.from_identity, share.first_column / each,
                                          (share.last_column + each - 1) / each, walk.rows.count);
    items.for_each_item(stage, item, [&](const Item<F>& at, int lane) {
      const Step& step = at.step;
      const std::int64_t matrix = share.first_matrix + at.matrix;
      const std::int64_t of_matrix = matrix * walk.matrix_rotations;
      const std::int64_t of_chain = (matrix * chains + chain) * walk.matrix_rotations;
      const GradientAccumulators<F> accumulators{
          role,
          numbers.accumulators + kReals<F> * of_matrix,
          numbers.chain_accumulators + kReals<F> * of_chain,
          numbers.weights + of_matrix,
          walk.adjoint,
          walk.angle_indices,
          arguments.gangles.at(offsets_of(at.matrix)[3 * width])};
      const auto count = static_cast<unsigned>(tiling.lanes);
      const Lanes lanes{
          lane, tiling.lanes,
          count == 32 ? 0xFFFFFFFFU : ((1U << count) - 1) << (threadIdx.x % 32 / count * count)};
      if (!active.has(step)) {
        // The panel finds nothing here. But accumulators must be set at the start of a chain, and
        // handed on at its end.
        const R zero[kReals<F>] = {};
        const bool must = role.starts_chain || role.ends_chain;
        for (int m = lane; must && m < rotations_of(step.pattern); m += tiling.lanes) {
          accumulators.add(step, m, zero);
        }
        accumulators.finish(step, lanes);
        return;
      }
      // For complex128 there are too few registers to keep all that is found.
      vjp_step<F, C, sizeof(F) == 16>(panels_of(at.matrix), step, at.scale == real_t<F>(0),
                                      walk.adjoint, lanes, items.coefficients(at), accumulators);
    });
  }
  __syncthreads();
  if (threadIdx.x == 0) order.tell(walk.stage_count + kBefore);

  for (int m = 0; m < share.matrices; ++m) {
    store_panels(block_threads(), arguments, share.first_matrix + m, panels_of(m), offsets_of(m));
  }
}

}  // namespace givens::cuda
