// Rotating vectors, panel by panel, or strip by strip. Compiled for each instruction set; see
// engine_headers.hpp.
#pragma once

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/panels-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/steps-inl.hpp"
#include "cpu/strips/run-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// What run_matrices needs to rotate vectors.
template <class T, class F>
struct RotateDriver {
  using R = real_t<T>;
  using Problem = RotateProblem<T>;

  RotateDriver(const Problem& rotate_problem, const Plan& rotate_plan)
      : problem(rotate_problem),
        plan(rotate_plan),
        by_strips(strips_apply<T>(plan, problem.x, problem.y)),
        vectors(plan, problem.vectors.size()) {}

  int threads() const {
    const int most = threads_for(problem, kReals<T> * vectors.count);
    return by_runs() ? threads_by_runs(problem, most) : most;
  }
  bool by_runs() const { return !by_strips && by_runs_of_steps(problem, plan, panels()); }
  bool adjoint() const { return problem.inverse; }
  static constexpr bool kGradient = false;
  bool matrices_are_independent() const { return true; }
  std::int64_t panels() const { return vectors.panels(); }

  using Matrix = MatrixState<F, RotateDriver>;

  class Worker {
   public:
    explicit Worker(const RotateDriver& driver)
        : driver_(driver),
          problem_(driver.problem),
          plan_(driver.plan),
          width_(driver.vectors.width),
          strip_(driver.plan) {}

    void run(Matrix& matrix, std::int64_t index, std::int64_t) {
      const Range range = driver_.vectors.of(index);
      if (driver_.by_strips) {
        run_strips(matrix, range);
      } else {
        run_panel(matrix, range);
      }
    }

   private:
    using Strip = StripMemory<T, F, false>;

    void run_strips(Matrix& matrix, Range range) {
      const StripCoefficients<F>& coefficients = matrix.cache().for_strips();
      for (std::int64_t first = range.first; first < range.last; first += Strip::kVectors) {
        const std::int64_t count = std::min(Strip::kVectors, range.last - first);
        const auto offset_in = [&](std::size_t operand) {
          return [&, operand](std::int64_t v) { return problem_.vectors.at(first + v)[operand]; };
        };
        T* const y = problem_.y.data + matrix.offsets[Problem::kY];
        strip_.start(coefficients, count);
        strip_.read(0, problem_.x.data + matrix.offsets[Problem::kX],
                    problem_.inverse && coefficients.diagonal(), offset_in(Problem::kVectorX));
        if (problem_.inverse) strip_.template multiply_by_diagonal<true>(coefficients);
        if (!strip_.may_run()) {
          run_panel(matrix, {first, first + count});
          continue;
        }
        strip_.write_to(0, y, offset_in(Problem::kVectorY));
        strip_.run(coefficients);
        if (!problem_.inverse) strip_.template multiply_by_diagonal<false>(coefficients);
        strip_.write(0, y, offset_in(Problem::kVectorY));
      }
    }

    // `range` has at most as many vectors as a panel.
    void run_panel(Matrix& matrix, Range range) {
      panel_.resize(plan_.rows * width_);
      ones_.resize(static_cast<std::size_t>(plan_.rows), R(1));
      const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
        return columns_of<T, F>(data, stride, problem_.vectors, operand, range, offsets_);
      };
      R* panel = panel_.data();
      pack<F>(plan_,
              columns(problem_.x.data + matrix.offsets[Problem::kX], problem_.x.stride,
                      Problem::kVectorX),
              panel, width_);
      const std::vector<F>& diagonal = matrix.cache().diagonal();
      if (problem_.inverse && !diagonal.empty())
        multiply_by<F>(conjugates(diagonal), panel, width_);
      run_by_range<1, F>({panel}, plan_.rows, width_, Limits<R, false>::largest,
                         [&](const auto& panels, bool in_range, bool may_flush) {
                           run_steps(matrix, panels[0], in_range, may_flush);
                         });
      const auto out = columns(problem_.y.data + matrix.offsets[Problem::kY], problem_.y.stride,
                               Problem::kVectorY);
      if (problem_.inverse || diagonal.empty()) {
        unpack<F>(plan_, panel, width_, ones_, out);
      } else {
        unpack<F>(plan_, panel, width_, diagonal, out);
      }
    }

    void run_steps(Matrix& matrix, R* panel, bool in_range, bool may_flush) const {
      const bool inverse = problem_.inverse;
      const auto run = [&](const Coefficients<F>& coefficients, Range steps) {
        const runtime::FlushSubnormals flush(may_flush);
        const auto run_one = inverse ? run_step<true, F, false> : run_step<false, F, false>;
        for_each_step(steps, inverse, [&](std::int64_t k) {
          run_one(plan_, coefficients, k, {{panel}, width_, width_}, nullptr);
        });
      };
      if (in_range && matrix.by_runs) {
        matrix.cache().for_each_run(run);
      } else {
        run(matrix.cache().for_vectors(in_range),
            {0, static_cast<std::int64_t>(plan_.steps.size())});
      }
    }

    const RotateDriver& driver_;
    const Problem& problem_;
    const Plan& plan_;
    const std::int64_t width_;
    Strip strip_;
    runtime::Scratch<R> panel_;
    std::vector<R> ones_;  // real: a complex 1 would change the sign of zeros
    std::vector<std::int64_t> offsets_;
  };

  const Problem& problem;
  const Plan& plan;
  const bool by_strips;
  const VectorPanels<T, F> vectors;
};

}  // namespace givens::cpu::GIVENS_ISA
