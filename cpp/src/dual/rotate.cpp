#include "arguments/element_types.hpp"
#include "dual/engine.hpp"
#include "dual/panel.hpp"
#include "dual/rotations.hpp"

namespace givens::dual {

namespace {

template <class T, class E, class Offsets>
void rotate_panel(const RotateJvpProblem<T>& problem, const std::vector<PlaneRotation<E>>& g,
                  const RowFactors<T>& factors, const Offsets& matrix, std::int64_t panel) {
  using R = real_t<T>;
  using Problem = RotateJvpProblem<T>;
  std::vector<Dual<Many<T>>> rows(static_cast<std::size_t>(problem.schedule.n()));
  const PanelVectors<T, Problem::kVectorOperands> vectors(problem.vectors, panel);
  vectors.load(problem.x.at(matrix[Problem::kX]), Problem::kVectorX,
               problem.dx.at(matrix[Problem::kTangentX]), Problem::kVectorTangentX, rows);
  if (!problem.x) {
    for (std::int64_t l = 0; l < kLanes<R>; ++l) {
      const auto column = static_cast<std::size_t>(panel * kLanes<R> + l);
      if (column >= rows.size()) break;
      if constexpr (is_complex_v<T>) {
        rows[column].v.re[l] = R(1);
      } else {
        rows[column].v[l] = R(1);
      }
    }
  }
  if (problem.inverse) {
    factors.apply_adjoint(rows.data());
    for (auto rotation = g.rbegin(); rotation != g.rend(); ++rotation)
      rotation->apply_adjoint(rows.data());
  } else {
    for (const auto& rotation : g) rotation.apply(rows.data());
    factors.apply(rows.data());
  }
  vectors.store(rows, problem.y.at(matrix[Problem::kY]), Problem::kVectorY,
                problem.dy.at(matrix[Problem::kTangentY]), Problem::kVectorTangentY);
}

}  // namespace

template <class T>
void rotate_jvp(const RotateJvpProblem<T>& problem) {
  const std::vector<Pair> pairs = problem.schedule.pairs();
  const int threads = threads_for(problem);
  const std::int64_t panels = panels_of(problem);
  const std::int64_t matrices = panels > 0 ? problem.matrices.size() : 0;

  with_phase_type<T>(problem.parameters, [&](auto e) {
    auto one_matrix = [&](std::int64_t index) {
      const auto matrix = problem.matrices.at(index);
      const auto parameters = problem.parameters.at(matrix);
      const auto tangents = problem.tangents.at(matrix);
      const auto g = rotations<decltype(e)>(pairs, parameters, tangents);
      const RowFactors<T> factors(parameters, tangents, problem.schedule.n());
      auto one_panel = [&](std::int64_t panel) {
        rotate_panel(problem, g, factors, matrix, panel);
      };
      // Where other threads have matrices of their own, this runs on this thread alone.
      runtime::parallel_for(panels, threads, one_panel);
    };
    runtime::parallel_for(matrices, matrices < threads ? 1 : threads, one_matrix);
  });
}

#define GIVENS_INSTANTIATE_TYPE(T) GIVENS_INSTANTIATE(rotate_jvp, T)
GIVENS_FOR_CPU_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::dual
