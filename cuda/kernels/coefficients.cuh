// The coefficients of all rotations of a batch of matrices.
//
// A tile or leaf is done in two multiply-adds a rotation and column. With T = tan t, e = exp(i f)
// and a scale d for each of its rows, 1 at first,
//   [c -e's; e s c] diag(d_x, d_y) = diag(d_x c, d_y c) [1 -p; q 1],
//   p = e' T d_y / d_x,  q = e T d_x / d_y,
// (e' the conjugate of e); the rows are multiplied by their scales at its end. So tiles know
// nothing of each other, and are prepared all at once. Where a scale leaves the safe range the tile
// is done in the plain form, with a cosine of its own for each rotation; so is every pair.
#pragma once

#include <cstdint>

#include "kernels/columns.cuh"
#include "kernels/device_loop.cuh"
#include "kernels/rotations.cuh"
#include "kernels/sincos.cuh"

namespace givens::cuda {

// Scales below this make a tile plain: stored rows stay within 1 / kSmallestScale of the true ones.
template <class R>
inline constexpr double kSmallestScale = std::is_same_v<R, float> ? 0x1p-40 : 0x1p-300;

template <class R>
struct CoefficientsProblem {
  // Of the plan.
  const Work* works;
  const std::int32_t* sources;
  const std::int32_t* coordinate_of_row;
  std::int32_t count;  // work items
  // From the numbers of a matrix to those of the next one.
  std::int64_t matrix_units;
  std::int64_t matrix_entries;

  const R* angles;
  std::int64_t angle_stride;
  const R* phases;  // may be null
  std::int64_t phase_stride;
  const R* diagonal;  // may be null
  std::int64_t diagonal_stride;
  DeviceLoop<3> matrices;  // angles, phases, diagonal
  std::int64_t first_matrix;
  std::int64_t matrix_count;

  R* coefficients;
  R* weights;  // null, or by entry: the factor of a rotation's sum over stored rows
  // cos and sin of the diagonal's angles, `coordinates` of them a matrix.
  R* diagonal_factors;
  std::int32_t coordinates;
  // Counters that are set to zero.
  std::int32_t* counters;
  std::int64_t counter_count;
};

inline constexpr int kCoefficientThreads = 64;
// Threads for each work item: its rotations of one step turn different rows.
inline constexpr int kWorkLanes = 8;

// The number of the rotation that `lane` does in `step`, or -1. Steps are 0 .. steps_of - 1.
GIVENS_DEVICE inline int rotation_at(WorkKind kind, int step, int lane) {
  switch (kind) {
    case WorkKind::xor_block:
      return step < 8 ? 8 * step + lane : -1;
    case WorkKind::leaf:
      return step < 7 && lane < 4 ? 4 * step + lane : -1;
    case WorkKind::pair:
      return step == 0 && lane == 0 ? 0 : -1;
    default:
      // Rising k + l.
      return step - lane >= 0 && step - lane < 8 ? 8 * lane + step - lane : -1;
  }
}
inline constexpr int kMostSteps = 15;

struct Rotation {
  double sine;  // minus, to undo
  double cosine;
  double phase_sine;
  double phase_cosine;
  double orientation;  // -1 where row x is the larger coordinate
};

template <class R>
__device__ inline Rotation rotation_of(const CoefficientsProblem<R>& problem, const Work& work,
                                       bool undo, const R* angles, const R* phases, int m) {
  Rotation out{0.0, 1.0, 0.0, 1.0, 1.0};
  const std::int32_t source = angle_of(work, problem.sources, undo, m);
  if (source < 0) return out;
  const Rows rows = rows_of(work, undo, m);
  if (problem.coordinate_of_row[slot_of(work, rows.x)] >
      problem.coordinate_of_row[slot_of(work, rows.y)]) {
    out.orientation = -1.0;
  }
  sine_and_cosine(static_cast<double>(angles[source * problem.angle_stride]), &out.sine,
                  &out.cosine);
  out.sine *= undo ? -out.orientation : out.orientation;
  if (phases) {
    sine_and_cosine(static_cast<double>(phases[source * problem.phase_stride]), &out.phase_sine,
                    &out.phase_cosine);
    out.phase_sine *= out.orientation;
  }
  return out;
}

template <class F>
__device__ inline void write_plain(const Rotation& g, real_t<F>* out) {
  using R = real_t<F>;
  out[0] = static_cast<R>(g.cosine);
  if constexpr (is_complex_v<F>) {
    out[1] = static_cast<R>(g.sine * g.phase_cosine);
    out[2] = static_cast<R>(g.sine * g.phase_sine);
  } else {
    out[1] = static_cast<R>(g.sine);
  }
}

// One work item for each kWorkLanes threads, over all matrices: blocks x are work items, blocks y
// matrices.
template <class F, bool Undo>
__global__ void __launch_bounds__(kCoefficientThreads, 1)
    coefficients_kernel(const CoefficientsProblem<real_t<F>> problem) {
  using R = real_t<F>;
  GIVENS_DYNAMIC_SHARED(shared);
  // 16 scales for each work item.
  double* const scales =
      reinterpret_cast<double*>(shared) + threadIdx.x / kWorkLanes * 2 * kRowBlock;
  const int lane = static_cast<int>(threadIdx.x % kWorkLanes);
  const std::int64_t index =
      static_cast<std::int64_t>(blockIdx.x) * (kCoefficientThreads / kWorkLanes) +
      threadIdx.x / kWorkLanes;

  const std::int64_t thread =
      (static_cast<std::int64_t>(blockIdx.y) * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * gridDim.y * blockDim.x;
  for (std::int64_t k = thread; k < problem.counter_count; k += threads) problem.counters[k] = 0;
  if (problem.diagonal) {
    for (std::int64_t k = thread; k < problem.matrix_count * problem.coordinates; k += threads) {
      const auto offsets = problem.matrices.at(problem.first_matrix + k / problem.coordinates);
      double sine, cosine;
      sine_and_cosine(
          static_cast<double>(
              problem.diagonal[offsets.at[2] + k % problem.coordinates * problem.diagonal_stride]),
          &sine, &cosine);
      problem.diagonal_factors[2 * k] = static_cast<R>(cosine);
      problem.diagonal_factors[2 * k + 1] = static_cast<R>(sine);
    }
  }

  // All threads of a warp take the same turns, so that they meet at every __syncwarp.
  const bool active = index < problem.count;
  Work work{};
  work.kind = WorkKind::pair;
  if (active) work = problem.works[index];
  for (std::int64_t m = blockIdx.y; m < problem.matrix_count; m += gridDim.y) {
    const auto offsets = problem.matrices.at(problem.first_matrix + m);
    const R* angles = problem.angles + offsets.at[0];
    const R* phases = problem.phases ? problem.phases + offsets.at[1] : nullptr;
    R* const out =
        problem.coefficients + kUnit * (m * problem.matrix_units + work.unit[kParts<F> - 1]);
    R* const weights =
        problem.weights ? problem.weights + m * problem.matrix_entries + work.entry : nullptr;
    scales[lane] = scales[lane + kRowBlock] = 1.0;
    __syncwarp();
    const bool pair = work.kind == WorkKind::pair;
    for (int step = 0; step < kMostSteps; ++step) {
      const int k = active ? rotation_at(work.kind, step, lane) : -1;
      if (k >= 0) {
        const Rotation g = rotation_of(problem, work, Undo, angles, phases, k);
        const Rows rows = rows_of(work, Undo, k);
        if (pair) {
          write_plain<F>(g, out);
          if (weights) weights[0] = static_cast<R>(g.orientation);
        } else {
          const double dx = scales[rows.x];
          const double dy = scales[rows.y];
          const double tangent = g.sine / g.cosine;
          const double p = tangent * (dy / dx);
          const double q = tangent * (dx / dy);
          R* c = out + kCoefficients<F> * k;
          if constexpr (is_complex_v<F>) {
            c[0] = static_cast<R>(p * g.phase_cosine);
            c[1] = static_cast<R>(-p * g.phase_sine);
            c[2] = static_cast<R>(q * g.phase_cosine);
            c[3] = static_cast<R>(q * g.phase_sine);
          } else {
            c[0] = static_cast<R>(p);
            c[1] = static_cast<R>(q);
          }
          if (weights) weights[k] = static_cast<R>(g.orientation * dx * dy);
          scales[rows.x] = dx * g.cosine;
          scales[rows.y] = dy * g.cosine;
        }
      }
      __syncwarp();
    }
    const bool small = fabs(scales[lane]) < kSmallestScale<R> ||
                       fabs(scales[lane + kRowBlock]) < kSmallestScale<R>;
    const unsigned lanes = 0xFFU << (threadIdx.x % 32 / kWorkLanes * kWorkLanes);
    const bool plain = (__ballot_sync(0xFFFFFFFFU, small) & lanes) != 0;
    if (active && !pair) {
      R* const factors = out + kCoefficients<F> * rotations_of(work.kind);
      // A plain tile has no factors, which a zero says: a scale never is zero.
      factors[lane] = plain ? R(0) : static_cast<R>(scales[lane]);
      if (work.kind != WorkKind::leaf) {
        factors[lane + kRowBlock] = plain ? R(0) : static_cast<R>(scales[lane + kRowBlock]);
      }
      if (plain) {
        for (int k = lane; k < rotations_of(work.kind); k += kWorkLanes) {
          const Rotation g = rotation_of(problem, work, Undo, angles, phases, k);
          write_plain<F>(g, out + kCoefficients<F> * k);
          if (weights) weights[k] = static_cast<R>(g.orientation);
        }
      }
    }
    __syncwarp();
  }
}

}  // namespace givens::cuda
