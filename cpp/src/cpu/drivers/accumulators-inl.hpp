// From the sums over columns to the gradients of a matrix's parameters. Compiled for each
// instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/kernels/sums-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The panels y and g of a gradient.
template <class F>
struct PanelPair {
  using R = real_t<F>;

  // Adds Im W[s, s], W = A Y^H - Y A^H, to out[s] for each row s; F is complex.
  void add_diagonal_of_w(std::vector<double>& out) const {
    if constexpr (is_complex_v<F>) {
      for (std::size_t s = 0; s < out.size(); ++s) {
        const std::int64_t row = static_cast<std::int64_t>(s) * width;
        Vector<R> total{};
        for (std::int64_t w = row; w < row + width; w += kPackReals<F>) {
          add_imaginary_products<F>(total, y + w, g + w);
        }
        out[s] += 2 * static_cast<double>(sum<R>(total));
      }
    }
  }

  const R* y;
  const R* g;
  std::int64_t width;
};

// The sums of one matrix over columns that went through the same coefficients, and the gradients
// that they make up.
//
// The sum of a rotation of rows i and j is W[j, i], W = A Y^H - Y A^H with the states after it, Y,
// and the loss's gradient there, A. With z = exp(-ip) W[j, i] the gradient of the angle is Re z,
// and the gradient of the phase is
//   sin t cos t Im z + (sin t)^2 (Im W[j, j] - Im W[i, i]) / 2.
// The diagonal of W is summed once, after all rotations, and then follows from what is known as
// the columns go back through them: W <- G^H W G.
//
// The states after the last rotation of U^H = G_1(-t_1) ... G_K(-t_K) D^H are y and gy, and the way
// back goes through the rotations of U: all of the above with -t for t, from the first to the last.
template <class F>
class GradientAccumulators {
 public:
  using R = real_t<F>;

  explicit GradientAccumulators(const Plan& plan) : plan_(plan) {}

  bool empty() const { return !started_; }

  // The sums of a step's rotations; see sum_offsets.
  R* of(std::int64_t step) const {
    const std::int64_t index = plan_.steps[static_cast<std::size_t>(step)].first_rotation;
    return sums_.data() + kReals<F> * (index - first_rotation_);
  }

  // Starts the sums of these steps.
  void start_steps(Range steps) {
    first_rotation_ = first_rotation_of(plan_, steps);
    size_ = kReals<F> * rotations_of(plan_, steps);
    sums_.resize(size_);
    std::fill_n(sums_.data(), size_, R(0));
  }

  R* data() const { return sums_.data(); }

  // Starts the sums of a PanelPair or strips, which hold the states after all rotations.
  template <class Pair>
  void start(const Pair& pair) {
    if (!started_) {
      diagonal_.assign(is_complex_v<F> ? static_cast<std::size_t>(plan_.rows) : 0, 0.0);
      last_diagonal_ = diagonal_;
      started_ = true;
    }
    pair.add_diagonal_of_w(diagonal_);
  }

  // Ends the sums of a pair that has gone through all rotations of U, for the gradient through the
  // inverse.
  template <class Pair>
  void end_inverse(const Pair& pair) {
    pair.add_diagonal_of_w(last_diagonal_);
  }

  // Adds part `part` of `parts` of sums of the same steps.
  void add(const GradientAccumulators& other, std::int64_t part, std::int64_t parts) {
    for (std::int64_t k = size_ * part / parts; k < size_ * (part + 1) / parts; ++k) {
      sums_.data()[k] += other.sums_.data()[k];
    }
    if (part != 0) return;
    for (std::size_t s = 0; s < diagonal_.size(); ++s) {
      diagonal_[s] += other.diagonal_[s];
      last_diagonal_[s] += other.last_diagonal_[s];
    }
  }

  // Adds the gradients to the problem's, and ends the sums, which are for all steps. The columns
  // went through `coefficients`, which belong to `values`.
  template <class T, class Offsets>
  void add_to(const VjpProblem<T>& problem, const Offsets& matrix,
              const Coefficients<F>& coefficients, const ParameterValues<R>& values) {
    if (!problem.inverse) add_diagonal(problem, matrix);
    add_steps({0, static_cast<std::int64_t>(plan_.steps.size())}, problem, matrix, coefficients,
              values);
    if (problem.inverse) add_diagonal(problem, matrix);
    end();
  }

  // The parts of add_to: the gradient of the diagonal, before the gradients of steps, or for the
  // inverse after them ...
  template <class T, class Offsets>
  void add_diagonal(const VjpProblem<T>& problem, const Offsets& matrix) const {
    if (!problem.gdiagonal) return;
    const Strided<R> gdiagonal = problem.gdiagonal.at(matrix[VjpProblem<T>::kGradDiagonal]);
    const std::vector<double>& diagonal = problem.inverse ? last_diagonal_ : diagonal_;
    const R sign = problem.inverse ? R(-1) : R(1);
    for (std::size_t s = 0; s < diagonal.size(); ++s) {
      const std::int32_t coordinate = plan_.coordinate_of_row[s];
      if (coordinate >= 0) gdiagonal[coordinate] += sign * static_cast<R>(diagonal[s] / 2);
    }
  }

  // ... the gradients of the angles and phases of steps, run of steps by run of steps in the order
  // in which columns went through them ...
  template <class T, class Offsets>
  void add_steps(Range steps, const VjpProblem<T>& problem, const Offsets& matrix,
                 const Coefficients<F>& coefficients, const ParameterValues<R>& values) {
    const Strided<R> gangles = problem.gangles.at(matrix[VjpProblem<T>::kGradAngles]);
    if constexpr (is_complex_v<F>) {
      const Strided<R> gphases = problem.gphases.at(matrix[VjpProblem<T>::kGradPhases]);
      if (problem.inverse) {
        add_complex<false>(steps, coefficients, values, gangles, gphases);
      } else {
        add_complex<true>(steps, coefficients, values, gangles, gphases);
      }
    } else {
      for (std::int64_t k = steps.first; k < steps.last; ++k) {
        add_real(k, coefficients, problem.inverse, gangles);
      }
    }
  }

  // ... and the end.
  void end() { started_ = false; }

 private:
  void add_real(std::int64_t index, const Coefficients<F>& coefficients, bool inverse,
                const Strided<R> gangles) const {
    const R sign = inverse ? R(-1) : R(1);
    const auto m = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[m];
    const R* weights = coefficients.weights_of(step);
    const R* sums = of(index);
    const std::int8_t* offsets = sum_offsets<F>(step, coefficients.modes[m], !inverse);
    if (offsets && step.angle_map == AngleMap::contiguous && gangles.stride == 1) {
      const std::int32_t* angles = plan_.angle_indices.data() + step.first_angle;
      if (step.pattern == Pattern::diagonal_block) {
        add_runs<4, 1>(angles, step.count, sign, weights, sums, offsets, gangles.data);
      } else {
        add_runs<8, kRegisterBlock<F, true>>(angles, step.count, sign, weights, sums, offsets,
                                             gangles.data);
      }
      return;
    }
    R in_order[kBlockRotations];
    if (offsets) {
      GIVENS_UNROLL(64)
      for (int e = 0; e < kBlockRotations; ++e) in_order[e] = sums[offsets[e]];
      sums = in_order;
    }
    const auto add = [&](std::int64_t angle, int e) {
      gangles[angle] = fma(sign * weights[e], sums[e], gangles[angle]);
    };
    if (step.angle_map == AngleMap::affine) {
      const AffineAngles angles(step, 1);
      GIVENS_UNROLL(8)
      for (int row = 0; row < kRowBlock; ++row) {
        GIVENS_UNROLL(8)
        for (int lane = 0; lane < kRowBlock; ++lane) {
          add(angles.at(row, lane), kRowBlock * row + lane);
        }
      }
    } else if (step.angle_map == AngleMap::gather) {
      const std::int32_t* angles = plan_.angle_indices.data() + step.first_angle;
      for (int e = 0; e < step.count; ++e) {
        if (angles[e] >= 0) add(angles[e], e);
      }
    } else {
      for (int e = 0; e < step.count; ++e) add(angle_of(plan_, step, e), e);
    }
  }

  // For rotations whose angles come in runs of Length, and their sums Together at a time.
  template <int Length, int Together>
  [[gnu::always_inline]] static void add_runs(const std::int32_t* angles, std::int32_t count,
                                              R sign, const R* weights, const R* sums,
                                              const std::int8_t* offsets, R* gangles) {
    for (int e = 0; e < count; e += Together) {
      R* out = gangles + angles[e / Length] + e % Length;
      const R* sum = sums + offsets[e];
      for (int k = 0; k < Together; ++k) out[k] = fma(sign * weights[e + k], sum[k], out[k]);
    }
  }

  // Takes the diagonal of W back through the steps; without Adjoint for the inverse.
  template <bool Adjoint>
  void add_complex(Range steps, const Coefficients<F>& coefficients,
                   const ParameterValues<R>& parameters, const Strided<R>& gangles,
                   const Strided<R>& gphases) {
    SinesAndCosines<F, Adjoint> values(plan_, parameters);
    for_each_step(steps, Adjoint, [&](std::int64_t k) {
      values.find(plan_.steps[static_cast<std::size_t>(k)]);
      add_complex_step<Adjoint>(k, coefficients, values, gangles, gphases);
    });
  }

  template <bool Adjoint>
  void add_complex_step(std::int64_t index, const Coefficients<F>& coefficients,
                        const SinesAndCosines<F, Adjoint>& values, const Strided<R>& gangles,
                        const Strided<R>& gphases) {
    const auto m = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[m];
    const R* weights = coefficients.weights_of(step);
    const R* sums = of(index);
    const std::int8_t* offsets = sum_offsets<F>(step, coefficients.modes[m], Adjoint);
    for_each_rotation<Adjoint>(plan_, step, [&](std::int32_t a, std::int32_t b, int e) {
      const std::int32_t angle = angle_of(plan_, step, e);
      if (angle < 0) return;
      const double s = Adjoint ? values.sine(e) : -values.sine(e);
      const double c = values.cosine(e);
      const R* sum = sums + 2 * (offsets ? offsets[e] : e);
      // The weight is negative where row a is the larger coordinate, and the sum then W[i, j].
      const auto weight = static_cast<double>(weights[e]);
      const bool swapped = plan_.coordinate_of_row[static_cast<std::size_t>(a)] >
                           plan_.coordinate_of_row[static_cast<std::size_t>(b)];
      const double re_w = weight * static_cast<double>(sum[0]);
      const double im_w = (swapped ? -weight : weight) * static_cast<double>(sum[1]);
      const double re_z = fma(re_w, values.phase_cosine(e), im_w * values.phase_sine(e));
      const double im_z = fma(im_w, values.phase_cosine(e), -(re_w * values.phase_sine(e)));
      double& d_i = diagonal_[static_cast<std::size_t>(swapped ? b : a)];
      double& d_j = diagonal_[static_cast<std::size_t>(swapped ? a : b)];
      gangles[angle] += static_cast<R>(Adjoint ? re_z : -re_z);
      if (gphases) gphases[angle] += static_cast<R>(fma(s * c, im_z, s * s * (d_j - d_i) / 2));
      const double trace = d_i + d_j;
      d_i = fma(2 * c * s, im_z, fma(c * c, d_i, s * s * d_j));
      d_j = trace - d_i;
    });
  }

  const Plan& plan_;
  bool started_ = false;
  std::int64_t first_rotation_ = 0;  // of the steps that there are sums for
  std::int64_t size_ = 0;
  runtime::Scratch<R> sums_;
  std::vector<double> diagonal_;       // Im W[s, s]; for complex F only
  std::vector<double> last_diagonal_;  // the same after all rotations of U, for the inverse
};

}  // namespace givens::cpu::GIVENS_ISA
