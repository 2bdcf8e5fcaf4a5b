// The definitions of kernels.hpp, for the sources that instantiate them.
#pragma once

#include <algorithm>

#include "kernels/launch.hpp"

namespace givens::cuda {

template <class F>
void launch_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool undo,
                         const LaunchShape& shape) {
  launch(undo ? &coefficients_kernel<F, true> : &coefficients_kernel<F, false>, shape, problem);
}

template <class F>
void launch_rotate(const RotateArguments<F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &rotate_kernel<F, kRotateColumns<F>> : &rotate_kernel<F, 1>, shape, arguments);
}

template <class F>
void launch_vjp(const VjpArguments<F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &vjp_kernel<F, kVjpColumns<F>> : &vjp_kernel<F, 1>, shape, arguments);
}

// Blocks that are enough to move a panel.
inline LaunchShape staged_shape(std::int64_t threads, cudaStream_t stream) {
  const std::int64_t blocks = (threads + kStagedThreads - 1) / kStagedThreads;
  return {std::min<std::int64_t>(std::max<std::int64_t>(blocks, 1), 4096), 1, kStagedThreads, 0,
          stream};
}

template <class F>
void launch_staged(StagedRotate<F> staged, const DeviceWalk& walk, cudaStream_t stream) {
  const int width = staged.panels.y.width;
  const LaunchShape all =
      staged_shape(std::int64_t{staged.arguments.program.rows.slots} * width, stream);
  launch(&staged_places_kernel<2, StagedRotate<F>>, staged_shape(width, stream), staged);
  launch(&staged_load_kernel<F>, all, staged);
  constexpr int C = kRotateColumns<F>;
  for (staged.stage = 0; staged.stage < walk.stage_count; ++staged.stage) {
    const Stage& stage = walk.host_stages[static_cast<std::size_t>(staged.stage)];
    launch(&staged_rotate_kernel<F, C>,
           {stage.last - stage.first, (width / C + kStagedThreads - 1) / kStagedThreads,
            kStagedThreads, 0, stream},
           staged);
  }
  launch(&staged_store_kernel<F>, all, staged);
}

template <class F>
void launch_staged(StagedVjp<F> staged, const DeviceWalk& walk, cudaStream_t stream) {
  const int width = staged.panels.y.width;
  const std::int32_t slots = staged.arguments.program.rows.slots;
  const LaunchShape all = staged_shape(std::int64_t{slots} * width, stream);
  launch(&staged_places_kernel<3, StagedVjp<F>>, staged_shape(width, stream), staged);
  launch(&staged_vjp_load_kernel<F>, all, staged);
  if constexpr (is_complex_v<F>) {
    launch(&staged_diagonal_kernel<F>, staged_shape(slots, stream), staged);
  }
  for (staged.stage = 0; staged.stage < walk.stage_count; ++staged.stage) {
    const Stage& stage = walk.host_stages[static_cast<std::size_t>(staged.stage)];
    launch(&staged_vjp_kernel<F, kStagedVjpColumns<F>>,
           staged_shape(std::int64_t{32} * (stage.last - stage.first), stream), staged);
  }
  if (staged.arguments.gx) launch(&staged_vjp_store_kernel<F>, all, staged);
}

template <class R>
void launch_phases(const PhasesArguments<R>& arguments, const LaunchShape& shape) {
  launch(&phases_kernel<R>, shape, arguments);
}

#define GIVENS_INSTANTIATE_FIELD(F)                                                    \
  template void launch_coefficients<F>(const CoefficientsProblem<real_t<F>>&, bool,    \
                                       const LaunchShape&);                            \
  template void launch_rotate<F>(const RotateArguments<F>&, bool, const LaunchShape&); \
  template void launch_vjp<F>(const VjpArguments<F>&, bool, const LaunchShape&);       \
  template void launch_staged<F>(StagedRotate<F>, const DeviceWalk&, cudaStream_t);    \
  template void launch_staged<F>(StagedVjp<F>, const DeviceWalk&, cudaStream_t);
#define GIVENS_INSTANTIATE_PHASES(R) \
  template void launch_phases<R>(const PhasesArguments<R>&, const LaunchShape&);

}  // namespace givens::cuda
