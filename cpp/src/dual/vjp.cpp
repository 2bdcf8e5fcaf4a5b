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
  template <class Offsets>
  void add_to(const VjpJvpProblem<T>& problem, const Offsets& matrix, double sign) const {
    using Problem = VjpJvpProblem<T>;
    const auto parameters = problem.parameters.at(matrix);
    const auto tangents = problem.tangents.at(matrix);
    const auto add_one = [sign](const Dual<double>& g, const Strided<R>& value,
                                const Strided<R>& tangent, std::size_t k) {
      value[static_cast<std::int64_t>(k)] += static_cast<R>(sign * g.v);
      tangent[static_cast<std::int64_t>(k)] += static_cast<R>(sign * g.d);
    };
    const Strided<R> angles = problem.gangles.at(matrix[Problem::kGradAngles]);
    const Strided<R> dangles = problem.dgangles.at(matrix[Problem::kTangentGradAngles]);
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
        add_one(real_part(turn), angles, dangles, k);
        add_one(s * (s * tilts_[k] - cosine(t) * imaginary_part(turn)),
                problem.gphases.at(matrix[Problem::kGradPhases]),
                problem.dgphases.at(matrix[Problem::kTangentGradPhases]), k);
      } else {
        add_one(turns_[k], angles, dangles, k);
      }
    }
    for (std::size_t k = 0; k < diagonal_.size(); ++k) {
      add_one(diagonal_[k], problem.gdiagonal.at(matrix[Problem::kGradDiagonal]),
              problem.dgdiagonal.at(matrix[Problem::kTangentGradDiagonal]), k);
    }
  }

 private:
  std::vector<Dual<One<Field>>> turns_;
  std::vector<Dual<double>> tilts_;     // with phases
  std::vector<Dual<double>> diagonal_;  // with a diagonal
};

template <class T, class E, class Offsets>
void vjp_panel(const VjpJvpProblem<T>& problem, const std::vector<PlaneRotation<E>>& g,
               const RowFactors<T>& factors, const Offsets& matrix, std::int64_t panel,
               Sums<T, E>& sums) {
  using Problem = VjpJvpProblem<T>;
  const auto n = static_cast<std::size_t>(problem.schedule.n());
  std::vector<Dual<Many<T>>> y(n);
  std::vector<Dual<Many<T>>> a(n);
  const PanelVectors<T, Problem::kVectorOperands> vectors(problem.vectors, panel);
  vectors.load(problem.y.at(matrix[Problem::kY]), Problem::kVectorY,
               problem.dy.at(matrix[Problem::kTangentY]), Problem::kVectorTangentY, y);
  vectors.load(problem.gy.at(matrix[Problem::kGradY]), Problem::kVectorGradY,
               problem.dgy.at(matrix[Problem::kTangentGradY]), Problem::kVectorTangentGradY, a);
  if (problem.inverse) {
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
  vectors.store(a, problem.gx.at(matrix[Problem::kGradX]), Problem::kVectorGradX,
                problem.dgx.at(matrix[Problem::kTangentGradX]), Problem::kVectorTangentGradX);
}

// The panels of a matrix are summed in at most this many parts, each in memory of its own. The
// number must not depend on the number of threads, because the results would.
constexpr std::int64_t kMostParts = 8;

}  // namespace

template <class T>
void vjp_jvp(const VjpJvpProblem<T>& problem) {
  const std::vector<Pair> pairs = problem.schedule.pairs();
  const auto n = static_cast<std::size_t>(problem.schedule.n());
  const int threads = threads_for(problem);
  const std::int64_t panels = panels_of(problem);
  const std::int64_t parts = std::min(panels, kMostParts);
  const std::int64_t matrices = panels > 0 ? problem.matrices.size() : 0;
  bool shared = false;
  for (std::size_t gradient = VjpJvpProblem<T>::kGradAngles; gradient < VjpJvpProblem<T>::kOperands;
       ++gradient)
    shared = shared || problem.matrices.repeats(gradient);

  with_phase_type<T>(problem.parameters, [&](auto e) {
    using E = decltype(e);
    auto one_matrix = [&](std::int64_t index) {
      const auto matrix = problem.matrices.at(index);
      const auto parameters = problem.parameters.at(matrix);
      const auto tangents = problem.tangents.at(matrix);
      const auto g = rotations<E>(pairs, parameters, tangents);
      const RowFactors<T> factors(parameters, tangents, problem.schedule.n());
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
      sums[0].add_to(problem, matrix, problem.inverse ? -1.0 : 1.0);
    };
    runtime::parallel_for(matrices, shared || matrices < threads ? 1 : threads, one_matrix);
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(vjp_jvp, T)
GIVENS_FOR_CPU_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::dual
