// The definitions of kernels/launch.hpp, for the sources that instantiate them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "arguments/element_types.hpp"
#include "kernels/launch.hpp"

namespace givens::cuda {

template <class F>
void launch_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool adjoint,
                         cudaStream_t stream) {
  constexpr int kSteps = kCoefficientThreads / kStepLanes;
  launch(adjoint ? &coefficients_kernel<F, true> : &coefficients_kernel<F, false>,
         {std::max((problem.count + kSteps - 1) / kSteps, 1),
          std::min<std::int64_t>(problem.matrix_count, 65535), kCoefficientThreads,
          kSteps * 2 * kRowBlock * sizeof(double), stream},
         problem);
}

template <class F>
void launch_panels(const RotateArguments<F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &rotate_kernel<F, RotateArguments<F>::kColumns> : &rotate_kernel<F, 1>, shape,
         arguments);
}

template <class F>
void launch_panels(const VjpArguments<F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &vjp_kernel<F, VjpArguments<F>::kColumns> : &vjp_kernel<F, 1>, shape, arguments);
}

// As many thread blocks as are enough to move a panel.
inline LaunchShape staged_shape(std::int64_t threads, cudaStream_t stream) {
  const std::int64_t blocks = (threads + kStagedThreads - 1) / kStagedThreads;
  return {std::min<std::int64_t>(std::max<std::int64_t>(blocks, 1), 4096), 1, kStagedThreads, 0,
          stream};
}

template <class F>
void launch_stage(const Staged<RotateArguments<F>>& staged, std::int64_t steps,
                  cudaStream_t stream) {
  constexpr int C = RotateArguments<F>::kColumns;
  launch(&staged_rotate_kernel<F, C>,
         {steps, (staged.panels.y.width / C + kStagedThreads - 1) / kStagedThreads, kStagedThreads,
          0, stream},
         staged);
}

template <class F>
void launch_stage(const Staged<VjpArguments<F>>& staged, std::int64_t steps, cudaStream_t stream) {
  launch(&staged_vjp_kernel<F, VjpArguments<F>::kColumns>, staged_shape(32 * steps, stream),
         staged);
}

template <class Arguments>
void launch_staged(Staged<Arguments> staged, const DeviceWalk& walk, cudaStream_t stream) {
  using F = typename Arguments::Field;
  constexpr bool kHasGradients = std::is_same_v<Arguments, VjpArguments<F>>;
  const int width = staged.panels.y.width;
  const std::int32_t rows = staged.arguments.walk.rows.count;
  const LaunchShape all = staged_shape(std::int64_t{rows} * width, stream);
  launch(&staged_offsets_kernel<Arguments>, staged_shape(width, stream), staged);
  launch(&staged_load_kernel<Arguments>, all, staged);
  if constexpr (kHasGradients && is_complex_v<F>) {
    launch(&staged_diagonal_kernel<F>, staged_shape(rows, stream), staged);
  }
  for (staged.stage = 0; staged.stage < walk.stage_count; ++staged.stage) {
    const Stage& stage = walk.host_stages[static_cast<std::size_t>(staged.stage)];
    launch_stage(staged, std::int64_t{stage.last} - stage.first, stream);
  }
  if constexpr (kHasGradients) {
    if (!staged.arguments.gx.data) return;
  }
  launch(&staged_store_kernel<Arguments>, all, staged);
}

template <class R>
void launch_phases(const PhasesArguments<R>& arguments, cudaStream_t stream) {
  launch(&phases_kernel<R>, {arguments.problem.matrix_count, 1, kPhaseThreads, 0, stream},
         arguments);
}

#define GIVENS_INSTANTIATE_FIELD(F)                                                 \
  GIVENS_INSTANTIATE(launch_coefficients, F)                                        \
  template void launch_panels(const RotateArguments<F>&, bool, const LaunchShape&); \
  template void launch_panels(const VjpArguments<F>&, bool, const LaunchShape&);    \
  GIVENS_INSTANTIATE(launch_staged, RotateArguments<F>)                             \
  GIVENS_INSTANTIATE(launch_staged, VjpArguments<F>)
#define GIVENS_INSTANTIATE_PHASES(R) GIVENS_INSTANTIATE(launch_phases, R)

}  // namespace givens::cuda
