// The definitions of kernels.hpp, for the sources that instantiate them.
#pragma once

#include <algorithm>

#include "kernels.hpp"

namespace givens::cuda {

template <class F>
void launch_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool undo,
                         const LaunchShape& shape) {
  launch(undo ? &coefficients_kernel<F, true> : &coefficients_kernel<F, false>, shape, problem);
}

template <class S, class F>
void launch_rotate(const RotateArguments<S, F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &rotate_kernel<S, F, kRotateColumns<F>> : &rotate_kernel<S, F, 1>, shape,
         arguments);
}

template <class S, class F>
void launch_vjp(const VjpArguments<S, F>& arguments, bool wide, const LaunchShape& shape) {
  launch(wide ? &vjp_kernel<S, F, kVjpColumns<F>> : &vjp_kernel<S, F, 1>, shape, arguments);
}

// Blocks that are enough to move a panel.
inline LaunchShape staged_shape(std::int64_t threads, cudaStream_t stream) {
  const std::int64_t blocks = (threads + kStagedThreads - 1) / kStagedThreads;
  return {std::min<std::int64_t>(std::max<std::int64_t>(blocks, 1), 4096), 1, kStagedThreads, 0,
          stream};
}

template <class S, class F>
void launch_staged(StagedRotate<S, F> staged, const DeviceWalk& walk, cudaStream_t stream) {
  const int width = staged.panels.y.width;
  const LaunchShape all =
      staged_shape(std::int64_t{staged.arguments.program.rows.slots} * width, stream);
  launch(&staged_places_kernel<S, F>, staged_shape(width, stream), staged);
  launch(&staged_load_kernel<S, F>, all, staged);
  constexpr int C = kRotateColumns<F>;
  for (staged.stage = 0; staged.stage < walk.stage_count; ++staged.stage) {
    const Stage& stage = walk.host_stages[static_cast<std::size_t>(staged.stage)];
    launch(&staged_rotate_kernel<S, F, C>,
           {stage.last - stage.first, (width / C + kStagedThreads - 1) / kStagedThreads,
            kStagedThreads, 0, stream},
           staged);
  }
  launch(&staged_store_kernel<S, F>, all, staged);
}

template <class S, class F>
void launch_staged(StagedVjp<S, F> staged, const DeviceWalk& walk, cudaStream_t stream) {
  const int width = staged.panels.y.width;
  const std::int32_t slots = staged.arguments.program.rows.slots;
  const LaunchShape all = staged_shape(std::int64_t{slots} * width, stream);
  launch(&staged_vjp_places_kernel<S, F>, staged_shape(width, stream), staged);
  launch(&staged_vjp_load_kernel<S, F>, all, staged);
  if constexpr (is_complex_v<F>) {
    launch(&staged_diagonal_kernel<S, F>, staged_shape(slots, stream), staged);
  }
  for (staged.stage = 0; staged.stage < walk.stage_count; ++staged.stage) {
    const Stage& stage = walk.host_stages[static_cast<std::size_t>(staged.stage)];
    launch(&staged_vjp_kernel<S, F, kVjpColumns<F>>,
           staged_shape(std::int64_t{32} * (stage.last - stage.first), stream), staged);
  }
  if (staged.arguments.gx) launch(&staged_vjp_store_kernel<S, F>, all, staged);
}

template <class R>
void launch_phases(const PhasesArguments<R>& arguments, const LaunchShape& shape) {
  launch(&phases_kernel<R>, shape, arguments);
}

#define GIVENS_INSTANTIATE_FIELD(F)                                                 \
  template void launch_coefficients<F>(const CoefficientsProblem<real_t<F>>&, bool, \
                                       const LaunchShape&);
#define GIVENS_INSTANTIATE_STORAGE(S, F)                                                     \
  template void launch_rotate<S, F>(const RotateArguments<S, F>&, bool, const LaunchShape&); \
  template void launch_vjp<S, F>(const VjpArguments<S, F>&, bool, const LaunchShape&);       \
  template void launch_staged<S, F>(StagedRotate<S, F>, const DeviceWalk&, cudaStream_t);    \
  template void launch_staged<S, F>(StagedVjp<S, F>, const DeviceWalk&, cudaStream_t);
#define GIVENS_INSTANTIATE_PHASES(R) \
  template void launch_phases<R>(const PhasesArguments<R>&, const LaunchShape&);

}  // namespace givens::cuda
