// Launching the kernels of one type. Each is instantiated in a source of its own, kernels_*.cu.
#pragma once

#include "host/device_plan.hpp"
#include "host/runtime.hpp"
#include "kernels/coefficients.cuh"
#include "kernels/phases.cuh"
#include "kernels/staged.cuh"
#include "kernels/vjp.cuh"

namespace givens::cuda {

// Columns of a thread in wide panels: as many as registers allow, at most 16 bytes of them.
template <class F>
inline constexpr int kRotateColumns = 16 / static_cast<int>(sizeof(real_t<F>)) / kParts<F>;
template <class F>
inline constexpr int kVjpColumns = std::is_same_v<F, float> ? 2 : 1;
// Addresses of global memory take room that those of shared memory do not.
template <class F>
inline constexpr int kStagedVjpColumns = std::is_same_v<F, float> ? 2 : 1;
template <class F>
void launch_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool undo,
                         const LaunchShape& shape);

template <class F>
void launch_rotate(const RotateArguments<F>& arguments, bool wide, const LaunchShape& shape);

template <class F>
void launch_vjp(const VjpArguments<F>& arguments, bool wide, const LaunchShape& shape);

// All stages of a panel in global memory, and moving it there and back. `staged.stage` is not used.
template <class F>
void launch_staged(StagedRotate<F> staged, const DeviceWalk& walk, cudaStream_t stream);
template <class F>
void launch_staged(StagedVjp<F> staged, const DeviceWalk& walk, cudaStream_t stream);

// Of complex rotations.
template <class R>
void launch_phases(const PhasesArguments<R>& arguments, const LaunchShape& shape);

}  // namespace givens::cuda
