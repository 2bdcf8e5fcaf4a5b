// The reference engine: plain loops, one vector and one rotation at a time. All other engines are
// tested against it, so it is written to be read rather than to be fast.
//
// All functions are defined for all types of vectors; see transform.hpp.
#pragma once

#include "arguments/problem.hpp"

namespace givens::reference {

// Cost: K rotations a vector, and K sines and cosines a matrix.
template <class T>
void rotate(const RotateProblem<T>& problem);

template <class T>
void matrix(const MatrixProblem<T>& problem);

// The gradient by reversal (arXiv 2106.00003, section 4): from the last rotation to the first, its
// gradient is read from the states after it, then the states y and gy are rotated back.
// Sums over vectors are kept in double.
template <class T>
void vjp(const VjpProblem<T>& problem);

// The gradients of the parameters by conjugation, an independent check of `vjp`: W = gy y^H - y
// gy^H is conjugated by one rotation after the other, from the last on, W <- G^H W G, and every
// gradient is an entry of W just before its own rotation. Does not write gx. Cost: n^2 a vector and
// 8 n K a matrix.
template <class T>
void vjp_by_conjugation(const VjpProblem<T>& problem);

}  // namespace givens::reference
