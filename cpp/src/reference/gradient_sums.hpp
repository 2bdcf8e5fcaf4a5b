// The gradients of the parameters of one matrix, summed over its vectors.
#pragma once

#include <vector>

#include "arguments/problem.hpp"

namespace givens::reference {

// The sums are in double, so that rounding does not grow with the number of vectors.
struct GradientAccumulators {
  std::vector<double> angles;
  std::vector<double> phases;
  std::vector<double> diagonal;

  GradientAccumulators(std::int64_t rotations, std::int64_t n)
      : angles(static_cast<std::size_t>(rotations)),
        phases(static_cast<std::size_t>(rotations)),
        diagonal(static_cast<std::size_t>(n)) {}

  // Adds the sums to the gradients at the offsets of one matrix.
  template <class T, class Offsets>
  void add_to(const VjpProblem<T>& problem, const Offsets& matrix) const {
    add(angles, problem.gangles.at(matrix[VjpProblem<T>::kGradAngles]));
    if (problem.gphases) add(phases, problem.gphases.at(matrix[VjpProblem<T>::kGradPhases]));
    if (problem.gdiagonal)
      add(diagonal, problem.gdiagonal.at(matrix[VjpProblem<T>::kGradDiagonal]));
  }

 private:
  template <class R>
  static void add(const std::vector<double>& sums, const Strided<R>& gradient) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      gradient[static_cast<std::int64_t>(k)] += static_cast<R>(sums[k]);
    }
  }
};

}  // namespace givens::reference
