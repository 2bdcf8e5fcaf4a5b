#include "arguments/element_types.hpp"
#include "reference/half.hpp"
#include "reference/reference.hpp"
#include "reference/rotations.hpp"

namespace givens::reference {

template <class T>
void rotate(const RotateProblem<T>& problem) {
  using Problem = RotateProblem<T>;
  const std::int64_t n = problem.schedule.n();
  std::vector<computed_t<T>> v(static_cast<std::size_t>(n));

  for_each_matrix<computed_t<T>>(
      problem, [&](const auto& matrix, const auto& g, const auto& factors) {
        problem.vectors.for_each([&](const auto& vector) {
          const Strided<const T> x = problem.x.at(matrix[Problem::kX] + vector[Problem::kVectorX]);
          const Strided<T> y = problem.y.at(matrix[Problem::kY] + vector[Problem::kVectorY]);
          for (std::int64_t k = 0; k < n; ++k) v[static_cast<std::size_t>(k)] = widened(x[k]);
          if (problem.inverse) {
            factors.apply_adjoint(v.data());
            for (auto rotation = g.rbegin(); rotation != g.rend(); ++rotation)
              rotation->apply_adjoint(v.data());
          } else {
            for (const auto& rotation : g) rotation.apply(v.data());
            factors.apply(v.data());
          }
          for (std::int64_t k = 0; k < n; ++k) y[k] = rounded<T>(v[static_cast<std::size_t>(k)]);
        });
      });
}

template <class T>
void matrix(const MatrixProblem<T>& problem) {
  const std::int64_t n = problem.schedule.n();
  std::vector<computed_t<T>> v(static_cast<std::size_t>(n));

  for_each_matrix<computed_t<T>>(problem, [&](const auto& matrix, const auto& g,
                                              const auto& factors) {
    for (std::int64_t column = 0; column < problem.schedule.columns(); ++column) {
      v.assign(v.size(), computed_t<T>(0));
      v[static_cast<std::size_t>(column)] = computed_t<T>(1);
      for (const auto& rotation : g) rotation.apply(v.data());
      factors.apply(v.data());
      const Strided<T> u{problem.u + matrix[MatrixProblem<T>::kU] + column * problem.column_stride,
                         problem.row_stride};
      for (std::int64_t k = 0; k < n; ++k) u[k] = rounded<T>(v[static_cast<std::size_t>(k)]);
    }
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(rotate, T) GIVENS_INSTANTIATE(matrix, T)
GIVENS_FOR_ALL_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::reference
