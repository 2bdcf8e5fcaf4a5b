// The docstrings of givens.Schedule.
#pragma once

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>

#include "givens/schedule.hpp"

namespace givens::python::docs {

// What the docstring of a factory says of its kind. Every kind but the caller's own rounds needs a
// row.
struct Factory {
  Schedule::Kind kind;
  const char* summary;
  const char* example;
};

inline constexpr Factory kFactories[] = {
    {Schedule::Kind::circle,
     R"(The round robin by the circle method, the schedule of the paper.

n - 1 rounds for even n, n for odd n; every pair meets once. The order is the one in the code of the
paper's authors (arXiv 2106.00003, section 3): with N the even one of n and n + 1, round r is step
N - 2 - r of the circle.)",
     R"(>>> givens.Schedule.circle(4).pairs.tolist()
[[0, 2], [1, 3], [0, 1], [2, 3], [0, 3], [1, 2]])"},
    {Schedule::Kind::xor_,
     R"(Round r = 1 .. N - 1 pairs i with ``i ^ r``, N the next power of two.

Pairs with a coordinate of n or more are dropped; every pair meets once. The pairs are aligned at every
power of two, which makes this the fastest schedule.)",
     R"(>>> givens.Schedule.xor(3).pairs.tolist()
[[0, 1], [0, 2], [1, 2]])"},
    {Schedule::Kind::team,
     R"(Teams of consecutive coordinates: the order of the authors' second kernel.

Teams are `size` consecutive coordinates; where `size` does not divide n, the last team is smaller. First
each team plays the steps of a circle of its own number of players, in rising order; then come the circle's
rounds between teams, each match of which takes `size` rounds (arXiv 2106.00003, "TeamRR" in the authors'
code). Every pair meets once. In the authors' code `size` is even. An odd team has a bye in each of its
steps, and with size 1 this is `circle`.)",
     R"(>>> givens.Schedule.team(4, 2).pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]])"},
    {Schedule::Kind::brickwall,
     R"(n rounds of nearest neighbours; round r pairs i with i + 1 for i = r mod 2, step 2.

It has n(n-1)/2 rotations, and any rotation matrix can be decomposed into it (Clements meshes).)",
     R"(>>> givens.Schedule.brickwall(3).pairs.tolist()
[[0, 1], [1, 2], [0, 1]])"},
    {Schedule::Kind::butterfly,
     R"(Rounds 1, 2, 4, ... of `xor`: O(n log n) rotations in log2 n rounds, `passes` times over.

Each pass has the same order. One pass lets every coordinate meet every other where n is a power of two, yet
makes few of all matrices: more passes reach more. Where n is no power of two, pairs with a coordinate of n
or more are dropped, and some coordinates meet few others in a pass.)",
     R"(>>> givens.Schedule.butterfly(4).pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3]]
>>> s = givens.Schedule.butterfly(4, passes=2)
>>> s == givens.Schedule.butterfly(4) + givens.Schedule.butterfly(4)
True)"},
    {Schedule::Kind::wavefront,
     R"(Neighbours (i, i + 1), from which every n x columns frame can be made exactly.

The order is the one of Sameh and Kuck, J. ACM 25, 81 (1978), which is Reck's mesh turned round. With
m = min(columns, n - 1) it has n + m - 2 rounds and n m - m(m+1)/2 rotations: as many as the Stiefel
manifold of frames has dimensions. `givens.decompose` finds the angles of any frame.)",
     R"(>>> givens.Schedule.wavefront(4, columns=1).pairs.tolist()
[[0, 1], [1, 2], [2, 3]])"},
};

// The docstring of a factory: its row, and what all factories have in common.
inline std::string factory(const Schedule::KindInfo& kind) {
  const auto* row = std::find_if(std::begin(kFactories), std::end(kFactories),
                                 [&](const Factory& f) { return f.kind == kind.kind; });
  if (row == std::end(kFactories)) throw std::logic_error(std::string("no row of ") + kind.name);
  const std::string names = std::string("n") + (kind.takes_size ? ", size" : "") +
                            (kind.takes_columns ? " or columns" : "") +
                            (kind.takes_passes ? " or passes" : "");
  std::string out = row->summary;
  out += "\n\nParameters\n----------\nn : int\n    Number of coordinates, at least 0.\n";
  if (kind.takes_size) out += "size : int\n    Coordinates in a team, 1 to 65536.\n";
  if (kind.takes_columns) {
    out +=
        "columns : int, optional\n    Columns of the frame, 0 to n (default n); see the class.\n";
  }
  if (kind.takes_passes) {
    out += "passes : int, default 1\n    How often the rounds are repeated, at least 0.\n";
  }
  out += "\nRaises\n------\nTypeError\n    If " + names + " is no integer.\nValueError\n    If " +
         names + " is out of range, or the schedule has 2**31 rotations or more.\n\n";
  return out + "Examples\n--------\n>>> import givens\n" + row->example + "\n";
}

inline constexpr const char* kClass = R"(An ordered list of rounds of plane rotations.

A round is a set of disjoint pairs of coordinates; its rotations commute and run at once. Round 0 is
applied first: ``U = G[K-1] @ ... @ G[1] @ G[0]``. Angles belong to rotations in schedule order: round by
round, and within a round in the order of its pairs.

A schedule is an immutable value. It compares, hashes, pickles and prints, and is made by one of
`circle`, `xor`, `team`, `brickwall`, `butterfly`, `wavefront`, `from_rounds`, `from_dict`, or of others by
`blocks`, `reversed` and ``+``. Only the rounds given to `from_rounds`, or composed of others, are stored;
schedules of the other kinds compute their rounds when asked for.

With ``columns=m`` smaller than n, the pairs in which both coordinates are at least m are dropped, which
leaves ``n(n-1)/2 - k(k-1)/2`` rotations, ``k = n - m``: the dimension of the Stiefel manifold of n x m
frames. `givens.matrix` then returns the frame ``U[:, :m]``.

A schedule has fewer than 2**31 rotations: n = 65536 at most if all pairs meet.

Examples
--------
>>> import givens
>>> s = givens.Schedule.xor(4)
>>> s
Schedule.xor(4)
>>> s.num_rounds, s.num_rotations
(3, 6)
>>> s.pairs.tolist()
[[0, 1], [2, 3], [0, 2], [1, 3], [0, 3], [1, 2]]
)";

inline constexpr const char* kFromRounds = R"(A schedule of the caller's rounds.

Parameters
----------
n : int
    Number of coordinates, at least 0.
rounds : iterable of rounds
    Each round a list of pairs or an integer array of shape (pairs, 2). A pair may be given in either
    order; it is stored, and its rotation turns, with the smaller coordinate first.
columns : int, optional
    Columns of the frame, 0 to n (default n); see the class.

Raises
------
ValueError
    If n or columns is out of range, a coordinate is not in 0 .. n - 1, a pair has two equal coordinates,
    or two pairs of a round share a coordinate; the message says which. Also if a round is no list of
    pairs, or the schedule has 2**31 rotations or more.
TypeError
    If n, columns or the coordinates are not integers.

Examples
--------
>>> import givens
>>> s = givens.Schedule.from_rounds(4, [[(0, 1), (2, 3)], [(1, 2)]])
>>> s.num_rotations
3
)";

inline constexpr const char* kBlocks =
    R"(The same schedule on each of `count` blocks of consecutive coordinates.

The matrix is block-diagonal. Round r holds round r of the first block, then of the second, and so on, and
so do the angles: the example shows how to order angles that are given block by block. A batch does the same
for vectors of shape ``(count, ..., n)``, with angles ``(count, K)``.

Parameters
----------
schedule : Schedule
    The schedule of a block, with all its columns.
count : int
    Number of blocks, at least 0.

Returns
-------
Schedule
    For ``count * schedule.n`` coordinates, with ``count * schedule.num_rotations`` rotations in as many rounds
    as schedule has; its kind is "rounds".

Raises
------
TypeError
    If schedule is not a Schedule, or count is no integer.
ValueError
    If schedule has fewer columns than coordinates, count is negative, or the result has 2**31 coordinates or
    rotations or more.

Notes
-----
Cost: O(count K) time and memory.

Examples
--------
>>> import numpy as np, givens
>>> s = givens.Schedule.butterfly(8)
>>> many = givens.Schedule.blocks(s, 3)
>>> angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (3, s.num_rotations))  # by block
>>> round_of = np.repeat(np.arange(s.num_rounds), np.diff(s.round_offsets))
>>> order = np.argsort(np.tile(round_of, 3), kind="stable")
>>> U = givens.matrix(angles.ravel()[order], many)
>>> bool(np.allclose(U[8:16, 8:16], givens.matrix(angles[1], s)))
True
)";

inline constexpr const char* kReversed =
    R"(All rotations in reverse order: the rounds, and the pairs in each of them.

With its angles in reverse order and negated it makes the inverse matrix; phases are reversed only.

Returns
-------
Schedule
    Its kind is "rounds".

Raises
------
ValueError
    If the schedule has fewer columns than coordinates.

Notes
-----
Cost: O(K) time and memory. `givens.rotate` has ``inverse=True``, which needs no other schedule.

Examples
--------
>>> import numpy as np, givens
>>> s = givens.Schedule.butterfly(6, passes=2)
>>> angles = np.linspace(-1, 1, s.num_rotations)
>>> inverse = givens.matrix(-angles[::-1], s.reversed())
>>> bool(np.allclose(inverse, givens.matrix(angles, s).T))
True
)";

inline constexpr const char* kAdd =
    R"(The rounds of this schedule, and then of another one.

Angles follow one another in the same way: ``U(first + second) = U(second) @ U(first)``. The result has the kind
"rounds".

Raises
------
TypeError
    If the other one is no Schedule.
ValueError
    If their n differ, one has fewer columns than coordinates, or the sum has 2**31 rotations or more.

Notes
-----
Cost: O(K) time and memory.

Examples
--------
>>> import givens
>>> givens.Schedule.butterfly(8) + givens.Schedule.brickwall(8)
<Schedule of 11 rounds, 40 rotations, n=8>
)";

inline constexpr const char* kPairs =
    R"(The pairs (i, j), i < j, of all rotations in schedule order: int32, (K, 2).

A new array every time, at O(K) cost.

Examples
--------
>>> import givens
>>> givens.Schedule.xor(3).pairs.dtype, givens.Schedule.xor(3).pairs.shape
(dtype('int32'), (3, 2)))";

inline constexpr const char* kOffsets = R"(Where each round starts: int64, (num_rounds + 1,).

Round r holds the rotations ``offsets[r] .. offsets[r + 1] - 1``.)";

inline constexpr const char* kTriangularIndex =
    R"(The place of each rotation in the triangular order: int64, (K,).

The triangular order is the one in the code of the paper's authors: the pair (i, j) has index
``i*n - (i+2)*(i+1)/2 + j``. A new array every time, at O(K) cost. Raises ValueError if the schedule does
not hold each pair with i < columns exactly once.)";

inline constexpr const char* kToTriangular =
    R"(Reorder angles from schedule order to the triangular order.

Parameters
----------
angles : array, (..., K)
    In schedule order. A NumPy array of any dtype, or an array of another library of float32 or
    float64 in the CPU's memory.

Returns
-------
array of the caller's library, (..., K)
    A new array of the same dtype in triangular order; see `triangular_index`.

Raises
------
TypeError
    If angles are no array, or an array of another library in other memory or of another dtype.
ValueError
    If the last axis has not K entries, or the schedule has no triangular order.

Examples
--------
>>> import givens, numpy as np
>>> s = givens.Schedule.xor(3)  # pairs (0, 1), (0, 2), (1, 2)
>>> s.to_triangular(np.array([0.1, 0.2, 0.3]))
array([0.1, 0.2, 0.3])
)";

inline constexpr const char* kFromTriangular =
    R"(Reorder angles from the triangular order to schedule order.

The inverse of `to_triangular`, with the same shapes and errors.

Examples
--------
>>> import givens, numpy as np
>>> s = givens.Schedule.circle(3)  # pairs (0, 2), (0, 1), (1, 2)
>>> s.from_triangular(np.array([0.1, 0.2, 0.3]))
array([0.2, 0.1, 0.3])
)";

inline constexpr const char* kToDict =
    R"(A compact description, of JSON's types only, from which `from_dict` rebuilds the schedule.

Examples
--------
>>> import givens
>>> givens.Schedule.team(64, 16, columns=10).to_dict()
{'kind': 'team', 'n': 64, 'size': 16, 'columns': 10}
)";

inline constexpr const char* kFromDict = R"(The schedule that `to_dict` described.

Parameters
----------
description : dict
    ``kind`` and ``n``; ``size`` for a team; ``rounds`` for the kind rounds, each a list of pairs;
    optionally ``columns`` or ``passes`` for a kind that takes them.

Raises
------
TypeError
    If a number is no integer.
ValueError
    If the kind is unknown, a key is missing or unknown, or a number is out of range.

Examples
--------
>>> import givens
>>> givens.Schedule.from_dict({"kind": "xor", "n": 64})
Schedule.xor(64)
)";

inline constexpr const char* kRound =
    R"(The pairs of round r: int32, (pairs, 2). Raises IndexError if there is no round r.)";

}  // namespace givens::python::docs
