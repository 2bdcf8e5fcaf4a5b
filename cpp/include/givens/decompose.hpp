// From a matrix to the parameters that make it: the inverse of `matrix` for the brickwall schedule.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "givens/export.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// Where the parameters go, B being the batch shape. All are written.
template <class R>
struct ParameterOutputs {
  ArrayView<R> angles;                   // (*B, n(n-1)/2), radians
  std::optional<ArrayView<R>> phases;    // (*B, n(n-1)/2), radians; present exactly if T is complex
  std::optional<ArrayView<R>> diagonal;  // (*B, n), radians; present exactly if T is complex
  std::optional<ArrayView<R>> signs;     // (*B, n), each +1 or -1; present exactly if T is real
};

// Finds the parameters with which `matrix` and Schedule::brickwall(n) give U (*B, n, n), orthogonal
// or, for complex T, unitary. Entries below the diagonal are rotated to zero along the
// antidiagonals from the lower left corner, in turn from the right and from the left, as in a
// Clements mesh (Clements et al., Optica 3, 1460 (2016)).
//
// Angles are in (-pi, pi], or in [0, pi/2] for complex T; phases and diagonal are in [-pi, pi]. The
// signs are all +1 if det U = 1; otherwise one is -1. Entries that are zero are not rotated: a
// signed permutation has angles that are multiples of pi/2.
//
// Throws std::invalid_argument, before it writes anything, for shapes that do not fit, outputs that
// overlap each other or U, entries that are not finite, and a matrix of the batch with
// max |U^H U - I| > 32 (n + 1) eps. (Two columns of what `matrix` returns may each be off by 8 eps
// for each round, and most schedules have fewer than 2 n rounds.)
//
// Cost: O(n^3) for each matrix, in double precision, and the memory of one matrix of doubles.
//
//   std::vector<double> angles(n * (n - 1) / 2), signs(n);
//   givens::decompose<double>({U.data(), {n, n}},
//                             {{angles.data(), {n * (n - 1) / 2}}, {}, {}, {{signs.data(), {n}}}});
template <class T>
GIVENS_API void decompose(const not_deduced_t<ArrayView<const T>>& U,
                          const ParameterOutputs<real_t<T>>& outputs);

// The shape of the angles that `decompose` writes: (*B, n(n-1)/2). Throws std::invalid_argument if
// U is not a batch of square matrices.
template <class T>
GIVENS_API std::vector<std::int64_t> decomposed_shape(const not_deduced_t<ArrayView<const T>>& U);

}  // namespace givens
