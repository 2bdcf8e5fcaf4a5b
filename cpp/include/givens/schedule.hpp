// Schedules: in which order which pairs of coordinates are rotated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "givens/export.hpp"

namespace givens {

// The plane of a rotation: two coordinates, i < j.
struct Pair {
  std::int32_t i = 0;
  std::int32_t j = 0;

  friend bool operator==(const Pair& a, const Pair& b) { return a.i == b.i && a.j == b.j; }
  friend bool operator!=(const Pair& a, const Pair& b) { return !(a == b); }
};

// An ordered list of rounds; a round is a set of disjoint pairs, whose rotations commute. Round 0
// is applied first: U = G_{K-1} ... G_1 G_0. The angle of rotation k is entry k of the angles,
// counted round by round in the order in which `round` lists the pairs.
//
// A schedule is an immutable value: copies are cheap and share their data, and any number of
// threads may read one. Only the rounds of Kind::rounds are stored; other rounds are
// computed when they are asked for.
//
// With columns = m < n the pairs in which both coordinates are >= m are dropped, which leaves
// n(n-1)/2 - k(k-1)/2 rotations, k = n - m, of a schedule in which every pair meets once: the
// dimension of the Stiefel manifold of n x m frames. `matrix` then gives U[:, :m].
//
// Limits: n < 2^31, and rounds times n / 2 < 2^31 (n = 65536 for a schedule of all pairs).
//
//   givens::Schedule s = givens::Schedule::xor_(64);
//   std::vector<float> angles(s.num_rotations());
class GIVENS_API Schedule {
 public:
  enum class Kind { circle, xor_, team, brickwall, butterfly, wavefront, rounds };

  // All factories throw std::invalid_argument for n < 0, columns outside 0..n and schedules beyond
  // the limits above. Cost: O(rounds) time and memory (xor: O(rounds log n) time). `from_rounds`
  // takes O(K log K) time and O(K) memory, and so does what is composed of other schedules.

  // Round robin by the circle method: n - 1 rounds for even n, n for odd n. This is the schedule of
  // the paper (arXiv 2106.00003, section 3) in the order of its authors' code: round r is step
  // N - 2 - r of the circle, N = n rounded up to even.
  static Schedule circle(std::int64_t n, std::optional<std::int64_t> columns = std::nullopt);

  // Round r = 1 .. N - 1 holds the pairs (i, i XOR r), N the next power of two; pairs with a
  // coordinate of n or more are dropped. The fastest schedule, because it is aligned at every power
  // of two. The name has an underscore because `xor` is a C++ keyword.
  static Schedule xor_(std::int64_t n, std::optional<std::int64_t> columns = std::nullopt);

  // The order of the second kernel of the paper's authors ("TeamRR"). Teams are `size` consecutive
  // coordinates; where `size` does not divide n, the last team is smaller. First come the rounds
  // within the teams: each team plays the steps of a circle of its own number of players in rising
  // order. Then come the rounds between teams, by the circle's order on the numbers of the teams: a
  // match takes `size` rounds, and in round m player k of the home team meets player
  // (k + m) mod size of the visitors. Throws std::invalid_argument for size outside 1..65536. The
  // authors' kernel has even sizes only; an odd team has a bye in each of its steps, and with
  // size 1 the schedule is the circle's.
  static Schedule team(std::int64_t n, std::int64_t size,
                       std::optional<std::int64_t> columns = std::nullopt);

  // n rounds of nearest neighbours: round r holds the pairs (i, i + 1) for i = r mod 2, step 2.
  // This is the mesh of Clements et al., Optica 3, 1460 (2016).
  static Schedule brickwall(std::int64_t n);

  // Rounds 1, 2, 4, .. of xor: log2 N rounds, N the next power of two, and O(n log n) rotations;
  // and this `passes` times over, in the same order each time. Throws std::invalid_argument for
  // passes outside 0..2^31 - 1.
  static Schedule butterfly(std::int64_t n, std::int64_t passes = 1);

  // Neighbours (i, i + 1) in the order of Sameh and Kuck, J. ACM 25, 81 (1978), which is the mesh
  // of Reck et al., Phys. Rev. Lett. 73, 58 (1994), turned round. With m' = min(columns, n - 1)
  // there are n + m' - 2 rounds and n m' - m'(m' + 1)/2 rotations: as many as the Stiefel manifold
  // of n x columns frames has dimensions, and `decompose` finds them for any such frame. Round r
  // undoes step t = n + m' - 3 - r of the elimination, which holds for each column j = 0 .. m' - 1
  // the pair with i = n - 2 - t + 2 j where j <= i <= n - 2.
  static Schedule wavefront(std::int64_t n, std::optional<std::int64_t> columns = std::nullopt);

  // The caller's rounds. A pair may be given in either order; the smaller coordinate becomes i.
  // Throws std::invalid_argument naming the round and pair for a coordinate outside 0..n-1, a pair
  // of equal coordinates, and two pairs of one round that share a coordinate.
  struct RequestedPair {
    std::int64_t a = 0;
    std::int64_t b = 0;
  };
  static Schedule from_rounds(std::int64_t n, const std::vector<std::vector<RequestedPair>>& rounds,
                              std::optional<std::int64_t> columns = std::nullopt);

  // The next three compose a schedule, of Kind::rounds, of others. They throw std::invalid_argument
  // for one with columns < n.

  // The same schedule on each of `count` blocks of consecutive coordinates: count * s.n()
  // coordinates, and round r holds round r of the first block, then of the second, and so on. U is
  // block-diagonal. Angles are in this order too: round r of block b has its first at
  // count * s.round_offsets()[r] + b * (the size of round r). Throws std::invalid_argument for
  // count < 0.
  static Schedule blocks(const Schedule& schedule, std::int64_t count);

  // The rounds of `first`, then of `second`, and so their angles: U = U(second) U(first). Throws
  // std::invalid_argument if their n differ.
  friend GIVENS_API Schedule operator+(const Schedule& first, const Schedule& second);

  // All rotations in reverse order: the rounds, and the pairs within each. With the angles (and
  // phases) in reverse order, the angles negated, it makes the inverse of U.
  Schedule reversed() const;

  // The kinds, in the order of Kind, and what their factories take besides n.
  struct KindInfo {
    Kind kind;
    const char* name;  // as in kind_name()
    bool takes_columns;
    bool takes_size;
    bool takes_passes;
  };
  static std::vector<KindInfo> kinds();

  // The factory of a kind: from_kind(Kind::team, 64, 16) is team(64, 16). Throws
  // std::invalid_argument, in addition, for Kind::rounds, for columns, a size or passes that the
  // kind does not take, and for a size that is missing.
  static Schedule from_kind(Kind kind, std::int64_t n,
                            std::optional<std::int64_t> size = std::nullopt,
                            std::optional<std::int64_t> columns = std::nullopt,
                            std::optional<std::int64_t> passes = std::nullopt);

  Kind kind() const;
  // The kind's name: "circle", "xor", "team", "brickwall", "butterfly", "wavefront" or
  // "rounds".
  const char* kind_name() const;
  std::int64_t n() const;
  std::int64_t columns() const;
  // The coordinates in a team; 0 for every other kind.
  std::int64_t team_size() const;
  // How often a butterfly has its rounds; 0 for every other kind.
  std::int64_t passes() const;
  // K, the number of angles.
  std::int64_t num_rotations() const;
  std::int64_t num_rounds() const;
  // num_rounds + 1 numbers: the rotations of round r are offsets[r] .. offsets[r + 1] - 1.
  const std::vector<std::int64_t>& round_offsets() const;
  // Whether every pair of coordinates meets exactly once.
  bool is_complete() const;

  // The pairs of round r. Precondition: 0 <= r < num_rounds. Cost: O(n).
  std::vector<Pair> round(std::int64_t r) const;
  // All pairs, K of them, in schedule order. Cost: O(K).
  std::vector<Pair> pairs() const;

  // For each rotation its place in the triangular order of the paper's authors' code, which is
  // i * n - (i + 2)(i + 1) / 2 + j for the pair (i, j). Throws std::invalid_argument unless the
  // schedule holds each pair with i < columns exactly once: otherwise that order has gaps or
  // repeats. Cost: O(K).
  std::vector<std::int64_t> triangular_index() const;

  // Equal if n, columns and all rounds are equal, whatever factories made them. Cost: at most O(K).
  friend GIVENS_API bool operator==(const Schedule& a, const Schedule& b);
  friend bool operator!=(const Schedule& a, const Schedule& b) { return !(a == b); }
  // Equal schedules have equal hashes. Cost: O(rounds + n) for the first call, O(1) from then on.
  std::size_t hash() const;
  // For example "Schedule.team(64, 16, columns=10)".
  std::string repr() const;

 private:
  friend struct ScheduleAccess;  // for the library's own sources

  struct Data;
  explicit Schedule(std::shared_ptr<const Data> data);

  std::shared_ptr<const Data> data_;
};

}  // namespace givens

template <>
struct std::hash<givens::Schedule> {
  std::size_t operator()(const givens::Schedule& s) const { return s.hash(); }
};
