// Launches of the kernels for one field. Each field has a source of its own that instantiates them,
// kernels/instantiate/kernels_*.cu.
#pragma once

#include "host/device_plan.hpp"
#include "host/runtime.hpp"
#include "kernels/coefficients.cuh"
#include "kernels/phases.cuh"
#include "kernels/staged.cuh"

namespace givens::cuda {

// For the `matrix_count` matrices of the problem.
template <class F>
void launch_coefficients(const CoefficientsProblem<real_t<F>>& problem, bool adjoint,
                         cudaStream_t stream);

// Runs all stages on panels in shared memory. With `wide` a thread has Arguments::kColumns columns,
// otherwise one. `Arguments` is RotateArguments or VjpArguments.
template <class F>
void launch_panels(const RotateArguments<F>& arguments, bool wide, const LaunchShape& shape);
template <class F>
void launch_panels(const VjpArguments<F>& arguments, bool wide, const LaunchShape& shape);

// Moves a panel to global memory, runs all stages on it, and moves it back. `staged.stage` is not
// used.
template <class Arguments>
void launch_staged(Staged<Arguments> staged, const DeviceWalk& walk, cudaStream_t stream);

// For complex rotations.
template <class R>
void launch_phases(const PhasesArguments<R>& arguments, cudaStream_t stream);

}  // namespace givens::cuda
