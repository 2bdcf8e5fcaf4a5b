// A given orthogonal or unitary matrix, approximately, by few rotations.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "givens/export.hpp"
#include "givens/jacobi.hpp"
#include "givens/transform.hpp"
#include "givens/view.hpp"

namespace givens {

struct ApproximateOptions {
  // At most this many rounds, over which the rotations are spread evenly: a round takes the best
  // disjoint pairs. By default each rotation is in the earliest round that the order permits.
  std::optional<std::int64_t> max_rounds;
  // How often all angles are refined, each time that the number of rotations has grown by 1/32.
  std::int64_t sweeps = 1;
};

template <class R>
struct Approximation {
  FoundRotations<R> rotations;
  std::vector<R> diagonal;  // (n,), radians; empty if the matrix is real
  std::vector<R> signs;     // (n,), each +1 or -1; empty if the matrix is complex
  double error;             // |U - Q| / |U| in the Frobenius norm, Q made of these parameters
};

// Finds at most `rotations` rotations, with a diagonal or signs, whose product is near the
// orthogonal or, for complex T, unitary matrix U (n, n). Each new rotation takes the pair with
// which it lowers the error most; its angle and phase are known in closed form. In between, sweeps
// choose each angle and phase anew, as is best with the others as they are. The signs have the
// determinant of U. Where no rotation lowers the error although it is large, as for a Hermitian
// U, signs change.
//
// Without `options.max_rounds` the error never grows with the number of rotations, but for
// rounding. Fewer rotations are found where they make U to all digits. The schedule has all
// columns.
//
// Throws std::invalid_argument for a U that is not square or not finite, or with max|U^H U - I|
// above 32 (n + 1) eps, and for a negative number.
//
// Cost: O(n) for each rotation, O(n) for each rotation and sweep, thus O(32 n) `sweeps` for each
// rotation, and O(n^3) once; in double precision.
//
//   const givens::Approximation<double> found = givens::approximate<double>({U.data(), {n, n}}, 4 *
//   n);
template <class T>
GIVENS_API Approximation<real_t<T>> approximate(const not_deduced_t<ArrayView<const T>>& U,
                                                std::int64_t rotations,
                                                const ApproximateOptions& options = {});

}  // namespace givens
