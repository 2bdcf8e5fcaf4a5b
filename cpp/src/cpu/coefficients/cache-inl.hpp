// The programs of a matrix's parameters. Compiled for each instruction set; see engine_headers.hpp.
#if defined(GIVENS_CPU_COEFFICIENTS_CACHE_INL_HPP) == defined(GIVENS_TARGET_TOGGLE)
#ifdef GIVENS_CPU_COEFFICIENTS_CACHE_INL_HPP
#undef GIVENS_CPU_COEFFICIENTS_CACHE_INL_HPP
#else
#define GIVENS_CPU_COEFFICIENTS_CACHE_INL_HPP
#endif

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Whether |v[k]| <= limit for all k; false if one is NaN.
template <class R>
bool all_within(const Strided<const R>& v, std::int64_t count, R limit) {
  if (v.stride != 1) {
    bool within = true;
    for (std::int64_t k = 0; k < count; ++k) within &= std::abs(v[k]) <= limit;
    return within;
  }
  typedef std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t> Integer;
  typedef Integer Mask __attribute__((vector_size(GIVENS_VECTOR_BYTES)));
  Mask within = Mask{} - 1;
  std::int64_t k = 0;
  for (; k + kLanes<R> <= count; k += kLanes<R>) {
    const Vector<R> x = load(v.data + k);
    within &= (x <= limit) & (x >= -limit);
  }
  bool all = true;
  for (std::int64_t lane = 0; lane < kLanes<R>; ++lane) all = all && within[lane] != 0;
  for (; k < count; ++k) all = all && std::abs(v[k]) <= limit;
  return all;
}

template <class R>
Angles kind_of_angles(const Strided<const R>& angles, std::int64_t count) {
  if (all_within(angles, count, static_cast<R>(kLargestReduced))) return Angles::reduced;
  return all_within(angles, count, std::numeric_limits<R>::max()) ? Angles::finite
                                                                  : Angles::not_finite;
}

// The larger of two kinds fits both.
template <class R>
Angles kind_of_parameters(const MatrixParameters<R>& parameters, std::int64_t rotations) {
  const Angles angles = kind_of_angles(parameters.angles, rotations);
  return parameters.phases ? std::max(angles, kind_of_angles(parameters.phases, rotations))
                           : angles;
}

// D, the factor of each slot after all rotations, from the diagonal or the signs. Empty for the
// identity.
template <class F>
std::vector<F> diagonal_factors(const Plan& plan, const MatrixParameters<real_t<F>>& parameters) {
  std::vector<F> out;
  if (!parameters.diagonal && !parameters.signs) return out;
  for (const std::int32_t coordinate : plan.coordinate_of_row) {
    F factor(1);
    if (coordinate >= 0) {
      if constexpr (is_complex_v<F>) {
        if (parameters.diagonal) {
          const auto angle = static_cast<double>(parameters.diagonal[coordinate]);
          using R = real_t<F>;
          factor = F(static_cast<R>(std::cos(angle)), static_cast<R>(std::sin(angle)));
        }
      }
      if (parameters.signs) factor = F(parameters.signs[coordinate]);
    }
    out.push_back(factor);
  }
  return out;
}

template <class F>
std::vector<F> conjugates(std::vector<F> factors) {
  for (F& factor : factors) factor = conjugate(factor);
  return factors;
}

// Builds a program on at most `threads` threads. The steps of a stage wait for those of the stages
// before.
template <class F, bool Adjoint>
void build_coefficients(const Plan& plan, const CoefficientInput<F>& input,
                        Coefficients<F>& coefficients, int threads) {
  const auto steps = static_cast<std::int64_t>(plan.steps.size());
  CoefficientBuilder<F, Adjoint> builder(plan, input, coefficients);
  builder.start({0, steps});
  if (threads == 1) {
    builder.run(0, steps);
    return;
  }
  struct Task {
    std::int64_t first;
    std::int64_t last;
    std::int64_t after;  // how many tasks must be done before
  };
  std::vector<Task> tasks;
  for (std::size_t w = 0; w < plan.stages.size(); ++w) {
    const auto& first = plan.stages[Adjoint ? plan.stages.size() - 1 - w : w].first;
    const auto before = static_cast<std::int64_t>(tasks.size());
    for (std::size_t q = 0; q + 1 < first.size(); ++q) {
      tasks.push_back({first[q], first[q + 1], before});
    }
  }
  // Tasks are taken in order, so that those waited for are done or on their way.
  std::atomic<std::int64_t> done{0};
  struct Count {  // counts a task that throws too, lest others wait for ever
    std::atomic<std::int64_t>& done;
    ~Count() { done.fetch_add(1, std::memory_order_release); }
  };
  auto run = [&](std::int64_t k) {
    const Task& task = tasks[static_cast<std::size_t>(k)];
    const Count count{done};
    runtime::wait_until([&] { return done.load(std::memory_order_acquire) >= task.after; });
    builder.run(task.first, task.last);
  };
  runtime::parallel_for(static_cast<std::int64_t>(tasks.size()), threads, run);
}

// Entries in a run of steps whose coefficients stay in the second-level cache, beside the panels.
inline constexpr std::int64_t kRotationsInRun = std::int64_t{1} << 14;

// Calls body(steps) for runs of steps that make up the plan, in order; from last to first with
// Adjoint.
template <bool Adjoint, class Body>
void for_each_run_of_steps(const Plan& plan, Body&& body) {
  const auto count = static_cast<std::int64_t>(plan.steps.size());
  for (std::int64_t done = 0; done < count;) {
    Range steps = Adjoint ? Range{count - done, count - done} : Range{done, done};
    std::int64_t& end = Adjoint ? steps.first : steps.last;
    do {
      end += Adjoint ? -1 : 1;
      ++done;
    } while (done < count && rotations_of(plan, steps) < kRotationsInRun);
    body(steps);
  }
}

// The programs of one matrix, each built when it is first asked for, by any thread.
template <class F, bool Adjoint>
class CoefficientCache {
 public:
  using R = real_t<F>;

  CoefficientCache(const Plan& plan, bool gradient) : plan_(plan), gradient_(gradient) {}

  // Matrices that follow one another with the same parameters share their programs. No other thread
  // may be using them.
  void set(const MatrixParameters<R>& parameters, std::int64_t rotations) {
    if (is_set_ && parameters.angles.data == parameters_.angles.data &&
        parameters.phases.data == parameters_.phases.data &&
        parameters.diagonal.data == parameters_.diagonal.data &&
        parameters.signs.data == parameters_.signs.data) {
      return;
    }
    is_set_ = true;
    parameters_ = parameters;
    kind_ = kind_of_parameters(parameters, rotations);
    diagonal_ = diagonal_factors<F>(plan_, parameters);
    fast_built_ = unscaled_built_ = false;
  }

  Angles kind() const { return kind_; }

  // D; empty for the identity.
  const std::vector<F>& diagonal() const { return diagonal_; }

  const Coefficients<F>& for_vectors(bool in_range, int threads = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (in_range) return built(fast_, fast_built_, false, threads);
    return built(unscaled_, unscaled_built_, true, threads);
  }

  // Builds the program for moderate vectors run of steps by run of steps, each in the place of the
  // one before, and calls use(program, steps) for each: for a panel that is the only one, which
  // then finds the coefficients in the cache. Returns the program as it is after the last step. For
  // one thread.
  template <class Use>
  const Coefficients<F>& for_each_run(Use&& use) {
    fast_built_ = false;
    CoefficientBuilder<F, Adjoint> builder(plan_, input(false), fast_);
    for_each_run_of_steps<Adjoint>(plan_, [&](Range steps) {
      builder.start(steps);
      builder.run(steps.first, steps.last);
      use(static_cast<const Coefficients<F>&>(fast_), steps);
    });
    find_factors(fast_);
    return fast_;
  }

 private:
  CoefficientInput<F> input(bool unscaled) const {
    return {parameters_.angles, parameters_.phases, kind_, unscaled, gradient_};
  }

  const Coefficients<F>& built(Coefficients<F>& coefficients, bool& done, bool unscaled,
                               int threads) {
    if (!done) {
      build_coefficients<F, Adjoint>(plan_, input(unscaled), coefficients, threads);
      find_factors(coefficients);
      done = true;
    }
    return coefficients;
  }

  void find_factors(Coefficients<F>& coefficients) const {
    coefficients.factors.clear();
    for (std::int64_t s = 0; s < plan_.rows; ++s) {
      coefficients.factors.push_back(F(static_cast<R>(coefficients.final_scales.data()[s])));
    }
    if (!Adjoint) {
      for (std::size_t s = 0; s < diagonal_.size(); ++s) coefficients.factors[s] *= diagonal_[s];
    }
  }

  const Plan& plan_;
  const bool gradient_;
  bool is_set_ = false;
  MatrixParameters<R> parameters_;
  std::vector<F> diagonal_;
  Angles kind_ = Angles::reduced;
  Coefficients<F> fast_;
  Coefficients<F> unscaled_;
  bool fast_built_ = false;
  bool unscaled_built_ = false;
  std::mutex mutex_;
};

}  // namespace givens::cpu::GIVENS_ISA

#endif
