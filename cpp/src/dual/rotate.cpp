#include "arguments/element_types.hpp"
#include "dual/engine.hpp"
#include "dual/panel.hpp"
#include "dual/rotations.hpp"

namespace givens::dual {

namespace {

template <class T, class E>
void rotate_panel(const WithTangents<RotateProblem<T>>& problem,
                  const std::vector<PlaneRotation<E>>& g, const RowFactors<T>& factors,
                  std::int64_t matrix, std::int64_t panel) {
  using R = real_t<T>;
  using Problem = RotateProblem<T>;
  std::vector<Dual<Many<T>>> rows(static_cast<std::size_t>(problem.value.schedule.n()));
  const PanelVectors<T, Problem> vectors(problem, matrix, panel);
  vectors.load(&Problem::x, Problem::kX, Problem::kVectorX, rows);
  if (!problem.value.x) {
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
  if (problem.value.inverse) {
    factors.apply_adjoint(rows.data());
    for (auto rotation = g.rbegin(); rotation != g.rend(); ++rotation)
      rotation->apply_adjoint(rows.data());
  } else {
    for (const auto& rotation : g) rotation.apply(rows.data());
    factors.apply(rows.data());
  }
  vectors.store(rows, &Problem::y, Problem::kY, Problem::kVectorY);
}

}  // namespace

template <class T>
void rotate_jvp(const WithTangents<RotateProblem<T>>& problem) {
  const std::vector<Pair> pairs = problem.value.schedule.pairs();
  const int threads = threads_for(problem.value);
  const std::int64_t panels = panels_of<real_t<T>>(problem.value);
  const std::int64_t matrices = panels > 0 ? problem.value.matrices.size() : 0;

  with_phase_type<T>(problem.value.parameters, [&](auto e) {
    auto one_matrix = [&](std::int64_t matrix) {
      const auto [parameters, tangents] = parameters_of(problem, matrix);
      const auto g = rotations<decltype(e)>(pairs, parameters, tangents);
      const RowFactors<T> factors(parameters, tangents, problem.value.schedule.n());
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
GIVENS_FOR_WIDE_TYPES(GIVENS_INSTANTIATE_TYPE)

}  // namespace givens::dual
