// The CPU engine: one set of functions for each instruction set.
#pragma once

#include <complex>

#include "arguments/problem.hpp"
#include "plan/plan.hpp"

namespace givens::cpu {

template <class T>
struct Functions {
  void (*rotate)(const RotateProblem<T>&, const Plan&);
  void (*matrix)(const MatrixProblem<T>&, const Plan&);
  // The gradients are zero on entry and are added to; see VjpProblem.
  void (*vjp)(const VjpProblem<T>&, const Plan&);
  // As vjp, for the gradient through matrix: y is U, whose columns are known to be zero outside the
  // blocks that a plan's merge_levels name.
  void (*matrix_vjp)(const VjpProblem<T>&, const Plan&);
};

struct Engine {
  const char* name;
  Functions<float> float32;
  Functions<double> float64;
  Functions<std::complex<float>> complex64;
  Functions<std::complex<double>> complex128;

  template <class T>
  const Functions<T>& functions() const {
    if constexpr (std::is_same_v<T, float>) return float32;
    if constexpr (std::is_same_v<T, double>) return float64;
    if constexpr (std::is_same_v<T, std::complex<float>>) return complex64;
    if constexpr (std::is_same_v<T, std::complex<double>>) return complex128;
  }
};

// The fastest engine that this machine can run, or the one that the environment variable GIVENS_ISA
// names: "avx512", "avx2" or "baseline" on x86-64, "neon" on Arm. Null if it names "reference".
// Throws std::invalid_argument if it names anything else, or what this machine cannot run.
const Engine* engine();

// All that this machine can run, fastest first.
std::vector<const Engine*> engines();

}  // namespace givens::cpu
