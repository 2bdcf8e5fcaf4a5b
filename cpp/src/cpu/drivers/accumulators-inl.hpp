// From the sums over columns to the gradients of a matrix's parameters. Compiled for each
// instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_DRIVERS_ACCUMULATORS_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_DRIVERS_ACCUMULATORS_INL_HPP
#undef GIVENS_CPU_DRIVERS_ACCUMULATORS_INL_HPP
#else
#define GIVENS_CPU_DRIVERS_ACCUMULATORS_INL_HPP
#endif

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/kernels/reverse-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// The sums of one matrix, over columns that went through one program, and what they say of its
// parameters.
//
// The sum of a rotation of rows i and j is W[j, i], W = A Y^H - Y A^H of the states after it, Y,
// and the loss's gradient there, A. With z = exp(-ip) W[j, i] the gradient of the angle is Re z,
// and that of the phase
//   sin t cos t Im z + (sin t)^2 (Im W[j, j] - Im W[i, i]) / 2.
// The diagonal of W is summed once, after all rotations, and then follows from what is known as
// they are undone: W <- G^H W G.
//
// Through U^H = G_1(-t_1) ... G_K(-t_K) D^H the states after its last rotation are y and gy, and it
// is undone by doing the rotations of U: all of the above with -t for t, from the first to the
// last.
template <class F>
class GradientAccumulators {
 public:
  using R = real_t<F>;

  explicit GradientAccumulators(const Plan& plan) : plan_(plan) {}

  bool empty() const { return !started_; }

  // The sums of a step's entries; see vjp_tiles.hpp.
  R* of(std::int64_t step) const {
    const std::int64_t index = plan_.steps[static_cast<std::size_t>(step)].first_rotation;
    return sums_.data() + kReals<F> * (index - first_rotation_);
  }

  // Starts the sums of these steps.
  void start_steps(Range steps) {
    const std::int64_t rotations = kReals<F> * rotations_of(plan_, steps);
    first_rotation_ =
        rotations > 0 ? plan_.steps[static_cast<std::size_t>(steps.first)].first_rotation : 0;
    sums_.resize(rotations);
    std::fill_n(sums_.data(), rotations, R(0));
  }

  // Starts the sums of a pair of panels, which hold the states after all rotations.
  void start(const R* y, const R* g, std::int64_t width) {
    if (!started_) {
      diagonal_.assign(is_complex_v<F> ? static_cast<std::size_t>(plan_.rows) : 0, 0.0);
      last_diagonal_ = diagonal_;
      started_ = true;
    }
    add_diagonal_of_w(y, g, width, diagonal_, [](std::size_t) { return 1.0; });
  }

  // Ends those of a pair of panels that have gone through U^H back: `scales` are those of the rows.
  void end_inverse(const R* y, const R* g, std::int64_t width, const double* scales) {
    add_diagonal_of_w(y, g, width, last_diagonal_,
                      [&](std::size_t s) { return scales[s] * scales[s]; });
  }

  // Adds the gradients to those of the problem, and ends the sums. `program` is the one that the
  // columns went through, `kind` that of its parameters. The sums are of all steps.
  template <class T, class Offsets>
  void add_to(const VjpProblem<T>& problem, const Offsets& matrix,
              const Coefficients<F>& coefficients, Angles kind) {
    if (!problem.inverse) add_diagonal(problem, matrix);
    add_steps({0, static_cast<std::int64_t>(plan_.steps.size())}, problem, matrix, coefficients,
              kind);
    if (problem.inverse) add_diagonal(problem, matrix);
    end();
  }

  // The parts of add_to: the gradient of the diagonal, before those of steps, or for the inverse
  // after them ...
  template <class T, class Offsets>
  void add_diagonal(const VjpProblem<T>& problem, const Offsets& matrix) const {
    if (!problem.gdiagonal) return;
    const Strided<R> gdiagonal = problem.gdiagonal.at(matrix[9]);
    const std::vector<double>& diagonal = problem.inverse ? last_diagonal_ : diagonal_;
    const R sign = problem.inverse ? R(-1) : R(1);
    for (std::size_t s = 0; s < diagonal.size(); ++s) {
      const std::int32_t coordinate = plan_.coordinate_of_row[s];
      if (coordinate >= 0) gdiagonal[coordinate] += sign * static_cast<R>(diagonal[s] / 2);
    }
  }

  // ... those of the angles and phases of steps, run of steps by run in the order in which columns
  // went through them ...
  template <class T, class Offsets>
  void add_steps(Range steps, const VjpProblem<T>& problem, const Offsets& matrix,
                 const Coefficients<F>& coefficients, Angles kind) {
    const Strided<R> gangles = problem.gangles.at(matrix[7]);
    if constexpr (is_complex_v<F>) {
      const auto parameters = problem.parameters.at(matrix);
      const Strided<R> gphases = problem.gphases.at(matrix[8]);
      for (std::int64_t m = 0; m < steps.last - steps.first; ++m) {
        if (problem.inverse) {
          add_complex<false>(steps.first + m, coefficients, kind, parameters, gangles, gphases);
        } else {
          add_complex<true>(steps.last - 1 - m, coefficients, kind, parameters, gangles, gphases);
        }
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
  // Adds Im W[s, s] to those in `out`; the sum over stored rows is multiplied by factor(s).
  template <class Factor>
  static void add_diagonal_of_w(const R* y, const R* g, std::int64_t width,
                                std::vector<double>& out, Factor&& factor) {
    if constexpr (is_complex_v<F>) {
      for (std::size_t s = 0; s < out.size(); ++s) {
        const std::int64_t row = static_cast<std::int64_t>(s) * width;
        Vector<R> total{};
        for (std::int64_t w = row; w < row + width; w += kPackReals<F>) {
          const auto a = VectorPack<F>::load_from(y + w);
          const auto b = VectorPack<F>::load_from(g + w);
          total = total + b.im * a.re - b.re * a.im;
        }
        out[s] += 2 * factor(s) * static_cast<double>(sum<R>(total));
      }
    }
  }

  void add_real(std::int64_t index, const Coefficients<F>& coefficients, bool inverse,
                const Strided<R> gangles) const {
    const R sign = inverse ? R(-1) : R(1);
    const auto m = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[m];
    const R* weights = coefficients.weights_of(step);
    const R* sums = of(index);
    const std::int8_t* offsets = sum_offsets<F>(step, coefficients.modes[m], !inverse);
    if (offsets && step.angle_map == AngleMap::contiguous && gangles.stride == 1) {
      const std::int32_t* sources = plan_.angle_indices.data() + step.first_angle;
      if (step.pattern == Pattern::diagonal_block) {
        add_runs<4, 1>(sources, step.count, sign, weights, sums, offsets, gangles.data);
      } else {
        add_runs<8, kReverseBlock<F>>(sources, step.count, sign, weights, sums, offsets,
                                      gangles.data);
      }
      return;
    }
    R in_order[kBlockRotations];
    if (offsets) {
#pragma GCC unroll 64
      for (int e = 0; e < kBlockRotations; ++e) in_order[e] = sums[offsets[e]];
      sums = in_order;
    }
    const auto add = [&](std::int64_t angle, int e) {
      gangles[angle] += sign * weights[e] * sums[e];
    };
    if (step.angle_map == AngleMap::affine) {
      const AffineAngles angles(step, 1);
#pragma GCC unroll 8
      for (int row = 0; row < kRowBlock; ++row) {
#pragma GCC unroll 8
        for (int lane = 0; lane < kRowBlock; ++lane) {
          add(angles.at(row, lane), kRowBlock * row + lane);
        }
      }
    } else if (step.angle_map == AngleMap::gather) {
      const std::int32_t* sources = plan_.angle_indices.data() + step.first_angle;
      for (int e = 0; e < step.count; ++e) {
        if (sources[e] >= 0) add(sources[e], e);
      }
    } else {
      for (int e = 0; e < step.count; ++e) add(angle_of(plan_, step, e), e);
    }
  }

  // Of entries in runs of Length, whose sums follow one another Together at a time.
  template <int Length, int Together>
  [[gnu::always_inline]] static void add_runs(const std::int32_t* sources, std::int32_t count,
                                              R sign, const R* weights, const R* sums,
                                              const std::int8_t* offsets, R* gangles) {
    for (int e = 0; e < count; e += Together) {
      R* out = gangles + sources[e / Length] + e % Length;
      const R* sum = sums + offsets[e];
      for (int k = 0; k < Together; ++k) out[k] += sign * weights[e + k] * sum[k];
    }
  }

  // Undoes a step on the diagonal of W; without Adjoint that of the inverse.
  template <bool Adjoint>
  void add_complex(std::int64_t index, const Coefficients<F>& coefficients, Angles kind,
                   const MatrixParameters<R>& parameters, const Strided<R>& gangles,
                   const Strided<R>& gphases) {
    const auto m = static_cast<std::size_t>(index);
    const Step& step = plan_.steps[m];
    const R* weights = coefficients.weights_of(step);
    const R* sums = of(index);
    const std::int8_t* offsets = sum_offsets<F>(step, coefficients.modes[m], Adjoint);
    values_.find<R>(plan_, step, parameters.angles, parameters.phases, kind == Angles::reduced);
    for_each_rotation<Adjoint>(plan_, step, [&](std::int32_t a, std::int32_t b, int e) {
      const std::int32_t angle = angle_of(plan_, step, e);
      if (angle < 0) return;
      const double s = Adjoint ? values_.sine(e) : -values_.sine(e);
      const double c = values_.cosine(e);
      const R* sum = sums + 2 * (offsets ? offsets[e] : e);
      // The weight is negative where row a is the larger coordinate, and the sum then W[i, j].
      const auto weight = static_cast<double>(weights[e]);
      const bool rotated = plan_.coordinate_of_row[static_cast<std::size_t>(a)] >
                           plan_.coordinate_of_row[static_cast<std::size_t>(b)];
      const double re_w = weight * static_cast<double>(sum[0]);
      const double im_w = (rotated ? -weight : weight) * static_cast<double>(sum[1]);
      const double re_z = re_w * values_.phase_cosine(e) + im_w * values_.phase_sine(e);
      const double im_z = im_w * values_.phase_cosine(e) - re_w * values_.phase_sine(e);
      double& d_i = diagonal_[static_cast<std::size_t>(rotated ? b : a)];
      double& d_j = diagonal_[static_cast<std::size_t>(rotated ? a : b)];
      gangles[angle] += static_cast<R>(Adjoint ? re_z : -re_z);
      if (gphases) gphases[angle] += static_cast<R>(s * c * im_z + s * s * (d_j - d_i) / 2);
      const double trace = d_i + d_j;
      d_i = c * c * d_i + s * s * d_j + 2 * c * s * im_z;
      d_j = trace - d_i;
    });
  }

  const Plan& plan_;
  bool started_ = false;
  std::int64_t first_rotation_ = 0;  // of the steps that there are sums of
  runtime::Scratch<R> sums_;
  std::vector<double> diagonal_;       // Im W[s, s]; of complex ones only
  std::vector<double> last_diagonal_;  // the same after all rotations of U, for the inverse
  SinesAndCosines values_;
};

}  // namespace givens::cpu::GIVENS_ISA

#endif
