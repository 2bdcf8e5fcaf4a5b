#include "reference/reference.hpp"
#include "reference/rotations.hpp"

namespace givens::reference {

template <class T>
void rotate(const RotateProblem<T>& problem) {
  const std::int64_t n = problem.schedule.n();
  const std::vector<Pair> pairs = problem.schedule.pairs();
  std::vector<T> v(static_cast<std::size_t>(n));

  with_phase_type<T>(problem.parameters, [&](auto e) {
    problem.matrices.for_each([&](const auto& matrix) {
      const auto parameters = problem.parameters.at(matrix);
      const auto g = rotations<decltype(e)>(pairs, parameters);
      const RowFactors<T> factors(parameters, n);

      problem.vectors.for_each([&](const auto& vector) {
        const Strided<const T> x = problem.x.at(matrix[4] + vector[0]);
        const Strided<T> y = problem.y.at(matrix[5] + vector[1]);
        for (std::int64_t k = 0; k < n; ++k) v[static_cast<std::size_t>(k)] = x[k];
        if (problem.inverse) {
          factors.undo(v.data());
          for (auto rotation = g.rbegin(); rotation != g.rend(); ++rotation)
            rotation->undo(v.data());
        } else {
          for (const auto& rotation : g) rotation.apply(v.data());
          factors.apply(v.data());
        }
        for (std::int64_t k = 0; k < n; ++k) y[k] = v[static_cast<std::size_t>(k)];
      });
    });
  });
}

template <class T>
void matrix(const MatrixProblem<T>& problem) {
  const std::int64_t n = problem.schedule.n();
  const std::vector<Pair> pairs = problem.schedule.pairs();
  std::vector<T> v(static_cast<std::size_t>(n));

  with_phase_type<T>(problem.parameters, [&](auto e) {
    problem.matrices.for_each([&](const auto& matrix) {
      const auto parameters = problem.parameters.at(matrix);
      const auto g = rotations<decltype(e)>(pairs, parameters);
      const RowFactors<T> factors(parameters, n);

      for (std::int64_t column = 0; column < problem.schedule.columns(); ++column) {
        v.assign(v.size(), T(0));
        v[static_cast<std::size_t>(column)] = T(1);
        for (const auto& rotation : g) rotation.apply(v.data());
        factors.apply(v.data());
        const Strided<T> u{problem.u + matrix[4] + column * problem.column_stride,
                           problem.row_stride};
        for (std::int64_t k = 0; k < n; ++k) u[k] = v[static_cast<std::size_t>(k)];
      }
    });
  });
}

#define GIVENS_INSTANTIATE(T)                    \
  template void rotate(const RotateProblem<T>&); \
  template void matrix(const MatrixProblem<T>&);

GIVENS_INSTANTIATE(float)
GIVENS_INSTANTIATE(double)
GIVENS_INSTANTIATE(std::complex<float>)
GIVENS_INSTANTIATE(std::complex<double>)

}  // namespace givens::reference
