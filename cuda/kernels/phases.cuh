// The gradients by angles, phases and diagonal of complex rotations, from the sums of a walk.
//
// W = A Y^H - Y A^H is antihermitian. With z = exp(-i p) W[j, i] after a rotation by t with phase
// p, dL/dt = Re z and dL/dp = sin t cos t Im z + (sin t)^2 (Im W[j, j] - Im W[i, i]) / 2. The walk
// has left the W[j, i]; this one follows the diagonal of W.
#pragma once

#include "kernels/coefficients.cuh"
#include "kernels/rotate.cuh"

namespace givens::cuda {

template <class R>
struct PhasesArguments {
  CoefficientsProblem<R> problem;  // the parameters; `weights` are read
  const Stage* stages;
  std::int32_t stage_count;
  std::int32_t slots;
  const R* sums;           // Re and Im by entry, matrix after matrix
  const R* diagonal_sums;  // by slot, matrix after matrix
  double* diagonal;        // as many, to work with
  // Through the inverse: the walk went from the first rotation to the last.
  bool inverse;
  R* gangles;
  R* gphases;    // may be null
  R* gdiagonal;  // may be null
  std::int64_t gangle_stride;
  std::int64_t gphase_stride;
  std::int64_t gdiagonal_stride;
  DeviceLoop<3> gradients;  // gangles, gphases, gdiagonal
};

inline constexpr int kPhaseThreads = 256;

// A block for each matrix.
template <class R>
__global__ void __launch_bounds__(kPhaseThreads) phases_kernel(const PhasesArguments<R> arguments) {
  const CoefficientsProblem<R>& problem = arguments.problem;
  const std::int64_t m = blockIdx.x;
  double* const diagonal = arguments.diagonal + m * arguments.slots;  // Im W[s, s]
  const auto in = problem.matrices.at(problem.first_matrix + m);
  const auto out = arguments.gradients.at(problem.first_matrix + m);
  const R* angles = problem.angles + in.at[0];
  const R* phases = problem.phases ? problem.phases + in.at[1] : nullptr;
  const R* sums = arguments.sums + 2 * m * problem.matrix_entries;
  const R* weights = problem.weights + m * problem.matrix_entries;
  const int thread = static_cast<int>(threadIdx.x);
  const bool undo = !arguments.inverse;
  const R sign = arguments.inverse ? R(-1) : R(1);
  const auto write_diagonal = [&] {
    if (!arguments.gdiagonal) return;
    for (int s = thread; s < arguments.slots; s += kPhaseThreads) {
      const std::int32_t coordinate = problem.coordinate_of_row[s];
      if (coordinate < 0) continue;
      arguments.gdiagonal[out.at[2] + coordinate * arguments.gdiagonal_stride] =
          sign * static_cast<R>(diagonal[s] / 2);
    }
  };

  for (int s = thread; s < arguments.slots; s += kPhaseThreads) {
    diagonal[s] = static_cast<double>(arguments.diagonal_sums[m * arguments.slots + s]);
  }
  __syncthreads();
  // The diagonal is the last factor.
  if (!arguments.inverse) write_diagonal();
  const int lane = thread % kWorkLanes;
  for (std::int32_t s = 0; s < arguments.stage_count; ++s) {
    __syncthreads();
    const Stage stage = arguments.stages[s];
    // All threads of a block take the same turns.
    for (std::int32_t first = stage.first; first < stage.last;
         first += kPhaseThreads / kWorkLanes) {
      const std::int32_t index = first + thread / kWorkLanes;
      const bool active = index < stage.last;
      Work work{};
      work.kind = WorkKind::pair;
      if (active) work = problem.works[index];
      for (int step = 0; step < kMostSteps; ++step) {
        const int k = active ? rotation_at(work.kind, step, lane) : -1;
        const std::int32_t source = k >= 0 ? angle_of(work, problem.sources, undo, k) : -1;
        if (source >= 0) {
          const Rotation g = rotation_of(problem, work, undo, angles, phases, k);
          const Rows rows = rows_of(work, undo, k);
          const bool turned = g.orientation < 0;
          const int slot_i = slot_of(work, turned ? rows.y : rows.x);
          const int slot_j = slot_of(work, turned ? rows.x : rows.y);
          // Of the rotation itself: not undone, not turned around.
          const double s_ = (undo ? -g.orientation : g.orientation) * g.sine;
          const double c = g.cosine;
          const double phase_sine = g.orientation * g.phase_sine;
          // The weight is negative where row x is the larger coordinate, and the sum then W[i, j].
          const auto weight = static_cast<double>(weights[work.entry + k]);
          const R* sum = sums + 2 * (work.entry + k);
          const double re_w = weight * static_cast<double>(sum[0]);
          const double im_w = g.orientation * weight * static_cast<double>(sum[1]);
          const double re_z = re_w * g.phase_cosine + im_w * phase_sine;
          double im_z = im_w * g.phase_cosine - re_w * phase_sine;
          double d_i = diagonal[slot_i];
          double d_j = diagonal[slot_j];
          const double trace = d_i + d_j;
          if (undo) {
            diagonal[slot_i] = c * c * d_i + s_ * s_ * d_j + 2 * c * s_ * im_z;
          } else {  // they are from before the rotation
            const double before = im_z;
            im_z = (c * c - s_ * s_) * before + c * s_ * (d_i - d_j);
            d_i = c * c * d_i + s_ * s_ * d_j - 2 * c * s_ * before;
            d_j = trace - d_i;
            diagonal[slot_i] = d_i;
          }
          diagonal[slot_j] = trace - diagonal[slot_i];
          arguments.gangles[out.at[0] + source * arguments.gangle_stride] =
              sign * static_cast<R>(re_z);
          if (arguments.gphases) {
            arguments.gphases[out.at[1] + source * arguments.gphase_stride] =
                sign * static_cast<R>(s_ * c * im_z + s_ * s_ * (d_j - d_i) / 2);
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
