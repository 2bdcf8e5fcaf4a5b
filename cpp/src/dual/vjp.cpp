#include "arguments/element_types.hpp"
#include "dual/engine.hpp"
#include "dual/panel.hpp"
#include "dual/rotations.hpp"

namespace givens::dual {

namespace {

// conj(a) y, or its real part where E is real.
template <class E, class A>
Dual<A> inner(const Dual<A>& a, const Dual<A>& y) {
  return a * y;
}
template <class E, class A>
auto inner(const Dual<Complex<A>>& a, const Dual<Complex<A>>& y) {
  if constexpr (is_complex_v<E>) {
    return conjugate(a) * y;
  } else {
    return real_part(a) * real_part(y) + imaginary_part(a) * imaginary_part(y);
  }
}

// Im conj(a) y
template <class A>
Dual<A> imaginary_inner(const Dual<Complex<A>>& a, const Dual<Complex<A>>& y) {
  return real_part(a) * imaginary_part(y) - imaginary_part(a) * real_part(y);
}

template <class R>
void add(const Dual<Lanes<R>>& lanes, Dual<double>& total) {
  total.v += static_cast<double>(sum<R>(lanes.v));
  total.d += static_cast<double>(sum<R>(lanes.d));
}
template <class R>
void add(const Dual<Complex<Lanes<R>>>& lanes, Dual<Complex<double>>& total) {
  total.v.re += static_cast<double>(sum<R>(lanes.v.re));
  total.v.im += static_cast<double>(sum<R>(lanes.v.im));
  total.d.re += static_cast<double>(sum<R>(lanes.d.re));
  total.d.im += static_cast<double>(sum<R>(lanes.d.im));
}

// The gradients of one matrix, summed over some of its vectors, from the states y and a = dL/dy
// after each rotation. In the terms of vjp_conjugation.cpp, `turn` is conj(W[j,i]) and `tilt` is Im
// (W[j,j] - W[i,i]) / 2.
template <class T, class E>
class Sums {
  using R = real_t<T>;
  using Rows = std::vector<Dual<Many<T>>>;
  using Field = std::conditional_t<is_complex_v<E>, std::complex<double>, double>;

 public:
  Sums(std::size_t rotations, std::size_t n, bool diagonal)
      : turns_(rotations), tilts_(is_complex_v<E> ? rotations : 0), diagonal_(diagonal ? n : 0) {}

  void add_rotation(std::size_t k, const PlaneRotation<E>& g, const Rows& y, const Rows& a) {
    add<R>(inner<E>(a[g.j], y[g.i]) - conjugate(inner<E>(a[g.i], y[g.j])), turns_[k]);
    if constexpr (is_complex_v<E>) {
      add<R>(imaginary_inner(a[g.i], y[g.i]) - imaginary_inner(a[g.j], y[g.j]), tilts_[k]);
    }
  }

  void add_diagonal(const Rows& y, const Rows& a) {
    if constexpr (is_complex_v<T>) {
      for (std::size_t k = 0; k < diagonal_.size(); ++k)
        add<R>(imaginary_inner(y[k], a[k]), diagonal_[k]);
    }
  }

  Sums& operator+=(const Sums& other) {
    for (std::size_t k = 0; k < turns_.size(); ++k) turns_[k] = turns_[k] + other.turns_[k];
    for (std::size_t k = 0; k < tilts_.size(); ++k) tilts_[k] = tilts_[k] + other.tilts_[k];
    for (std::size_t k = 0; k < diagonal_.size(); ++k)
      diagonal_[k] = diagonal_[k] + other.diagonal_[k];
    return *this;
  }

  // Adds the sums, times `sign`, to the gradients of the problem.
  void add_to(const WithTangents<VjpProblem<T>>& problem, std::int64_t matrix, double sign) const {
    using Problem = VjpProblem<T>;
    const auto [parameters, tangents] = parameters_of(problem, matrix);
    const auto value_at = problem.value.matrices.at(matrix);
    const auto tangent_at = problem.tangent.matrices.at(matrix);
    const auto add_one = [&](const Dual<double>& g, Strided<R> Problem::* gradient,
                             std::size_t operand, std::size_t k) {
      const auto index = static_cast<std::int64_t>(k);
      (problem.value.*gradient).at(value_at[operand])[index] += static_cast<R>(sign * g.v);
      (problem.tangent.*gradient).at(tangent_at[operand])[index] += static_cast<R>(sign * g.d);
    };
    for (std::size_t k = 0; k < turns_.size(); ++k) {
      if constexpr (is_complex_v<E>) {
        const auto index = static_cast<std::int64_t>(k);
        const auto wide = [](const Dual<R>& t) {
          return Dual<double>{static_cast<double>(t.v), static_cast<double>(t.d)};
        };
        const Dual<double> t = wide(dual(parameters.angles, tangents.angles, index));
        const Dual<double> p = wide(dual(parameters.phases, tangents.phases, index));
        const Dual<Complex<double>> turn = unit(p) * turns_[k];
        const Dual<double> s = sine(t);
        add_one(real_part(turn), &Problem::gangles, Problem::kGradAngles, k);
        add_one(s * (s * tilts_[k] - cosine(t) * imaginary_part(turn)), &Problem::gphases,
                Problem::kGradPhases, k);
      } else {
        add_one(turns_[k], &Problem::gangles, Problem::kGradAngles, k);
      }
    }
    for (std::size_t k = 0; k < diagonal_.size(); ++k) {
      add_one(diagonal_[k], &Problem::gdiagonal, Problem::kGradDiagonal, k);
    }
  }

 private:
  std::vector<Dual<One<Field>>> turns_;
  std::vector<Dual<double>> tilts_;     // with phases
  std::vector<Dual<double>> diagonal_;  // with a diagonal
};

template <class T, class E>
void vjp_panel(const WithTangents<VjpProblem<T>>& problem, const std::vector<PlaneRotation<E>>& g,
               const RowFactors<T>& factors, std::int64_t matrix, std::int64_t panel,
               Sums<T, E>& sums) {
  using Problem = VjpProblem<T>;
  const auto n = static_cast<std::size_t>(problem.value.schedule.n());
  std::vector<Dual<Many<T>>> y(n);
  std::vector<Dual<Many<T>>> a(n);
  const PanelVectors<T, Problem> vectors(problem, matrix, panel);
  vectors.load(&Problem::y, Problem::kY, Problem::kVectorY, y);
  vectors.load(&Problem::gy, Problem::kGradY, Problem::kVectorGradY, a);
  if (problem.value.inverse) {
    for (std::size_t k = 0; k < g.size(); ++k) {
      g[k].apply(y.data());
      g[k].apply(a.data());
      sums.add_rotation(k, g[k], y, a);
    }
    factors.apply(y.data());
    factors.apply(a.data());
    sums.add_diagonal(y, a);
  } else {
    sums.add_diagonal(y, a);
    factors.apply_adjoint(y.data());
    factors.apply_adjoint(a.data());
    for (std::size_t k = g.size(); k-- > 0;) {
      sums.add_rotation(k, g[k], y, a);
      g[k].apply_adjoint(y.data());
      g[k].apply_adjoint(a.data());
    }
  }
  vectors.store(a, &Problem::gx, Problem::kGradX, Problem::kVectorGradX);
}

// The panels of a matrix are summed in at most this many parts, each in memory of its own. The
// number must not depend on the number of threads, because the results would.
constexpr std::int64_t kMostParts = 8;

}  // namespace

template <class T>
void vjp_jvp(const WithTangents<VjpProblem<T>>& problem) {
  const std::vector<Pair> pairs = problem.value.schedule.pairs();
  const auto n = static_cast<std::size_t>(problem.value.schedule.n());
  const int threads = threads_for(problem.value);
  const std::int64_t panels = panels_of<real_t<T>>(problem.value);
  const std::int64_t parts = std::min(panels, kMostParts);
  const std::int64_t matrices = panels > 0 ? problem.value.matrices.size() : 0;
  const bool separate =
      problem.value.gradients_are_separate() && problem.tangent.gradients_are_separate();

  with_phase_type<T>(problem.value.parameters, [&](auto e) {
    using E = decltype(e);
    auto one_matrix = [&](std::int64_t matrix) {
      const auto [parameters, tangents] = parameters_of(problem, matrix);
      const auto g = rotations<E>(pairs, parameters, tangents);
      const RowFactors<T> factors(parameters, tangents, problem.value.schedule.n());
      std::vector<Sums<T, E>> sums(static_cast<std::size_t>(parts),
                                   Sums<T, E>(g.size(), n, bool(parameters.diagonal)));
      auto one_part = [&](std::int64_t part) {
        for (std::int64_t p = panels * part / parts; p < panels * (part + 1) / parts; ++p)
          vjp_panel(problem, g, factors, matrix, p, sums[static_cast<std::size_t>(part)]);
      };
      // Where other threads have matrices of their own, this runs on this thread alone.
      runtime::parallel_for(parts, threads, one_part);
      for (std::size_t part = 1; part < sums.size(); ++part) sums[0] += sums[part];
      // The gradient through U^H is minus the gradient through U; see reference/vjp_reversal.cpp.
      sums[0].add_to(problem, matrix, problem.value.inverse ? -1.0 : 1.0);
    };
    runtime::parallel_for(matrices, separate && matrices >= threads ? threads : 1, one_matrix);
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(vjp_jvp, T)
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::dual
