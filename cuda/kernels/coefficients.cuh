// The coefficients of all rotations of a batch of matrices.
//
// In a rotation block or diagonal block the rotations are fast (self-scaling) ones, which take two
// multiply-adds for each column (Gentleman 1973, Hammarling 1974). With T = tan t, e = exp(i f) and
// a scale d for each row, 1 at first,
//   [c -e's; e s c] diag(d_x, d_y) = diag(d_x c, d_y c) [1 -p; q 1],
//   p = e' T d_y / d_x,  q = e T d_x / d_y,
// where e' is the conjugate of e. At the end of the block its rows are multiplied by their scales.
// So blocks do not depend on each other, and all are prepared at once. Where a scale leaves the
// safe range the block has standard rotations, each with a cosine of its own; so has every pair.
#pragma once

#include <cstdint>
#include <type_traits>

#include "arguments/problem.hpp"
#include "kernels/columns.cuh"
#include "kernels/device_loop.cuh"
#include "kernels/numbers.cuh"
#include "kernels/rotations.cuh"
#include "kernels/sincos.cuh"

namespace givens::cuda {

// A block with a scale below this has standard rotations: stored rows stay within
// 1 / kSmallestScale of the true ones.
template <class R>
inline constexpr double kSmallestScale = std::is_same_v<R, float> ? 0x1p-40 : 0x1p-300;

template <class R>
struct CoefficientsProblem {
  const Step* steps;
  const std::int32_t* angle_indices;
  const std::int32_t* coordinate_of_row;
  std::int32_t count;  // steps
  // The distances from a matrix's numbers to the next one's.
  std::int64_t matrix_units;
  std::int64_t matrix_rotations;

  MatrixParameters<R> parameters;
  DeviceLoop<MatrixParameters<R>::kParameters> matrices;
  std::int64_t first_matrix;
  std::int64_t matrix_count;
  std::int32_t coordinates;
  CallNumbers<R> numbers;

  __device__ MatrixParameters<R> parameters_of(std::int64_t matrix) const {
    return parameters.at(matrices.at(first_matrix + matrix).at);
  }
};

inline constexpr int kCoefficientThreads = 64;
// Each step has this many threads. They take its rotations in rounds, in which rows are different.
inline constexpr int kStepLanes = 8;

// The number of the rotation that `lane` takes in round 0 .. kMostRounds - 1, or -1.
GIVENS_DEVICE inline int rotation_at(Pattern pattern, int round, int lane) {
  switch (pattern) {
    case Pattern::xor_block:
      return round < 8 ? 8 * round + lane : -1;
    case Pattern::diagonal_block:
      return round < 7 && lane < 4 ? 4 * round + lane : -1;
    case Pattern::pairs:
      return round == 0 && lane == 0 ? 0 : -1;
    default:
      // By rising k + l.
      return round - lane >= 0 && round - lane < 8 ? 8 * lane + round - lane : -1;
  }
}
inline constexpr int kMostRounds = 15;

struct Rotation {
  double sine;  // of the negative angle, for the adjoint
  double cosine;
  double phase_sine;
  double phase_cosine;
  double orientation;  // -1 where row x is the larger coordinate
};

template <class R>
__device__ inline Rotation rotation_of(const CoefficientsProblem<R>& problem,
                                       const MatrixParameters<R>& parameters, const Step& step,
                                       bool adjoint, int m) {
  Rotation out{0.0, 1.0, 0.0, 1.0, 1.0};
  const std::int32_t angle = angle_of(step, problem.angle_indices, adjoint, m);
  if (angle < 0) return out;
  const RowPair rows = rows_of(step.pattern, adjoint, m);
  if (problem.coordinate_of_row[panel_row(step, rows.i)] >
      problem.coordinate_of_row[panel_row(step, rows.j)]) {
    out.orientation = -1.0;
  }
  sine_and_cosine(static_cast<double>(parameters.angles[angle]), &out.sine, &out.cosine);
  out.sine *= adjoint ? -out.orientation : out.orientation;
  if (parameters.phases) {
    sine_and_cosine(static_cast<double>(parameters.phases[angle]), &out.phase_sine,
                    &out.phase_cosine);
    out.phase_sine *= out.orientation;
  }
  return out;
}

template <class F>
__device__ inline void write_standard(const Rotation& g, real_t<F>* out) {
  using R = real_t<F>;
  out[0] = static_cast<R>(g.cosine);
  if constexpr (is_complex_v<F>) {
    out[1] = static_cast<R>(g.sine * g.phase_cosine);
    out[2] = static_cast<R>(g.sine * g.phase_sine);
  } else {
    out[1] = static_cast<R>(g.sine);
  }
}

// Thread blocks x share out the steps, each of which has kStepLanes threads, and thread blocks y
// the matrices.
template <class F, bool Adjoint>
__global__ void __launch_bounds__(kCoefficientThreads, 1)
    coefficients_kernel(const CoefficientsProblem<real_t<F>> problem) {
  using R = real_t<F>;
  GIVENS_DYNAMIC_SHARED(shared);
  // Each step has 16 scales.
  double* const scales =
      reinterpret_cast<double*>(shared) + threadIdx.x / kStepLanes * 2 * kRowBlock;
  const int lane = static_cast<int>(threadIdx.x % kStepLanes);
  const std::int64_t index =
      static_cast<std::int64_t>(blockIdx.x) * (kCoefficientThreads / kStepLanes) +
      threadIdx.x / kStepLanes;

  const std::int64_t thread =
      (static_cast<std::int64_t>(blockIdx.y) * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * gridDim.y * blockDim.x;
  const CallNumbers<R>& numbers = problem.numbers;
  for (std::int64_t k = thread; k < numbers.counter_count; k += threads) numbers.counters[k] = 0;
  if (problem.parameters.diagonal) {
    for (std::int64_t k = thread; k < problem.matrix_count * problem.coordinates; k += threads) {
      const auto diagonal = problem.parameters_of(k / problem.coordinates).diagonal;
      double sine, cosine;
      sine_and_cosine(static_cast<double>(diagonal[k % problem.coordinates]), &sine, &cosine);
      numbers.diagonal[2 * k] = static_cast<R>(cosine);
      numbers.diagonal[2 * k + 1] = static_cast<R>(sine);
    }
  }

  // All threads of a warp go through the same loops, so that they meet at every __syncwarp.
  const bool active = index < problem.count;
  Step step{};
  step.pattern = Pattern::pairs;
  if (active) step = problem.steps[index];
  for (std::int64_t m = blockIdx.y; m < problem.matrix_count; m += gridDim.y) {
    const MatrixParameters<R> parameters = problem.parameters_of(m);
    R* const out =
        numbers.coefficients + kUnit * (m * problem.matrix_units + step.unit[kReals<F> - 1]);
    R* const weights = numbers.weights
                           ? numbers.weights + m * problem.matrix_rotations + step.first_rotation
                           : nullptr;
    scales[lane] = scales[lane + kRowBlock] = 1.0;
    __syncwarp();
    const bool pair = step.pattern == Pattern::pairs;
    for (int round = 0; round < kMostRounds; ++round) {
      const int k = active ? rotation_at(step.pattern, round, lane) : -1;
      if (k >= 0) {
        const Rotation g = rotation_of(problem, parameters, step, Adjoint, k);
        const RowPair rows = rows_of(step.pattern, Adjoint, k);
        if (pair) {
          write_standard<F>(g, out);
          if (weights) weights[0] = static_cast<R>(g.orientation);
        } else {
          const double dx = scales[rows.i];
          const double dy = scales[rows.j];
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
          scales[rows.i] = dx * g.cosine;
          scales[rows.j] = dy * g.cosine;
        }
      }
      __syncwarp();
    }
    const bool small = fabs(scales[lane]) < kSmallestScale<R> ||
                       fabs(scales[lane + kRowBlock]) < kSmallestScale<R>;
    const unsigned lanes = 0xFFU << (threadIdx.x % 32 / kStepLanes * kStepLanes);
    const bool standard = (__ballot_sync(0xFFFFFFFFU, small) & lanes) != 0;
    if (active && !pair) {
      R* const row_scales = out + kCoefficients<F> * rotations_of(step.pattern);
      // Zeros say that the rotations are standard ones: a scale never is zero.
      row_scales[lane] = standard ? R(0) : static_cast<R>(scales[lane]);
      if (step.pattern != Pattern::diagonal_block) {
        row_scales[lane + kRowBlock] = standard ? R(0) : static_cast<R>(scales[lane + kRowBlock]);
      }
      if (standard) {
        for (int k = lane; k < rotations_of(step.pattern); k += kStepLanes) {
          const Rotation g = rotation_of(problem, parameters, step, Adjoint, k);
          write_standard<F>(g, out + kCoefficients<F> * k);
          if (weights) weights[k] = static_cast<R>(g.orientation);
        }
      }
    }
    __syncwarp();
  }
}

}  // namespace givens::cuda
