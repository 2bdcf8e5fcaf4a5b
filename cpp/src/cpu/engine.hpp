// The CPU engines: one set of functions for each instruction set.
#pragma once

#include <complex>
#include <memory>

#include "arguments/problem.hpp"
#include "cpu/elimination.hpp"
#include "cpu/prepared.hpp"
#include "givens/half.hpp"
#include "plan/plan.hpp"

namespace givens::cpu {

template <class T>
struct Functions {
  void (*rotate)(const RotateProblem<T>&, const Plan&);
  void (*matrix)(const MatrixProblem<T>&, const Plan&);
  // The gradients are zero on entry and are added to; see VjpProblem.
  void (*vjp)(const VjpProblem<T>&, const Plan&);
  // The same for the gradient through matrix: y must be U for these parameters, as what is known to
  // be zero in it is skipped.
  void (*matrix_vjp)(const VjpProblem<T>&, const Plan&);
  // For `prepared` of the problems above, of matrices that are real or complex as T is.
  std::shared_ptr<const Prepared> (*prepare)(const OperatorProblem<real_t<T>>&);
  // max |U^H U - I|, where U is the matrix, with finite entries.
  double (*orthonormality_error)(Elimination<InDouble<T>>&);
  // Finds the angles and the phases of D, U = D G[K-1] ... G[0]. D replaces U, up to rounding.
  void (*eliminate)(Elimination<InDouble<T>>&);
};

struct Engine {
  const char* name;
  Functions<float> float32;
  Functions<double> float64;
  Functions<std::complex<float>> complex64;
  Functions<std::complex<double>> complex128;
  Functions<Half> float16;
  Functions<BFloat16> bfloat16;

  template <class T>
  const Functions<T>& functions() const {
    if constexpr (std::is_same_v<T, float>) return float32;
    if constexpr (std::is_same_v<T, double>) return float64;
    if constexpr (std::is_same_v<T, std::complex<float>>) return complex64;
    if constexpr (std::is_same_v<T, std::complex<double>>) return complex128;
    if constexpr (std::is_same_v<T, Half>) return float16;
    if constexpr (std::is_same_v<T, BFloat16>) return bfloat16;
  }
};

// The fastest engine that this machine can run, or the one that the environment variable GIVENS_ISA
// names: "avx512", "avx2" or "baseline" on x86-64, "neon" on Arm. Returns null if it names
// "reference", and throws std::invalid_argument if it names anything else or an engine that this
// machine cannot run.
const Engine* engine();

// All engines that this machine can run, fastest first.
std::vector<const Engine*> engines();

}  // namespace givens::cpu
