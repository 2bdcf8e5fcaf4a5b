// The engine's functions for the instruction set that is being compiled for; see simd.hpp.

namespace givens::cpu::GIVENS_ISA {

template <class T>
void rotate(const RotateProblem<T>& problem, const Plan& plan) {
  if (batch_applies(problem)) {
    with_phase_type<T>(problem.parameters, [&](auto field) {
      run_batch<real_t<T>>(BatchRotate<T, decltype(field)>(problem), problem.matrices.size(),
                           threads_for(problem, kParts<T> * problem.vectors.size()));
    });
    return;
  }
  with_field<T>(problem.parameters, [&](auto field) {
    using F = decltype(field);
    if (problem.inverse) {
      rotate_all<T, F, true>(problem, plan);
    } else {
      rotate_all<T, F, false>(problem, plan);
    }
  });
}

template <class T>
void matrix(const MatrixProblem<T>& problem, const Plan& plan) {
  if (batch_applies(problem)) {
    with_phase_type<T>(problem.parameters, [&](auto field) {
      run_batch<real_t<T>>(BatchMatrix<T, decltype(field)>(problem), problem.matrices.size(),
                           threads_for(problem, kParts<T> * problem.schedule.columns()));
    });
    return;
  }
  matrix_all<T>(problem, plan);
}

template <class T>
void vjp_from(const VjpProblem<T>& problem, const Plan& plan, bool from_identity) {
  if (batch_applies(problem)) {
    with_phase_type<T>(problem.parameters, [&](auto field) {
      run_batch<real_t<T>>(BatchVjp<T, decltype(field)>(problem, from_identity),
                           problem.matrices.size(), vjp_threads(problem));
    });
    return;
  }
  with_field<T>(problem.parameters,
                [&](auto field) { vjp_all<T, decltype(field)>(problem, plan, from_identity); });
}

template <class T>
void vjp(const VjpProblem<T>& problem, const Plan& plan) {
  vjp_from(problem, plan, false);
}

template <class T>
void matrix_vjp(const VjpProblem<T>& problem, const Plan& plan) {
  vjp_from(problem, plan, true);
}

template <class T>
constexpr Functions<T> functions() {
  return {&rotate<T>, &matrix<T>, &vjp<T>, &matrix_vjp<T>};
}

}  // namespace givens::cpu::GIVENS_ISA
