// Rotations that make symmetric or Hermitian matrices diagonal: few of them, or all.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "givens/export.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

// Rotations that were chosen, for a batch B of matrices or for one.
template <class R>
struct FoundRotations {
  Schedule schedule;
  std::vector<R> angles;  // (*B, K), radians; K = schedule.num_rotations()
  std::vector<R> phases;  // (*B, K), radians; empty if the matrices are real
};

// Which rotations to take, and when to stop: at whichever limit comes first.
struct JacobiOptions {
  // None: each rotation takes the pair whose rotation lowers the off-diagonal norm most, which is
  // the one with the largest |a_ij|. Otherwise the rounds of the schedule, from the last to the
  // first, again and again.
  std::optional<Schedule> pairs;
  // At most this many rotations.
  std::optional<std::int64_t> rotations;
  // At most this many rounds. Without a schedule each round then takes the largest disjoint pairs,
  // with the rotations, n / 2 a round by default, spread evenly over the rounds.
  std::optional<std::int64_t> max_rounds;
  // Stop where the norm of the off-diagonal entries is at most this, relative to the norm of all.
  // By default 0 if one of the limits above is given, otherwise 32 eps.
  std::optional<double> tol;
};

// Finds few rotations with A ~ U diag(values) U^H, U the matrix of the rotations, by Jacobi's
// method: each rotation makes the entry of its pair zero. A (*B, n, n) is symmetric or, for complex
// T, Hermitian; its mean with its adjoint is taken. `values` (*B, n) gets the diagonal of U^H A U,
// in the order of the coordinates. With `options.pairs` the result has one element, for the
// whole batch; without one it has an element for each matrix, in C order, as each has its own
// pairs. Without `options.max_rounds` each of these pairs is in the earliest round that their order
// permits.
//
// Angles are in [-pi/4, pi/4], or in [0, pi/4] for complex T, with phases in [-pi, pi]. The
// schedule has all columns. With `options.pairs` it repeats the given rounds, and may
// begin in the middle of them; matrices of a batch that need fewer have angles 0 in the first.
//
// Sources: Jacobi, J. reine angew. Math. 30, 51 (1846); Le Magoarou, Gribonval and Tremblay, IEEE
// Trans. Signal Inf. Process. Netw. 4, 407 (2018), for the largest pairs; Brent and Luk, SIAM J.
// Sci. Stat. Comput. 6, 69 (1985), for rounds.
//
// Throws std::invalid_argument, before it writes anything, for shapes that do not fit, entries that
// are not finite, max|A - A^H| above 32 (n + 1) eps max|A|, limits or a tolerance below 0, `values`
// that overlap A, and a schedule of another n, with fewer columns, or, where only the tolerance
// ends the rounds, without some pair. Throws std::runtime_error, having written nothing, if the
// tolerance is the only limit and 1000 rotations for each pair do not reach it.
//
// Cost: O(n) for each rotation, in double precision, and O(n^2) once for each matrix.
//
//   std::vector<double> values(n);
//   const givens::FoundRotations<double> found =
//       givens::jacobi<double>({A.data(), {n, n}}, {values.data(), {n}}, {{}, 4 * n}).front();
template <class T>
GIVENS_API std::vector<FoundRotations<real_t<T>>> jacobi(
    const not_deduced_t<ArrayView<const T>>& A, const not_deduced_t<ArrayView<real_t<T>>>& values,
    const JacobiOptions& options = {});

// The same for k matrices together, A (*B, k, n, n): one U makes all of them as nearly diagonal as
// Jacobi's method can. `values` (*B, k, n, n) gets U^H A U, and may not overlap A. A rotation
// minimises the sum of the squares of all off-diagonal entries (Cardoso and Souloumiac, SIAM J.
// Matrix Anal. Appl. 17, 161 (1996)). The norms are of all k matrices; the method also stops where
// no rotation lowers the square of the off-diagonal norm by more than the square of the tolerance,
// relative to the square of the norm.
//
// Cost: O(k n) for each rotation.
template <class T>
GIVENS_API std::vector<FoundRotations<real_t<T>>> joint_jacobi(
    const not_deduced_t<ArrayView<const T>>& A, const not_deduced_t<ArrayView<T>>& values,
    const JacobiOptions& options = {});

}  // namespace givens
