// The rotations in dual numbers: the plain loops of the reference engine, several columns at a
// time.
//
// Both functions are defined for float, double, std::complex<float> and std::complex<double>.
// Results do not depend on the number of threads.
#pragma once

#include "dual/problem.hpp"

namespace givens::dual {

template <class T>
void rotate_jvp(const RotateJvpProblem<T>& problem);

// By reversal, as reference::vjp. Sums over vectors are kept in double.
template <class T>
void vjp_jvp(const VjpJvpProblem<T>& problem);

}  // namespace givens::dual
