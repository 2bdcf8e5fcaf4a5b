// The functions of an engine. Its includes bring in all code that is compiled for each instruction
// set. See engine_headers.hpp.
#pragma once

#include "cpu/batched/drivers-inl.hpp"
#include "cpu/coefficients/prepared-inl.hpp"
#include "cpu/drivers/eliminate-inl.hpp"
#include "cpu/drivers/matrix-inl.hpp"
#include "cpu/drivers/rotate-inl.hpp"
#include "cpu/drivers/vjp-inl.hpp"

namespace givens::cpu::GIVENS_ISA {

template <class T>
void rotate(const RotateProblem<T>& problem, const Plan& plan) {
  const std::int64_t vectors = problem.vectors.size();
  if (batch_applies<T>(problem, vectors)) {
    return run_batch_on<BatchRotate, T>(problem, threads_for(problem, kReals<T> * vectors));
  }
  with_field<T>(problem.parameters,
                [&](auto field) { run_matrices(RotateDriver<T, decltype(field)>(problem, plan)); });
}

template <class T>
void matrix(const MatrixProblem<T>& problem, const Plan& plan) {
  const std::int64_t columns = problem.schedule.columns();
  if (batch_applies<T>(problem, columns)) {
    return run_batch_on<BatchMatrix, T>(problem, threads_for(problem, kReals<T> * columns));
  }
  run_matrices(MatrixDriver<T>(problem, plan));
}

template <class T>
void vjp_from(const VjpProblem<T>& problem, const Plan& plan, bool from_identity) {
  if (batch_applies<T>(problem, problem.vectors.size()) && problem.gradients_are_separate()) {
    return run_batch_on<BatchVjp, T>(problem, vjp_threads(problem), from_identity);
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

template <class F>
std::shared_ptr<const Prepared> prepare(const OperatorProblem<real_t<F>>& problem) {
  return std::make_shared<PreparedMatrices<F>>(problem);
}

template <class F>
double orthonormality_error(Elimination<F>& elimination) {
  return Eliminator<F>(elimination).error();
}

template <class F>
void eliminate(Elimination<F>& elimination) {
  Eliminator<F>(elimination).run();
}

template <class T>
constexpr Functions<T> functions() {
  return {&rotate<T>,
          &matrix<T>,
          &vjp<T>,
          &matrix_vjp<T>,
          &prepare<computed_t<T>>,
          &orthonormality_error<InDouble<T>>,
          &eliminate<InDouble<T>>};
}

constexpr Engine engine_named(const char* name) {
  return {name,
          functions<float>(),
          functions<double>(),
          functions<std::complex<float>>(),
          functions<std::complex<double>>(),
          functions<Half>(),
          functions<BFloat16>()};
}

}  // namespace givens::cpu::GIVENS_ISA
