#include "arguments/element_types.hpp"
#include "reference/gradient_sums.hpp"
#include "reference/half.hpp"
#include "reference/reference.hpp"
#include "reference/rotations.hpp"

namespace givens::reference {

namespace {

// dL/dt and dL/dp of one rotation y = G x, from the states after it, y and a = dL/dy, and the x
// before it:
//   dy_i/dt = -conj(e) y_j,            dy_j/dt = e y_i
//   dy_i/dp = i conj(e) sin(t) x_j,    dy_j/dp = i e sin(t) x_i
// and dL = Re(conj(a) dy).
template <class E, class T>
double angle_gradient(const PlaneRotation<E>& g, const T& yi, const T& yj, const T& ai,
                      const T& aj) {
  return real_part(conjugate(aj) * (g.e * yi)) - real_part(conjugate(ai) * (conjugate(g.e) * yj));
}

template <class E, class T>
double phase_gradient(const PlaneRotation<E>& g, const T& xi, const T& xj, const T& ai,
                      const T& aj) {
  return -g.s * (imaginary_part(conjugate(ai) * (conjugate(g.e) * xj)) +
                 imaginary_part(conjugate(aj) * (g.e * xi)));
}

template <class T>
void add_diagonal_gradient(const std::vector<T>& y, const std::vector<T>& a, double sign,
                           std::vector<double>& sums) {
  for (std::size_t k = 0; k < y.size(); ++k) {
    sums[k] += sign * static_cast<double>(imaginary_part(a[k] * conjugate(y[k])));
  }
}

}  // namespace

template <class T>
void vjp(const VjpProblem<T>& problem) {
  using Problem = VjpProblem<T>;
  const std::int64_t n = problem.schedule.n();
  using C = computed_t<T>;
  std::vector<C> y(static_cast<std::size_t>(n));
  std::vector<C> a(static_cast<std::size_t>(n));

  for_each_matrix<C>(problem, [&](const auto& matrix, const auto& g, const auto& factors) {
    GradientAccumulators sums(problem.schedule.num_rotations(), n);

    problem.vectors.for_each([&](const auto& vector) {
      const auto y_in = problem.y.at(matrix[Problem::kY] + vector[Problem::kVectorY]);
      const auto a_in = problem.gy.at(matrix[Problem::kGradY] + vector[Problem::kVectorGradY]);
      for (std::int64_t k = 0; k < n; ++k) {
        y[static_cast<std::size_t>(k)] = widened(y_in[k]);
        a[static_cast<std::size_t>(k)] = widened(a_in[k]);
      }
      // y = U^H x means x = U y. So the gradient through U^H is minus the gradient through U with
      // x and y exchanged: the sweep goes forward, and every gradient changes its sign.
      if (problem.inverse) {
        for (std::size_t k = 0; k < g.size(); ++k) {
          const auto [i, j] = std::pair(g[k].i, g[k].j);
          const C before_i = y[i];
          const C before_j = y[j];
          g[k].apply(y.data());
          g[k].apply(a.data());
          sums.angles[k] -= angle_gradient(g[k], y[i], y[j], a[i], a[j]);
          sums.phases[k] -= phase_gradient(g[k], before_i, before_j, a[i], a[j]);
        }
        factors.apply(y.data());
        factors.apply(a.data());
        add_diagonal_gradient(y, a, -1.0, sums.diagonal);
      } else {
        add_diagonal_gradient(y, a, 1.0, sums.diagonal);
        factors.apply_adjoint(y.data());
        factors.apply_adjoint(a.data());
        for (std::size_t k = g.size(); k-- > 0;) {
          const auto [i, j] = std::pair(g[k].i, g[k].j);
          sums.angles[k] += angle_gradient(g[k], y[i], y[j], a[i], a[j]);
          g[k].apply_adjoint(y.data());
          sums.phases[k] += phase_gradient(g[k], y[i], y[j], a[i], a[j]);
          g[k].apply_adjoint(a.data());
        }
      }
      if (problem.gx) {
        const auto gx = problem.gx.at(matrix[Problem::kGradX] + vector[Problem::kVectorGradX]);
        for (std::int64_t k = 0; k < n; ++k) gx[k] = rounded<T>(a[static_cast<std::size_t>(k)]);
      }
    });
    sums.add_to(problem, matrix);
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(vjp, T)
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::reference
