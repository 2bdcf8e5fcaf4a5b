// What the engine of dual numbers is asked to compute: checked arguments, as in
// arguments/problem.hpp.
#pragma once

#include "arguments/problem.hpp"

namespace givens {

// Tangents of MatrixParameters. An absent one is zero.
template <class R>
struct MatrixTangents {
  // Operands of a problem's loop over matrices, after the parameters.
  enum Operand : std::size_t {
    kAngles = MatrixParameters<R>::kParameters,
    kPhases,
    kDiagonal,
    kParametersAndTangents
  };

  Strided<const R> angles;    // K
  Strided<const R> phases;    // K
  Strided<const R> diagonal;  // n

  template <class Offsets>
  MatrixTangents at(const Offsets& offsets) const {
    return {angles.at(offsets[kAngles]), phases.at(offsets[kPhases]),
            diagonal.at(offsets[kDiagonal])};
  }
};

// y + e dy = U(t + e dt) (x + e dx), e * e = 0. No output overlaps anything.
template <class T>
struct RotateJvpProblem {
  using R = real_t<T>;

  // Operands of `matrices`, after the parameters and tangents, and of `vectors`.
  enum Operand : std::size_t {
    kX = MatrixTangents<R>::kParametersAndTangents,
    kTangentX,
    kY,
    kTangentY,
    kOperands
  };
  enum VectorOperand : std::size_t {
    kVectorX,
    kVectorTangentX,
    kVectorY,
    kVectorTangentY,
    kVectorOperands
  };

  Schedule schedule;
  int num_threads;  // at most; 0: runtime::default_num_threads()
  bool inverse;
  MatrixParameters<R> parameters;
  MatrixTangents<R> tangents;
  Strided<const T> x;   // n; absent: vector k is column k of the identity
  Strided<const T> dx;  // n; absent: zero
  Strided<T> y;         // n
  Strided<T> dy;        // n
  StridedLoop<kOperands> matrices{};
  StridedLoop<kVectorOperands> vectors{};
};

// The gradients of VjpProblem and their tangents. Gradients of parameters and their tangents are
// zero on entry and are added to.
template <class T>
struct VjpJvpProblem {
  using R = real_t<T>;

  // Operands of `matrices`, after the parameters and tangents, and of `vectors`.
  enum Operand : std::size_t {
    kY = MatrixTangents<R>::kParametersAndTangents,
    kTangentY,
    kGradY,
    kTangentGradY,
    kGradX,
    kTangentGradX,
    kGradAngles,
    kGradPhases,
    kGradDiagonal,
    kTangentGradAngles,
    kTangentGradPhases,
    kTangentGradDiagonal,
    kOperands
  };
  enum VectorOperand : std::size_t {
    kVectorY,
    kVectorTangentY,
    kVectorGradY,
    kVectorTangentGradY,
    kVectorGradX,
    kVectorTangentGradX,
    kVectorOperands
  };

  Schedule schedule;
  int num_threads;
  bool inverse;
  MatrixParameters<R> parameters;
  MatrixTangents<R> tangents;
  Strided<const T> y;     // n
  Strided<const T> dy;    // n; absent: zero
  Strided<const T> gy;    // n
  Strided<const T> dgy;   // n; absent: zero
  Strided<T> gx;          // n
  Strided<T> dgx;         // n
  Strided<R> gangles;     // K
  Strided<R> gphases;     // K; present if phases are
  Strided<R> gdiagonal;   // n; present if diagonal is
  Strided<R> dgangles;    // K
  Strided<R> dgphases;    // K; present if phases are
  Strided<R> dgdiagonal;  // n; present if diagonal is
  StridedLoop<kOperands> matrices{};
  StridedLoop<kVectorOperands> vectors{};
};

}  // namespace givens
