#include "arguments/element_types.hpp"
#include "reference/gradient_sums.hpp"
#include "reference/half.hpp"
#include "reference/reference.hpp"
#include "reference/rotations.hpp"

namespace givens::reference {

namespace {

// An n x n matrix that is conjugated by one rotation at a time.
template <class T>
class SquareMatrix {
 public:
  explicit SquareMatrix(std::size_t n) : n_(n), sums_(n * n) {}

  T& operator()(std::size_t row, std::size_t column) { return sums_[row * n_ + column]; }

  // W <- G^H W G
  template <class E>
  void conjugate_by(const PlaneRotation<E>& g) {
    for (std::size_t k = 0; k < n_; ++k) {
      T& wi = (*this)(g.i, k);
      T& wj = (*this)(g.j, k);
      const T old_wi = wi;
      wi = g.c * wi + conjugate(g.e) * (g.s * wj);
      wj = g.c * wj - g.e * (g.s * old_wi);
    }
    for (std::size_t k = 0; k < n_; ++k) {
      T& wi = (*this)(k, g.i);
      T& wj = (*this)(k, g.j);
      const T old_wi = wi;
      wi = g.c * wi + g.e * (g.s * wj);
      wj = g.c * wj - conjugate(g.e) * (g.s * old_wi);
    }
  }

 private:
  std::size_t n_;
  std::vector<T> sums_;
};

}  // namespace

template <class T>
void vjp_by_conjugation(const VjpProblem<T>& problem) {
  using Problem = VjpProblem<T>;
  const auto n = static_cast<std::size_t>(problem.schedule.n());
  using C = computed_t<T>;
  std::vector<C> y(n);
  std::vector<C> a(n);
  // The gradient through U^H is minus the gradient through U at x = U y; see vjp_reversal.cpp.
  const double sign = problem.inverse ? -1.0 : 1.0;

  for_each_matrix<C>(problem, [&](const auto& matrix, const auto& g, const auto& factors) {
    SquareMatrix<C> w(n);

    problem.vectors.for_each([&](const auto& vector) {
      const auto y_in = problem.y.at(matrix[Problem::kY] + vector[Problem::kVectorY]);
      const auto a_in = problem.gy.at(matrix[Problem::kGradY] + vector[Problem::kVectorGradY]);
      for (std::size_t k = 0; k < n; ++k) {
        y[k] = widened(y_in[static_cast<std::int64_t>(k)]);
        a[k] = widened(a_in[static_cast<std::int64_t>(k)]);
      }
      if (problem.inverse) {
        for (const auto& rotation : g) rotation.apply(y.data());
        for (const auto& rotation : g) rotation.apply(a.data());
        factors.apply(y.data());
        factors.apply(a.data());
      }
      for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t c = 0; c < n; ++c)
          w(r, c) += a[r] * conjugate(y[c]) - y[r] * conjugate(a[c]);
      }
    });

    GradientAccumulators sums(problem.schedule.num_rotations(), problem.schedule.n());
    std::vector<C> row(n);
    for (std::size_t k = 0; k < n; ++k) sums.diagonal[k] = sign * imaginary_part(w(k, k)) / 2;
    for (std::size_t r = 0; r < n; ++r) {  // W <- D^H W D, by rows and then by columns
      for (std::size_t c = 0; c < n; ++c) row[c] = conjugate(w(r, c));
      factors.apply_adjoint(row.data());
      for (std::size_t c = 0; c < n; ++c) w(r, c) = conjugate(row[c]);
    }
    for (std::size_t c = 0; c < n; ++c) {
      for (std::size_t r = 0; r < n; ++r) row[r] = w(r, c);
      factors.apply_adjoint(row.data());
      for (std::size_t r = 0; r < n; ++r) w(r, c) = row[r];
    }
    for (std::size_t k = g.size(); k-- > 0;) {
      const auto [i, j] = std::pair(g[k].i, g[k].j);
      const C z = conjugate(g[k].e) * w(j, i);
      const double tilt = imaginary_part(w(j, j)) - imaginary_part(w(i, i));
      sums.angles[k] = sign * real_part(z);
      sums.phases[k] = sign * (g[k].s * g[k].c * imaginary_part(z) + g[k].s * g[k].s * tilt / 2);
      w.conjugate_by(g[k]);
    }
    sums.add_to(problem, matrix);
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(vjp_by_conjugation, T)
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::reference
