// What the engine of dual numbers is asked to compute: checked arguments, as in ../problem.hpp.
#pragma once

#include "arguments/problem.hpp"

namespace givens {

// Tangents of MatrixParameters. Any may be absent, which is zero.
template <class R>
struct MatrixTangents {
  Strided<const R> angles;    // K
  Strided<const R> phases;    // K
  Strided<const R> diagonal;  // n

  template <class Offsets>  // one for each of the three, after those of the four parameters
  MatrixTangents at(const Offsets& offsets) const {
    return {angles.at(offsets[4]), phases.at(offsets[5]), diagonal.at(offsets[6])};
  }
};

// y + e dy = U(t + e dt) (x + e dx), e * e = 0. Outputs are apart from all else.
template <class T>
struct RotateJvpProblem {
  using R = real_t<T>;
  Schedule schedule;
  int num_threads;  // at most; 0: runtime::default_num_threads()
  bool inverse;
  MatrixParameters<R> parameters;
  MatrixTangents<R> tangents;
  Strided<const T> x;        // n; absent: vector k is column k of the identity
  Strided<const T> dx;       // n; absent: zero
  Strided<T> y;              // n
  Strided<T> dy;             // n
  StridedLoop<11> matrices;  // the parameters, their tangents, x, dx, y, dy
  StridedLoop<4> vectors;    // x, dx, y, dy
};

// The gradients of VjpProblem and their tangents. Those of parameters are zero on entry and are
// added to.
template <class T>
struct VjpJvpProblem {
  using R = real_t<T>;
  Schedule schedule;
  int num_threads;
  bool inverse;
  MatrixParameters<R> parameters;
  MatrixTangents<R> tangents;
  Strided<const T> y;        // n
  Strided<const T> dy;       // n; absent: zero
  Strided<const T> gy;       // n
  Strided<const T> dgy;      // n; absent: zero
  Strided<T> gx;             // n
  Strided<T> dgx;            // n
  Strided<R> gangles;        // K
  Strided<R> gphases;        // K; present if phases are
  Strided<R> gdiagonal;      // n; present if diagonal is
  Strided<R> dgangles;       // K
  Strided<R> dgphases;       // K; present if phases are
  Strided<R> dgdiagonal;     // n; present if diagonal is
  StridedLoop<19> matrices;  // the parameters, their tangents, then all above from y on
  StridedLoop<6> vectors;    // y, dy, gy, dgy, gx, dgx
};

}  // namespace givens
