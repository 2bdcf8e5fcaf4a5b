// The rotations of one step on two panels, with the sums over columns from which gradients follow,
// by the threads that share the step.
#pragma once

#include <type_traits>

#include "kernels/accumulators.cuh"
#include "kernels/walk.cuh"

namespace givens::cuda {

// --- Sums over the threads that share a step ---

// The fewest threads that share a step.
inline constexpr int kLeastVjpLanes = 4;

template <int N, class R>
__device__ __forceinline__ void halve(R* v, const Lanes& lanes, int bit) {
#pragma unroll
  for (int k = 0; k < N / 2; ++k) {
    const bool upper = (lanes.lane & bit) != 0;
    const R sent = upper ? v[k] : v[k + N / 2];
    const R kept = upper ? v[k + N / 2] : v[k];
    v[k] = kept + __shfl_xor_sync(lanes.mask, sent, bit);
  }
}

template <int N, class R>
__device__ __forceinline__ void add_from(R* v, const Lanes& lanes, int bit) {
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] += __shfl_xor_sync(lanes.mask, v[k], bit);
}

// Adds up what each four of the lanes have found.
template <int N, class R>
__device__ __forceinline__ void add_fours(R* v, const Lanes& lanes) {
  if (lanes.count > 4) add_from<N>(v, lanes, 4);
  if (lanes.count > 8) add_from<N>(v, lanes, 8);
  if (lanes.count > 16) add_from<N>(v, lanes, 16);
}

// The sums for kSums rotations over four successive threads, always in the same order. Each of the
// threads is left with kLeft of them, in order.
template <class F, int Sums>
struct LaneSums {
  using R = real_t<F>;
  static constexpr int kSums = Sums;
  static constexpr int kLeft = kSums / kLeastVjpLanes;
  R v[kSums * kReals<F>] = {};

  __device__ __forceinline__ void reduce(const Lanes& lanes) {
    // The highest bit of a sum's number goes with bit 2 of the lane, the next with bit 1.
    halve<kSums * kReals<F>>(v, lanes, 2);
    halve<kSums / 2 * kReals<F>>(v, lanes, 1);
  }
};

// --- Steps ---

// With AtOnce what is found for a few rotations is added to the accumulators before the next few,
// because there are no registers to keep it in.
template <class B, class F, int C, bool AtOnce>
__device__ __forceinline__ void vjp_in_registers(const Panels<F>& panels, const Step& step,
                                                 const Lanes& lanes,
                                                 const real_t<F>* __restrict__ coefficients,
                                                 const GradientAccumulators<F>& accumulators) {
  constexpr int N = B::kRows;
  const RowPointers<B::kPattern, F> rows_y(panels.y, step, lanes.lane * C);
  const RowPointers<B::kPattern, F> rows_g(panels.g, step, lanes.lane * C);
  Columns<F, C> y[N], g[N];
  // Narrow panels have no columns for some lanes.
  const bool there = lanes.lane * C < panels.y.width;
#pragma unroll
  for (int k = 0; k < N; ++k) {
    y[k] = there ? Columns<F, C>::load(rows_y[k], panels.y.width) : Columns<F, C>{};
    g[k] = there ? Columns<F, C>::load(rows_g[k], panels.g.width) : Columns<F, C>{};
  }
  constexpr int R = kReals<F>;
  constexpr int kAtOnce = CoefficientReader<F>::kAtOnce;
  constexpr int kSums = std::is_same_v<F, float> ? 8 : 4;  // registers are few
  constexpr int kLeft = LaneSums<F, kSums>::kLeft;
  constexpr int kBatches = (B::kRotations + kSums - 1) / kSums;
  // Branches between rotations keep the compiler from loading coefficients early, for which doubles
  // leave no registers.
  constexpr bool kKeepsLoadsBack = AtOnce || sizeof(real_t<F>) == 8;
  // Calls visit(k, m) for the sums of a batch that are left to this thread: the k-th belongs to
  // rotation m.
  const auto for_each_left = [&](int batch, auto&& visit) {
#pragma unroll
    for (int k = 0; k < kLeft; ++k) {
      const int m = batch * kSums + kLeft * lanes.lane + k;
      if (lanes.lane < kLeastVjpLanes && m < B::kRotations) visit(k, m);
    }
  };
  real_t<F> found[kBatches * kLeft * R];
#pragma unroll
  for (int batch = 0; batch < kBatches; ++batch) {
    // Read before it is needed.
    real_t<F> so_far[kLeft * R];
    if constexpr (AtOnce) {
      for_each_left(batch,
                    [&](int k, int m) { accumulators.read_so_far(step, m, so_far + k * R); });
    }
    LaneSums<F, kSums> sums;
#pragma unroll
    for (int m = batch * kSums; m < (batch + 1) * kSums && m < B::kRotations; m += kAtOnce) {
      const CoefficientReader<F> reader(coefficients, m);
#pragma unroll
      for (int e = 0; e < kAtOnce; ++e) {
        const RowPair pair = rows_of(B::kPattern, B::kAdjoint, m + e);
        add_products(y[pair.i], y[pair.j], g[pair.i], g[pair.j],
                     sums.v + R * (m + e - batch * kSums));
        rotate_fast(y[pair.i], y[pair.j], reader.c + e * kCoefficients<F>);
        rotate_fast(g[pair.i], g[pair.j], reader.c + e * kCoefficients<F>);
      }
    }
    sums.reduce(lanes);
    if constexpr (kKeepsLoadsBack) add_fours<kLeft * R>(sums.v, lanes);
    if constexpr (AtOnce) {
      for_each_left(
          batch, [&](int k, int m) { accumulators.add(step, m, so_far + k * R, sums.v + k * R); });
    } else {
#pragma unroll
      for (int k = 0; k < kLeft * R; ++k) found[batch * kLeft * R + k] = sums.v[k];
    }
  }
  if constexpr (!kKeepsLoadsBack) add_fours<kBatches * kLeft * R>(found, lanes);
  const real_t<F>* scales = coefficients + kCoefficients<F> * B::kRotations;
  const RowPointers<B::kPattern, F> to_y = rows_y.again();
  const RowPointers<B::kPattern, F> to_g = rows_g.again();
#pragma unroll
  for (int k = 0; k < N; ++k) {
    y[k].scale(scales[k]);
    g[k].scale(scales[k]);
    if (there) {
      y[k].store(to_y[k], panels.y.width);
      g[k].store(to_g[k], panels.g.width);
    }
  }
  if constexpr (!AtOnce) {
#pragma unroll
    for (int batch = 0; batch < kBatches; ++batch) {
      for_each_left(
          batch, [&](int k, int m) { accumulators.add(step, m, found + (batch * kLeft + k) * R); });
    }
  }
}

template <class F, int C>
__device__ __forceinline__ void vjp_in_memory(const Panels<F>& panels, const Step& step,
                                              bool adjoint, const Lanes& lanes,
                                              const real_t<F>* coefficients,
                                              const GradientAccumulators<F>& accumulators) {
  const int width = panels.y.width;
  for (int m = 0; m < rotations_of(step.pattern); ++m) {
    const RowPair rows = rows_of(step.pattern, adjoint, m);
    const bool there = lanes.lane * C < width;
    Columns<F, C> x[2][2];
    real_t<F>* at[2][2];
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      const Panel<F>& panel = p == 0 ? panels.y : panels.g;
      at[p][0] = panel.row(panel_row(step, rows.i)) + lanes.lane * C;
      at[p][1] = panel.row(panel_row(step, rows.j)) + lanes.lane * C;
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        x[p][k] = there ? Columns<F, C>::load(at[p][k], width) : Columns<F, C>{};
      }
    }
    real_t<F> sum[kReals<F>] = {};
    add_products(x[0][0], x[0][1], x[1][0], x[1][1], sum);
#pragma unroll
    for (int p = 0; p < 2; ++p) {
      rotate_standard(x[p][0], x[p][1], coefficients + kCoefficients<F> * m);
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        if (there) x[p][k].store(at[p][k], width);
      }
    }
    for (int bit = 1; bit < lanes.count; bit *= 2) add_from<kReals<F>>(sum, lanes, bit);
    if (lanes.lane == 0) accumulators.add(step, m, sum);
  }
}

template <class F, int C, bool AtOnce>
__device__ __forceinline__ void vjp_step(const Panels<F>& panels, const Step& step, bool standard,
                                         bool adjoint, const Lanes& lanes,
                                         const real_t<F>* coefficients,
                                         const GradientAccumulators<F>& accumulators) {
  if (standard) {
    vjp_in_memory<F, C>(panels, step, adjoint, lanes, coefficients, accumulators);
  } else {
    with_block(step, adjoint, [&](auto block) {
      vjp_in_registers<decltype(block), F, C, AtOnce>(panels, step, lanes, coefficients,
                                                      accumulators);
    });
  }
  accumulators.finish(step, lanes);
}

}  // namespace givens::cuda
