// The functions of an engine. Its includes bring in all code that is compiled for each instruction
// set. See engine_headers.hpp.
#pragma once

#include "cpu/batched/drivers-inl.hpp"
#include "cpu/drivers/matrix-inl.hpp"
#include "cpu/drivers/rotate-inl.hpp"
#include "cpu/drivers/vjp-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

template <class T>
void rotate(const RotateProblem<T>& problem, const Plan& plan) {
  if (batch_applies(problem)) {
    with_phase_type<T>(problem.parameters, [&](auto field) {
      run_batch<real_t<T>>(BatchRotate<T, decltype(field)>(problem), problem.matrices.size(),
                           threads_for(problem, kReals<T> * problem.vectors.size()));
    });
    return;
  }
  with_field<T>(problem.parameters,
                [&](auto field) { run_matrices(RotateDriver<T, decltype(field)>(problem, plan)); });
}

template <class T>
void matrix(const MatrixProblem<T>& problem, const Plan& plan) {
  if (batch_applies(problem)) {
    with_phase_type<T>(problem.parameters, [&](auto field) {
      run_batch<real_t<T>>(BatchMatrix<T, decltype(field)>(problem), problem.matrices.size(),
                           threads_for(problem, kReals<T> * problem.schedule.columns()));
    });
    return;
  }
  run_matrices(MatrixDriver<T>(problem, plan));
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
  with_field<T>(problem.parameters, [&](auto field) {
    run_matrices(VjpDriver<T, decltype(field)>(problem, plan, from_identity));
  });
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

constexpr Engine engine_named(const char* name) {
  return {name, functions<float>(), functions<double>(), functions<std::complex<float>>(),
          functions<std::complex<double>>()};
}

}  // namespace givens::cpu::GIVENS_ISA
