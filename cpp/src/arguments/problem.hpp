// What an engine is asked to compute: arguments that have been checked and brought to a normal
// form.
#pragma once

#include "arguments/strided_loop.hpp"
#include "givens/schedule.hpp"
#include "givens/view.hpp"

namespace givens {

namespace cpu {
class Prepared;
}

// The parameters of one matrix, or their tangents. All parameters but the angles may be absent, and
// so may all tangents.
template <class R>
struct MatrixParameters {
  // Where a problem's loop over matrices has the offsets of the parameters; its other operands
  // follow.
  enum Operand : std::size_t { kAngles, kPhases, kDiagonal, kSigns, kParameters };

  Strided<const R> angles;    // K
  Strided<const R> phases;    // K
  Strided<const R> diagonal;  // n
  Strided<const R> signs;     // n

  template <class Offsets>
  constexpr MatrixParameters at(const Offsets& offsets) const {
    return {angles.at(offsets[kAngles]), phases.at(offsets[kPhases]),
            diagonal.at(offsets[kDiagonal]), signs.at(offsets[kSigns])};
  }
};

// The type in which numbers of type T are computed with: T itself, or float for 16 bits.
template <class T>
using computed_t = std::conditional_t<is_complex_v<T>, T, real_t<T>>;

// The type of a computation that is in double precision whatever the precision of T.
template <class T>
using InDouble = std::conditional_t<is_complex_v<T>, std::complex<double>, double>;

// Calls body(F()) with the field of the matrices that act on vectors of T: it is real without
// phases and diagonal.
template <class T, class Body>
auto with_field(const MatrixParameters<real_t<T>>& parameters, Body&& body) {
  if constexpr (is_complex_v<T>) {
    if (parameters.phases || parameters.diagonal) return body(T{});
  }
  return body(real_t<T>{});
}

// Calls body(E()) with the type of exp(ip): T itself with phases, else its real type. For code that
// applies the diagonal apart from the rotations.
template <class T, class Body>
void with_phase_type(const MatrixParameters<real_t<T>>& parameters, Body&& body) {
  if constexpr (is_complex_v<T>) {
    if (parameters.phases) return body(T{});
  }
  body(real_t<T>{});
}

// The matrices of an operator: each parameter that is present has K or n numbers for one after the
// other.
template <class R>
struct OperatorProblem {
  Schedule schedule;
  std::int64_t matrices;
  MatrixParameters<R> parameters;
};

// y = U x (or U^H x) for every vector x of every matrix U. x and y are the same memory or do not
// overlap.
template <class T>
struct RotateProblem {
  // Operands of `matrices`, after the parameters, and of `vectors`.
  enum Operand : std::size_t { kX = MatrixParameters<real_t<T>>::kParameters, kY, kOperands };
  enum VectorOperand : std::size_t { kVectorX, kVectorY, kVectorOperands };

  Schedule schedule;
  int num_threads;  // at most; 0: the engine's default
  bool inverse;
  MatrixParameters<real_t<T>> parameters;
  Strided<const T> x;  // n
  Strided<T> y;        // n
  StridedLoop<kOperands> matrices{};
  StridedLoop<kVectorOperands> vectors{};
  // The engine's coefficients of an operator with these parameters; null if there is none.
  const cpu::Prepared* prepared = nullptr;
};

// u = U[:, :columns] for every matrix U.
template <class T>
struct MatrixProblem {
  // Operands of `matrices`, after the parameters.
  enum Operand : std::size_t { kU = MatrixParameters<real_t<T>>::kParameters, kOperands };

  Schedule schedule;
  int num_threads;
  MatrixParameters<real_t<T>> parameters;
  T* u;
  std::int64_t row_stride;
  std::int64_t column_stride;
  StridedLoop<kOperands> matrices{};
  // The engine's coefficients of an operator with these parameters; null if there is none.
  const cpu::Prepared* prepared = nullptr;
};

// Gradients through a rotation, from its outputs y and gy. The parameters' gradients are zero on
// entry and are added to, so that matrices which share a parameter share its gradient.
template <class T>
struct VjpProblem {
  using R = real_t<T>;

  // Operands of `matrices`, after the parameters, and of `vectors`.
  enum Operand : std::size_t {
    kY = MatrixParameters<R>::kParameters,
    kGradY,
    kGradX,
    kGradAngles,
    kGradPhases,
    kGradDiagonal,
    kOperands
  };
  enum VectorOperand : std::size_t { kVectorY, kVectorGradY, kVectorGradX, kVectorOperands };

  Schedule schedule;
  int num_threads;
  bool inverse;
  MatrixParameters<R> parameters;
  Strided<const T> y;    // n
  Strided<const T> gy;   // n
  Strided<T> gx;         // n; absent if it is not wanted
  Strided<R> gangles;    // K
  Strided<R> gphases;    // K; present if phases are
  Strided<R> gdiagonal;  // n; present if diagonal is
  StridedLoop<kOperands> matrices{};
  StridedLoop<kVectorOperands> vectors{};
  // The engine's coefficients of an operator with these parameters; null if there is none.
  const cpu::Prepared* prepared = nullptr;

  // Whether no two matrices share a gradient. An absent operand has strides of zero.
  bool gradients_are_separate() const {
    return !matrices.repeats(kGradAngles) && !(gphases && matrices.repeats(kGradPhases)) &&
           !(gdiagonal && matrices.repeats(kGradDiagonal));
  }
};

}  // namespace givens
