// The coefficients that one matrix's parameters need, found when they are asked for. Compiled for
// each instruction set; see engine_headers.hpp.
#pragma once

#include "cpu/coefficients/coefficients-inl.hpp"
#include "cpu/simd/vector_pack-inl.hpp"
#include "cpu/strips/coefficients-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

// Whether |v[k]| <= limit for all k; false if one is NaN.
template <class R>
bool all_within(const Strided<const R>& v, std::int64_t count, R limit) {
  if (v.stride != 1) {
    bool within = true;
    for (std::int64_t k = 0; k < count; ++k) within &= std::abs(v[k]) <= limit;
    return within;
  }
  Bits<R> beyond{};
  std::int64_t k = 0;
  for (; k + kLanes<R> <= count; k += kLanes<R>) {
    const Vector<R> x = load(v.data + k);
    beyond |= ~((x <= limit) & (x >= -limit));
  }
  bool all = none<R>(beyond);
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

// D, the factor of each row after all rotations, from the diagonal or the signs. Empty for the
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

// Rotations in a run of steps whose coefficients stay in the second-level cache, beside the panels.
inline constexpr std::int64_t kRotationsInRun = std::int64_t{1} << 14;

// Calls body(steps) for runs of steps that make up the plan, in order; with Adjoint from the last
// to the first.
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

// The coefficients of one matrix, found when they are first asked for, by any thread. With
// `adjoint` they are for the inverse rotations in the reverse order.
template <class F>
class CoefficientCache {
 public:
  using R = real_t<F>;

  // `gradient`: coefficients have weights.
  CoefficientCache(const Plan& plan, bool adjoint, bool gradient)
      : plan_(plan), adjoint_(adjoint), gradient_(gradient) {}

  // Matrices that follow one another with the same parameters share their coefficients. No other
  // thread may be using them.
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
    fast_found_ = unscaled_found_ = false;
    strips_ = nullptr;
  }

  ParameterValues<R> parameter_values() const {
    return {parameters_.angles, parameters_.phases, kind_};
  }

  // D; empty for the identity.
  const std::vector<F>& diagonal() const { return diagonal_; }

  // `in_range`: for vectors that fast rotations are safe for; see Limits. They are found on at most
  // `threads` threads.
  const Coefficients<F>& for_vectors(bool in_range, int threads = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Coefficients<F>& coefficients = in_range ? fast_ : unscaled_;
    bool& found = in_range ? fast_found_ : unscaled_found_;
    if (!found) {
      with_builder(coefficients, !in_range, [&](auto adjoint, auto& builder) {
        (void)adjoint;
        const auto steps = static_cast<std::int64_t>(plan_.steps.size());
        builder.start({0, steps});
        const std::int64_t parts = threads == 1 ? 1 : std::min<std::int64_t>(8 * threads, steps);
        auto part = [&](std::int64_t k) {
          builder.run({steps * k / parts, steps * (k + 1) / parts});
        };
        runtime::parallel_for(parts, threads, part);
      });
      found = true;
    }
    return coefficients;
  }

  // For strips, of a plan with butterfly rounds.
  const StripCoefficients<F>& for_strips() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!strips_) {
      strips_ =
          std::make_unique<StripCoefficients<F>>(plan_, parameter_values(), diagonal_, adjoint_);
    }
    return *strips_;
  }

  // Finds the coefficients for vectors in range run of steps by run of steps, each in the place of
  // the one before, and calls use(coefficients, steps) for each: for a panel that is the only one,
  // which then finds them in the processor's cache. For one thread.
  template <class Use>
  void for_each_run(Use&& use) {
    fast_found_ = false;
    with_builder(fast_, false, [&](auto adjoint, auto& builder) {
      for_each_run_of_steps<adjoint.value>(plan_, [&](Range steps) {
        builder.start(steps);
        builder.run(steps);
        use(static_cast<const Coefficients<F>&>(fast_), steps);
      });
    });
  }

 private:
  template <class Body>
  void with_builder(Coefficients<F>& coefficients, bool unscaled, Body&& body) const {
    const auto with = [&](auto adjoint) {
      CoefficientBuilder<F, adjoint.value> builder(plan_, parameter_values(), unscaled, gradient_,
                                                   coefficients);
      body(adjoint, builder);
    };
    if (adjoint_) {
      with(std::true_type{});
    } else {
      with(std::false_type{});
    }
  }

  const Plan& plan_;
  const bool adjoint_;
  const bool gradient_;
  bool is_set_ = false;
  MatrixParameters<R> parameters_;
  std::vector<F> diagonal_;
  Angles kind_ = Angles::reduced;
  Coefficients<F> fast_;
  Coefficients<F> unscaled_;
  bool fast_found_ = false;
  bool unscaled_found_ = false;
  std::unique_ptr<const StripCoefficients<F>> strips_;
  std::mutex mutex_;
};

}  // namespace givens::cpu::GIVENS_ISA
