// From a matrix to the parameters that make it: the inverse of `matrix` for the schedules brickwall
// and wavefront.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "givens/export.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// Where the parameters go, B being the batch shape and K the rotations of the schedule. All are
// written.
template <class R>
struct ParameterOutputs {
  ArrayView<R> angles;                   // (*B, K), radians
  std::optional<ArrayView<R>> phases;    // (*B, K), radians; present exactly if T is complex
  std::optional<ArrayView<R>> diagonal;  // (*B, n), radians; present exactly if T is complex
  std::optional<ArrayView<R>> signs;     // (*B, n), each +1 or -1; present exactly if T is real
};

struct DecomposeOptions {
  // Schedule::Kind::brickwall, for square matrices only, or wavefront. By default brickwall if U is
  // square, else wavefront.
  std::optional<Schedule::Kind> schedule;
  // The largest max |U^H U - I| that is taken; 32 (n + 1) eps by default. (Two columns of what
  // `matrix` returns may each be off by 8 eps for each round, and most schedules have fewer than
  // 2 n rounds.)
  std::optional<double> tolerance;
};

// Finds the parameters with which `matrix` and the schedule give U (*B, n, m), m <= n, whose
// columns are orthonormal; if m = n, U is orthogonal or, for complex T, unitary. Entries below the
// diagonal are rotated to zero.
//   brickwall: along the antidiagonals from the lower left corner, in turn from the right and from
//   the left, as in a Clements mesh (Clements et al., Optica 3, 1460 (2016)).
//   wavefront: column by column, from the last row up (Sameh and Kuck, J. ACM 25, 81 (1978)).
//
// Angles are in (-pi, pi], or in [0, pi/2] for complex T; phases and diagonal are in [-pi, pi]. The
// signs are all +1 unless U is square with det U = -1; then one is -1. Entries that are zero are
// not rotated: a signed permutation has angles that are multiples of pi/2.
//
// Throws std::invalid_argument, before it writes anything, for shapes that do not fit, another
// schedule, a negative tolerance, outputs that overlap each other or U, entries that are not
// finite, and a matrix of the batch that is further from orthonormal columns than the tolerance.
//
// Cost: O(n m^2) for each matrix, in double precision, and the memory of one matrix of doubles.
//
//   std::vector<double> angles(n * (n - 1) / 2), signs(n);
//   givens::decompose<double>({U.data(), {n, n}},
//                             {{angles.data(), {n * (n - 1) / 2}}, {}, {}, {{signs.data(), {n}}}});
template <class T>
GIVENS_API void decompose(const not_deduced_t<ArrayView<const T>>& U,
                          const ParameterOutputs<real_t<T>>& outputs,
                          const DecomposeOptions& options = {});

// The schedule that `decompose` finds parameters for. Throws std::invalid_argument for shapes and
// options that `decompose` refuses.
template <class T>
GIVENS_API Schedule decomposition_schedule(const not_deduced_t<ArrayView<const T>>& U,
                                           const DecomposeOptions& options = {});

}  // namespace givens
