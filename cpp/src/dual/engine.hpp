// The rotations in dual numbers: the plain loops of the reference engine, several columns at a
// time.
//
// Both functions are defined for float, double, std::complex<float> and std::complex<double>.
// Results do not depend on the number of threads.
#pragma once

#include <utility>

#include "arguments/problem.hpp"

namespace givens::dual {

// A problem, and a problem of the same shape that has the tangents of its arrays in their places:
// y + e dy = U(t + e dt) (x + e dx), e * e = 0. Tangents of inputs may be absent, which stands for
// zero. No output overlaps anything.
template <class Problem>
struct WithTangents {
  Problem value;
  Problem tangent;
};

// The parameters of one matrix and their tangents.
template <class Problem>
auto parameters_of(const WithTangents<Problem>& problem, std::int64_t matrix) {
  const auto at = [&](const Problem& p) { return p.parameters.at(p.matrices.at(matrix)); };
  return std::pair(at(problem.value), at(problem.tangent));
}

// Without x, vector k is column k of the identity.
template <class T>
void rotate_jvp(const WithTangents<RotateProblem<T>>& problem);

// By reversal, as reference::vjp. Sums over vectors are kept in double.
template <class T>
void vjp_jvp(const WithTangents<VjpProblem<T>>& problem);

}  // namespace givens::dual
