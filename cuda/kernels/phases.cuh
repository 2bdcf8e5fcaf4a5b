// The gradients by angles, phases and diagonal of complex rotations, from the accumulators that a
// walk has filled.
//
// W = A Y^H - Y A^H is antihermitian. With z = exp(-i p) W[j, i] after a rotation by t with phase
// p, dL/dt = Re z and dL/dp = sin t cos t Im z + (sin t)^2 (Im W[j, j] - Im W[i, i]) / 2. The walk
// has left the W[j, i]; this kernel follows the diagonal of W.
#pragma once

#include <cstdint>

#include "kernels/coefficients.cuh"

namespace givens::cuda {

template <class R>
struct PhasesArguments {
  CoefficientsProblem<R> problem;
  const Stage* stages;
  std::int32_t stage_count;
  std::int32_t rows;
  // For gradients through the inverse. The walk was then forward.
  bool inverse;
  Strided<R> gangles;
  Strided<R> gphases;       // may be absent
  Strided<R> gdiagonal;     // may be absent
  DeviceLoop<3> gradients;  // in this order
};

inline constexpr int kPhaseThreads = 256;

// Each matrix has a thread block.
template <class R>
__global__ void __launch_bounds__(kPhaseThreads) phases_kernel(const PhasesArguments<R> arguments) {
  const CoefficientsProblem<R>& problem = arguments.problem;
  const std::int64_t m = blockIdx.x;
  const CallNumbers<R>& numbers = problem.numbers;
  double* const diagonal = numbers.diagonal_of_w + m * arguments.rows;  // Im W[s, s]
  const MatrixParameters<R> parameters = problem.parameters_of(m);
  const auto out = arguments.gradients.at(problem.first_matrix + m);
  const Strided<R> gangles = arguments.gangles.at(out.at[0]);
  const Strided<R> gphases = arguments.gphases.at(out.at[1]);
  const Strided<R> gdiagonal = arguments.gdiagonal.at(out.at[2]);
  const R* accumulators = numbers.accumulators + 2 * m * problem.matrix_rotations;
  const R* weights = numbers.weights + m * problem.matrix_rotations;
  const int thread = static_cast<int>(threadIdx.x);
  const bool adjoint = !arguments.inverse;
  const R sign = arguments.inverse ? R(-1) : R(1);
  const auto write_diagonal = [&] {
    if (!gdiagonal) return;
    for (int s = thread; s < arguments.rows; s += kPhaseThreads) {
      const std::int32_t coordinate = problem.coordinate_of_row[s];
      if (coordinate < 0) continue;
      gdiagonal[coordinate] = sign * static_cast<R>(diagonal[s] / 2);
    }
  };

  for (int s = thread; s < arguments.rows; s += kPhaseThreads) {
    diagonal[s] = static_cast<double>(numbers.diagonal_accumulators[m * arguments.rows + s]);
  }
  __syncthreads();
  // The diagonal is the last factor of U.
  if (!arguments.inverse) write_diagonal();
  const int lane = thread % kStepLanes;
  for (std::int32_t s = 0; s < arguments.stage_count; ++s) {
    __syncthreads();
    const Stage stage = arguments.stages[s];
    // All threads go through the same loops, so that they meet at every barrier.
    for (std::int32_t first = stage.first; first < stage.last;
         first += kPhaseThreads / kStepLanes) {
      const std::int32_t index = first + thread / kStepLanes;
      const bool active = index < stage.last;
      Step step{};
      step.pattern = Pattern::pairs;
      if (active) step = problem.steps[index];
      for (int round = 0; round < kMostRounds; ++round) {
        const int k = active ? rotation_at(step.pattern, round, lane) : -1;
        const std::int32_t angle = k >= 0 ? angle_of(step, problem.angle_indices, adjoint, k) : -1;
        if (angle >= 0) {
          const Rotation g = rotation_of(problem, parameters, step, adjoint, k);
          const RowPair rows = rows_of(step.pattern, adjoint, k);
          const bool reversed = g.orientation < 0;
          const int row_i = panel_row(step, reversed ? rows.j : rows.i);
          const int row_j = panel_row(step, reversed ? rows.i : rows.j);
          // These belong to the rotation itself, not to its adjoint or to exchanged rows.
          const double s_ = (adjoint ? -g.orientation : g.orientation) * g.sine;
          const double c = g.cosine;
          const double phase_sine = g.orientation * g.phase_sine;
          // Where row x is the larger coordinate the weight is negative, and the sum is W[i, j].
          const auto weight = static_cast<double>(weights[step.first_rotation + k]);
          const R* sum = accumulators + 2 * (step.first_rotation + k);
          const double re_w = weight * static_cast<double>(sum[0]);
          const double im_w = g.orientation * weight * static_cast<double>(sum[1]);
          const double re_z = re_w * g.phase_cosine + im_w * phase_sine;
          double im_z = im_w * g.phase_cosine - re_w * phase_sine;
          double d_i = diagonal[row_i];
          double d_j = diagonal[row_j];
          const double trace = d_i + d_j;
          if (adjoint) {
            diagonal[row_i] = c * c * d_i + s_ * s_ * d_j + 2 * c * s_ * im_z;
          } else {  // the sums are from before the rotation
            const double before = im_z;
            im_z = (c * c - s_ * s_) * before + c * s_ * (d_i - d_j);
            d_i = c * c * d_i + s_ * s_ * d_j - 2 * c * s_ * before;
            d_j = trace - d_i;
            diagonal[row_i] = d_i;
          }
          diagonal[row_j] = trace - diagonal[row_i];
          gangles[angle] = sign * static_cast<R>(re_z);
          if (gphases) {
            gphases[angle] = sign * static_cast<R>(s_ * c * im_z + s_ * s_ * (d_j - d_i) / 2);
          }
        }
        __syncwarp();
      }
    }
  }
  __syncthreads();
  if (arguments.inverse) write_diagonal();
}

}  // namespace givens::cuda
