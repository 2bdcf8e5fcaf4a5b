// Rotating vectors, panel by panel. Compiled for each instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_DRIVERS_ROTATE_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_DRIVERS_ROTATE_INL_HPP
#undef GIVENS_CPU_DRIVERS_ROTATE_INL_HPP
#else
#define GIVENS_CPU_DRIVERS_ROTATE_INL_HPP
#endif

#include "cpu/coefficients/cache-inl.hpp"
#include "cpu/drivers/sharing-inl.hpp"
#include "cpu/kernels/forward-inl.hpp"
#include "cpu/panels/packing-inl.hpp"
#include "cpu/panels/range_check-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Vectors first .. first + count - 1 of an operand as columns of F. `offsets` is where theirs are
// kept.
template <class T, class F, class Data, class Vectors>
auto columns_of(Data* data, std::int64_t stride, const Vectors& vectors, std::size_t operand,
                std::int64_t first, std::int64_t count, std::vector<std::int64_t>& offsets) {
  constexpr std::int64_t each = kReals<T> / kReals<F>;  // columns of a vector
  offsets.clear();
  for (std::int64_t v = first; v < first + count; ++v) {
    const std::int64_t offset = kReals<T> * vectors.at(v)[operand];
    for (std::int64_t part = 0; part < each; ++part) offsets.push_back(offset + part);
  }
  using R = std::conditional_t<std::is_const_v<Data>, const real_t<T>, real_t<T>>;
  return Columns<R>{reinterpret_cast<R*>(data), kReals<T> * stride, offsets.data(), each * count};
}

// From last to first with Adjoint.
template <class F, bool Adjoint>
void run_steps(const Plan& plan, const Coefficients<F>& coefficients, Range steps, real_t<F>* panel,
               std::int64_t width) {
  for (std::int64_t k = steps.first; k < steps.last; ++k) {
    run_step<F, Adjoint>(plan, coefficients, Adjoint ? steps.first + steps.last - 1 - k : k, panel,
                         width, width);
  }
}

// What a thread needs to rotate panels.
template <class T, class F, bool Adjoint>
class RotateWorker {
 public:
  using R = real_t<T>;

  RotateWorker(const RotateProblem<T>& problem, const Plan& plan)
      : problem_(problem),
        plan_(plan),
        width_(panel_width<F>(kReals<T> / kReals<F> * problem.vectors.size(), kWidestPanel)),
        each_(width_ / kReals<T>),
        panel_(plan.rows * width_),
        ones_(static_cast<std::size_t>(plan.rows), R(1)) {}

  std::int64_t panels() const { return (problem_.vectors.size() + each_ - 1) / each_; }

  // `by_runs`: see by_runs_of_steps.
  template <class Offsets>
  void run(CoefficientCache<F, Adjoint>& cache, const Offsets& matrix, std::int64_t index,
           bool by_runs = false) {
    const std::int64_t first = index * each_;
    const std::int64_t count = std::min(each_, problem_.vectors.size() - first);
    const auto columns = [&](auto* data, std::int64_t stride, std::size_t operand) {
      return columns_of<T, F>(data, stride, problem_.vectors, operand, first, count, offsets_);
    };
    R* panel = panel_.data();
    pack<F>(plan_, columns(problem_.x.data + matrix[4], problem_.x.stride, 0), panel, width_);
    if (Adjoint && !cache.diagonal().empty()) {
      multiply_by<F>(conjugates(cache.diagonal()), panel, width_);
    }
    constexpr R largest = Limits<R, false>::largest;
    const RangeCheck numbers = range_check(panel, plan_.rows, width_, largest);
    const auto write = [&](const auto& factors) {
      unpack<F>(plan_, panel, width_, factors,
                columns(problem_.y.data + matrix[5], problem_.y.stride, 1));
    };
    const Range all{0, static_cast<std::int64_t>(plan_.steps.size())};
    if (numbers.in_range && by_runs) {
      const Coefficients<F>& end =
          cache.for_each_run([&](const Coefficients<F>& coefficients, Range steps) {
            const runtime::FlushSubnormals flush(numbers.may_flush);
            run_steps<F, Adjoint>(plan_, coefficients, steps, panel, width_);
          });
      write(end.factors);
    } else if (numbers.in_range) {
      const Coefficients<F>& coefficients = cache.for_vectors(true);
      {
        const runtime::FlushSubnormals flush(numbers.may_flush);
        run_steps<F, Adjoint>(plan_, coefficients, all, panel, width_);
      }
      write(coefficients.factors);
    } else {
      // The vectors that need care go alone, so that the others' results do not depend on them.
      const runtime::Scratch<R> others(plan_.rows * width_);
      const std::vector<char> chosen = excessive_columns<F>(panel, plan_.rows, width_, largest);
      set_apart(panel, others.data(), plan_.rows, width_, chosen);
      const bool may_flush = range_check(panel, plan_.rows, width_, largest).may_flush;
      for (const bool in_range : {true, false}) {
        R* part = in_range ? panel : others.data();
        const Coefficients<F>& coefficients = cache.for_vectors(in_range);
        {
          const runtime::FlushSubnormals flush(in_range && may_flush);
          run_steps<F, Adjoint>(plan_, coefficients, all, part, width_);
        }
        multiply_by(coefficients.factors, part, width_);  // not flushed, as in `write` above
      }
      bring_back(panel, others.data(), plan_.rows, width_, chosen);
      write(ones_);
    }
  }

 private:
  const RotateProblem<T>& problem_;
  const Plan& plan_;
  const std::int64_t width_;
  const std::int64_t each_;  // vectors in a panel
  const runtime::Scratch<R> panel_;
  const std::vector<R> ones_;  // real: a complex 1 would change the sign of zeros
  std::vector<std::int64_t> offsets_;
};

template <class T, class F, bool Adjoint>
void rotate_all(const RotateProblem<T>& problem, const Plan& plan) {
  const std::int64_t rotations = problem.schedule.num_rotations();
  const std::int64_t matrices = problem.matrices.size();
  const bool by_runs = by_runs_of_steps<T>(problem, plan);
  int threads = threads_for(problem, kReals<T> * problem.vectors.size());
  if (by_runs) threads = threads_by_runs(problem, threads);
  const auto in_parts = [&](int most) {
    CoefficientCache<F, Adjoint> cache(plan, false);
    for (std::int64_t m = 0; m < matrices; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      cache.for_vectors(true, most);
      const std::int64_t panels = RotateWorker<T, F, Adjoint>(problem, plan).panels();
      const std::int64_t parts = std::min<std::int64_t>(panels, 4 * std::int64_t{most});
      auto part = [&](std::int64_t k) {
        RotateWorker<T, F, Adjoint> worker(problem, plan);
        for (std::int64_t p = panels * k / parts; p < panels * (k + 1) / parts; ++p) {
          worker.run(cache, matrix, p);
        }
      };
      runtime::parallel_for(parts, most, part);
    }
  };
  const auto whole = [&](std::int64_t first, std::int64_t last) {
    CoefficientCache<F, Adjoint> cache(plan, false);
    RotateWorker<T, F, Adjoint> worker(problem, plan);
    for (std::int64_t m = first; m < last; ++m) {
      const auto matrix = problem.matrices.at(m);
      cache.set(problem.parameters.at(matrix), rotations);
      for (std::int64_t p = 0; p < worker.panels(); ++p) {
        worker.run(cache, matrix, p, by_runs);
      }
    }
  };
  share_out(matrices, true, threads, in_parts, whole);
}

}  // namespace givens::cpu::GIVENS_ISA

#endif
