"""Schedules: which pairs meet in which round, and what a schedule is as a Python value."""

import copy
import json
import operator
import pickle
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

import givens
from cases import SCHEDULES, each, exactly
from givens import Schedule
from oracles import rounds_of

Round = list[tuple[int, int]]


def as_rounds(schedule: Schedule) -> list[Round]:
    return [[(int(i), int(j)) for i, j in round_] for round_ in rounds_of(schedule)]


def without_empty(rounds: list[Round]) -> list[Round]:
    return [round_ for round_ in rounds if round_]


# --- The rules, straight from their definitions --------------------------------------------------


def next_power_of_two(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()


def circle_step(players: int, s: int) -> Round:
    """Return step s of the circle method; with an odd number of players the last one is a bye."""
    N = players + players % 2

    def less(k: int) -> int:
        return k - (N - 1) if k >= N else k

    pairs = [(0 if b == 0 else less(b + s), less(N - 1 - b + s)) for b in range(N // 2)]
    return [(min(pair), max(pair)) for pair in pairs if max(pair) < players]


def circle_rounds(n: int) -> list[Round]:
    N = n + n % 2
    return [circle_step(n, N - 2 - r) for r in range(N - 1)]


def xor_rounds(n: int) -> list[Round]:
    return [[(i, i ^ r) for i in range(n) if i < i ^ r < n] for r in range(1, next_power_of_two(n))]


def brickwall_rounds(n: int) -> list[Round]:
    return [[(i, i + 1) for i in range(r % 2, n - 1, 2)] for r in range(n)]


def butterfly_rounds(n: int) -> list[Round]:
    masks = [1 << k for k in range(next_power_of_two(n).bit_length() - 1)]
    return [[(i, i ^ r) for i in range(n) if i < i ^ r < n] for r in masks]


def team_rounds(n: int, size: int) -> list[Round]:
    """Each team plays the steps of a circle of its own number of players, then matches."""
    starts = range(0, n, size)
    players = {start: min(size, n - start) for start in starts}
    steps = {start: players[start] + players[start] % 2 - 1 for start in starts}
    rounds = [
        [
            (start + i, start + j)
            for start in starts
            if s < steps[start]
            for i, j in circle_step(players[start], s)
        ]
        for s in range(max(steps.values()))
    ]
    for matches in circle_rounds(len(starts)) if len(starts) > 1 else []:
        for m in range(size):
            rounds.append(
                [
                    (home * size + k, visitor * size + (k + m) % size)
                    for home, visitor in matches
                    for k in range(size)
                ]
            )
    return [[pair for pair in round_ if max(pair) < n] for round_ in rounds]


RULES = {
    "circle": circle_rounds,
    "xor": xor_rounds,
    "brickwall": brickwall_rounds,
    "butterfly": butterfly_rounds,
}

# From n = 0 up. A single coordinate still has one empty round, a circle with the bye.
NUM_ROUNDS = {
    "circle": [0, 1, 1, 3, 3, 5, 5, 7, 7, 9],
    "xor": [0, 0, 1, 3, 3, 7, 7, 7, 7, 15],
    "brickwall": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "butterfly": [0, 0, 1, 2, 2, 3, 3, 3, 3, 4],
}


@pytest.mark.parametrize("kind", RULES)
def test_rounds_follow_the_rule(kind: str) -> None:
    for n in range(2, 130):
        assert as_rounds(getattr(Schedule, kind)(n)) == RULES[kind](n)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 16])
def test_team_follows_the_rule(size: int) -> None:
    for n in [*range(size + 1, 5 * size + 2), 64, 100]:
        assert as_rounds(Schedule.team(n, size)) == team_rounds(n, size)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 16])
def test_team_of_all_is_a_circle_in_rising_order(size: int) -> None:
    for n in range(2, size + 1):
        assert as_rounds(Schedule.team(n, size)) == circle_rounds(n)[::-1]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8, 17, 64])
def test_teams_of_one_are_a_circle(n: int) -> None:
    assert Schedule.team(n, 1) == Schedule.circle(n)


@pytest.mark.parametrize("kind", NUM_ROUNDS)
def test_number_of_rounds(kind: str) -> None:
    factory = getattr(Schedule, kind)
    assert [factory(n).num_rounds for n in range(10)] == NUM_ROUNDS[kind]


@pytest.mark.parametrize("n", range(2, 130))
@pytest.mark.parametrize("kind", ["circle", "xor"])
def test_every_pair_meets_once(kind: str, n: int) -> None:
    schedule = getattr(Schedule, kind)(n)
    assert sorted(map(tuple, schedule.pairs.tolist())) == list(combinations(range(n), 2))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 16, 32, 200])
def test_every_pair_meets_once_in_teams(size: int) -> None:
    for n in [*range(40), 63, 64, 65, 129]:
        pairs = Schedule.team(n, size).pairs.tolist()
        assert sorted(map(tuple, pairs)) == list(combinations(range(n), 2))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 21, 64])
@pytest.mark.parametrize("name", SCHEDULES)
def test_pairs_are_well_formed(name: str, n: int) -> None:
    schedule = SCHEDULES[name](n)
    pairs, offsets = schedule.pairs, schedule.round_offsets
    assert pairs.dtype == np.int32
    assert offsets.dtype == np.int64
    assert pairs.shape == (schedule.num_rotations, 2)
    assert offsets.shape == (schedule.num_rounds + 1,)
    assert offsets[0] == 0
    assert offsets[-1] == schedule.num_rotations
    assert np.all(np.diff(offsets) >= 0)
    assert np.all(pairs[:, 0] < pairs[:, 1])
    assert np.all((pairs >= 0) & (pairs < n))
    for r in range(schedule.num_rounds):
        of_round = schedule.round(r)
        assert of_round.dtype == np.int32
        assert of_round.shape == (offsets[r + 1] - offsets[r], 2)
        np.testing.assert_array_equal(of_round, pairs[offsets[r] : offsets[r + 1]])
        assert len(np.unique(of_round)) == of_round.size  # disjoint


def test_pairs_are_new_every_time() -> None:
    schedule = Schedule.xor(4)
    schedule.pairs[:] = 7
    schedule.round(0)[:] = 7
    schedule.round_offsets[:] = 7
    schedule.triangular_index[:] = 7
    assert as_rounds(schedule) == xor_rounds(4)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 9, 16, 33])
@pytest.mark.parametrize(
    "factory",
    [
        Schedule.circle,
        Schedule.xor,
        lambda n, columns=None: Schedule.team(n, 4, columns),
        lambda n, columns=None: Schedule.from_rounds(n, xor_rounds(n), columns),
    ],
    ids=["circle", "xor", "team", "from_rounds"],
)
def test_columns(factory, n: int) -> None:
    for columns in range(n + 1):
        schedule = factory(n, columns=columns)
        rest = n - columns
        assert schedule.columns == columns
        assert schedule.num_rotations == n * (n - 1) // 2 - rest * (rest - 1) // 2
        expected = [
            [pair for pair in round_ if min(pair) < columns] for round_ in as_rounds(factory(n))
        ]
        assert as_rounds(schedule) == expected
        assert schedule.is_complete == (rest <= 1)
    assert factory(n).columns == n


@pytest.mark.parametrize("n", range(10))
def test_completeness(n: int) -> None:
    for schedule in [Schedule.circle(n), Schedule.xor(n), Schedule.team(n, 3)]:
        assert schedule.is_complete
        assert Schedule.from_rounds(n, as_rounds(schedule)).is_complete
    for schedule in [Schedule.brickwall(n), Schedule.butterfly(n)]:
        assert schedule.is_complete == (n <= 2)
        assert Schedule.from_rounds(n, as_rounds(schedule)).is_complete == (n <= 2)


def test_repeated_pair_in_place_of_another_is_not_complete() -> None:
    assert not Schedule.from_rounds(3, [[(0, 1)], [(0, 2)], [(0, 1)]]).is_complete
    assert Schedule.from_rounds(3, [[(0, 1)], [(2, 0)], [(1, 2)]]).is_complete


# --- The caller's rounds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        [[(0, 1), (2, 3)], [], [(1, 2)]],
        [[(1, 0), (3, 2)], [], [(2, 1)]],
        (((0, 1), (2, 3)), (), ((1, 2),)),
        [np.array([[0, 1], [2, 3]]), np.zeros((0, 2), int), np.array([[1, 2]], np.uint8)],
        [np.array([[1, 0], [3, 2]], np.int16), [], np.array([[2, 1]], np.uint64)],
        [[np.array([0, 1]), np.array([2, 3])], [], [[1, 2]]],
        [np.array([[0, 2], [1, 3]]).T, [], np.array([[9, 1, 2]])[:, 1:]],
    ],
    ids=["lists", "larger first", "tuples", "arrays", "small ints", "mixed", "views"],
)
def test_rounds_may_be_given_in_many_forms(given) -> None:
    schedule = Schedule.from_rounds(4, given)
    assert as_rounds(schedule) == [[(0, 1), (2, 3)], [], [(1, 2)]]
    assert schedule == Schedule.from_rounds(4, (round_ for round_ in given))


def test_no_rounds() -> None:
    schedule = Schedule.from_rounds(3, [])
    assert (schedule.num_rounds, schedule.num_rotations) == (0, 0)
    assert schedule.pairs.shape == (0, 2)
    assert schedule.round_offsets.tolist() == [0]


def test_error_in_a_generator_comes_through() -> None:
    def rounds():
        yield [(0, 1)]
        raise LookupError("from the generator")

    with pytest.raises(LookupError, match="from the generator"):
        Schedule.from_rounds(2, rounds())


# --- The triangular order ------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, 16])
@pytest.mark.parametrize("name", ["circle", "xor", "team 3", "xor, columns", "circle, columns"])
def test_triangular_order(name: str, n: int) -> None:
    schedule = SCHEDULES[name](n)
    expected = [i * n - (i + 2) * (i + 1) // 2 + j for i, j in schedule.pairs.tolist()]
    index = schedule.triangular_index
    assert index.dtype == np.int64
    assert index.tolist() == expected
    assert sorted(expected) == list(range(schedule.num_rotations))

    triangular = np.arange(2.0 * 3 * schedule.num_rotations).reshape(2, 3, -1)
    angles = schedule.from_triangular(triangular)
    for k, place in enumerate(expected):
        np.testing.assert_array_equal(angles[..., k], triangular[..., place])
    np.testing.assert_array_equal(schedule.to_triangular(angles), triangular)


def test_triangular_order_keeps_dtype_and_leaves_its_input() -> None:
    schedule = Schedule.circle(3)
    angles = np.array([1, 2, 3], np.float32)
    angles.setflags(write=False)
    assert schedule.to_triangular(angles).dtype == np.float32
    assert schedule.from_triangular(angles).dtype == np.float32
    assert not np.shares_memory(schedule.to_triangular(angles), angles)


def test_triangular_order_of_the_callers_rounds() -> None:
    assert Schedule.from_rounds(3, [[(1, 2)], [(0, 2)], [(0, 1)]]).triangular_index.tolist() == [
        2,
        1,
        0,
    ]


# --- Composed of others ---------------------------------------------------------------------------


def random_matrix(rng, schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    angles = rng.uniform(-4, 4, schedule.num_rotations)
    return angles, givens.matrix(angles, schedule)


# Every kind that has all columns; 2 and 3 are the least sizes with rotations, and 13 is odd.
WHOLE = [make for name, make in SCHEDULES.items() if "columns" not in name]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 13])
@each("make", WHOLE)
def test_blocks_make_a_block_diagonal_matrix(make, n: int) -> None:
    schedule, count = make(n), 3
    many = Schedule.blocks(schedule, count)
    assert (many.n, many.kind) == (3 * n, "rounds")
    assert many.num_rounds == schedule.num_rounds
    rng = np.random.default_rng(n)
    by_block = rng.uniform(-4, 4, (count, schedule.num_rotations))
    start = schedule.round_offsets
    angles = np.concatenate(
        [by_block[:, start[r] : start[r + 1]].ravel() for r in range(schedule.num_rounds)]
        or [np.zeros(0)]
    )
    expected = np.zeros((count, n, count, n))
    for b in range(count):
        expected[b, :, b] = givens.matrix(by_block[b], schedule)
    # The same rotations by the same multiplications; a fast form may round otherwise.
    tolerance = 8 * max(1, schedule.num_rounds) * np.finfo(float).eps
    got = givens.matrix(angles, many)
    np.testing.assert_allclose(got, expected.reshape(3 * n, 3 * n), rtol=0, atol=tolerance)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 13])
@each("make", WHOLE)
def test_a_sum_applies_its_first_part_first(make, n: int) -> None:
    rng = np.random.default_rng(n)
    first, second = make(n), Schedule.brickwall(n)
    both = first + second
    assert both.num_rounds == first.num_rounds + second.num_rounds
    a, U = random_matrix(rng, first)
    b, V = random_matrix(rng, second)
    # Each of the rounds, and the product of n terms, rounds once.
    tolerance = 8 * (both.num_rounds + n + 1) * np.finfo(float).eps
    got = givens.matrix(np.concatenate([a, b]), both)
    np.testing.assert_allclose(got, V @ U, rtol=0, atol=tolerance)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 13])
@each("make", WHOLE)
def test_reversed_makes_the_inverse(make, n: int) -> None:
    schedule = make(n)
    rng = np.random.default_rng(n)
    angles, U = random_matrix(rng, schedule)
    tolerance = 8 * (schedule.num_rounds + 1) * np.finfo(float).eps
    got = givens.matrix(-angles[::-1], schedule.reversed())
    np.testing.assert_allclose(got, U.T, rtol=0, atol=tolerance)
    phases = rng.uniform(-4, 4, angles.shape)
    U = givens.matrix(angles, schedule, phases=phases)
    got = givens.matrix(-angles[::-1], schedule.reversed(), phases=phases[::-1].copy())
    np.testing.assert_allclose(got, U.conj().T, rtol=0, atol=tolerance)
    assert schedule.reversed().reversed() == schedule


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (
            ValueError,
            "count must be at least 0, got -1",
            lambda: Schedule.blocks(Schedule.xor(4), -1),
        ),
        (
            TypeError,
            "count must be an integer, got float",
            lambda: Schedule.blocks(Schedule.xor(4), 2.0),
        ),
        (
            TypeError,
            "schedule must be a givens.Schedule, got int",
            lambda: Schedule.blocks(4, 2),
        ),
        (
            ValueError,
            "schedule must have all its columns to be composed, got Schedule.xor(4, columns=1)",
            lambda: Schedule.blocks(Schedule.xor(4, 1), 2),
        ),
        (
            ValueError,
            "schedule must have all its columns to be composed, got Schedule.xor(4, columns=1)",
            lambda: Schedule.xor(4, 1).reversed(),
        ),
        (
            ValueError,
            "schedule must have all its columns to be composed, got Schedule.xor(4, columns=1)",
            lambda: Schedule.xor(4) + Schedule.xor(4, 1),
        ),
        (
            ValueError,
            "schedules must have the same n to be added, got Schedule.xor(4) and Schedule.xor(5)",
            lambda: Schedule.xor(4) + Schedule.xor(5),
        ),
        (
            ValueError,
            "a schedule must have fewer than 2^31 coordinates and rotations, got 2147483648 blocks "
            "of Schedule.xor(2)",
            lambda: Schedule.blocks(Schedule.xor(2), 2**31),
        ),
        (
            ValueError,
            "passes must be between 0 and 2147483647, got -1",
            lambda: Schedule.butterfly(4, passes=-1),
        ),
        (
            TypeError,
            "passes must be an integer, got float",
            lambda: Schedule.butterfly(4, passes=1.0),
        ),
        (
            ValueError,
            "a schedule must have fewer than 2^31 rotations, n = 4 asks for up to 4294967294 "
            "rounds of 2",
            lambda: Schedule.butterfly(4, passes=2**31 - 1),
        ),
    ],
)
def test_refused_compositions(error, message: str, make) -> None:
    with pytest.raises(error, match=exactly(message)):
        make()


@pytest.mark.parametrize("other", [4, None, [Schedule.xor(4)]])
def test_only_schedules_are_added(other) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Schedule.xor(4) + other


# --- A value -------------------------------------------------------------------------------------

EQUAL = [
    ("from_rounds", Schedule.from_rounds(9, xor_rounds(9)), Schedule.xor(9)),
    ("pair order", Schedule.from_rounds(2, [[(1, 0)]]), Schedule.xor(2)),
    ("two coordinates", Schedule.circle(2), Schedule.butterfly(2)),
    ("all columns", Schedule.circle(6, columns=6), Schedule.circle(6)),
    (
        "columns",
        Schedule.from_rounds(6, circle_rounds(6), columns=2),
        Schedule.circle(6, columns=2),
    ),
    ("team", Schedule.from_rounds(9, team_rounds(9, 4)), Schedule.team(9, 4)),
    ("passes", Schedule.from_rounds(9, 3 * butterfly_rounds(9)), Schedule.butterfly(9, passes=3)),
    ("sum", Schedule.butterfly(9, 2) + Schedule.butterfly(9), Schedule.butterfly(9, passes=3)),
    ("blocks", Schedule.blocks(Schedule.xor(2), 4), Schedule.from_rounds(8, xor_rounds(8)[:1])),
]

DIFFERENT = [
    ("rule", Schedule.circle(8), Schedule.xor(8)),
    ("n", Schedule.xor(8), Schedule.xor(7)),
    ("n alone", Schedule.from_rounds(3, [[(0, 1)]]), Schedule.from_rounds(2, [[(0, 1)]])),
    ("columns", Schedule.xor(8, 3), Schedule.xor(8, 4)),
    ("columns alone", Schedule.xor(8, 7), Schedule.xor(8)),
    ("size", Schedule.team(16, 4), Schedule.team(16, 8)),
    ("passes", Schedule.butterfly(8, 2), Schedule.butterfly(8, 3)),
    ("empty round", Schedule.from_rounds(2, [[(0, 1)], []]), Schedule.from_rounds(2, [[(0, 1)]])),
    (
        "rounds",
        Schedule.from_rounds(4, [[(0, 1)], [(2, 3)]]),
        Schedule.from_rounds(4, [[(0, 1), (2, 3)]]),
    ),
    (
        "order in a round",
        Schedule.from_rounds(4, [[(0, 1), (2, 3)]]),
        Schedule.from_rounds(4, [[(2, 3), (0, 1)]]),
    ),
    (
        "middle round",
        Schedule.from_rounds(4, [[(0, 1)], [(0, 2)], [(0, 1)]]),
        Schedule.from_rounds(4, [[(0, 1)], [(0, 3)], [(0, 1)]]),
    ),
]


@pytest.mark.parametrize(("a", "b"), [c[1:] for c in EQUAL], ids=[c[0] for c in EQUAL])
def test_equal(a: Schedule, b: Schedule) -> None:
    assert operator.eq(a, b) is True
    assert operator.ne(a, b) is False
    assert hash(a) == hash(b)
    assert {a: "found"}[b] == "found"
    assert len({a, b}) == 1


@pytest.mark.parametrize(("a", "b"), [c[1:] for c in DIFFERENT], ids=[c[0] for c in DIFFERENT])
def test_different(a: Schedule, b: Schedule) -> None:
    assert operator.eq(a, b) is False
    assert operator.ne(a, b) is True
    assert len({a, b}) == 2


def test_comparison_with_other_types() -> None:
    schedule = Schedule.xor(4)
    for other in [4, None, "Schedule.xor(4)", object(), schedule.to_dict()]:
        assert operator.eq(schedule, other) is False
        assert operator.ne(schedule, other) is True


def test_hash_differs_among_usual_schedules() -> None:
    schedules = [
        make(n)
        for make in (Schedule.circle, Schedule.xor, Schedule.brickwall)
        for n in range(3, 40)
    ]
    assert len({hash(s) for s in schedules}) == len(schedules)


NAMED = [
    ("Schedule.circle(5)", "circle", Schedule.circle(5)),
    ("Schedule.circle(5, columns=2)", "circle", Schedule.circle(5, columns=2)),
    ("Schedule.xor(0)", "xor", Schedule.xor(0)),
    ("Schedule.xor(64)", "xor", Schedule.xor(64, columns=64)),
    ("Schedule.xor(64, columns=0)", "xor", Schedule.xor(64, columns=0)),
    ("Schedule.team(64, 16)", "team", Schedule.team(64, 16)),
    ("Schedule.team(64, 16, columns=10)", "team", Schedule.team(64, 16, 10)),
    ("Schedule.brickwall(7)", "brickwall", Schedule.brickwall(7)),
    ("Schedule.butterfly(7)", "butterfly", Schedule.butterfly(7)),
    ("Schedule.butterfly(7)", "butterfly", Schedule.butterfly(7, passes=1)),
    ("Schedule.butterfly(7, passes=2)", "butterfly", Schedule.butterfly(7, 2)),
    ("Schedule.butterfly(7, passes=0)", "butterfly", Schedule.butterfly(7, passes=0)),
]
ROUNDS = [
    (
        "<Schedule of 2 rounds, 3 rotations, n=4>",
        "rounds",
        Schedule.from_rounds(4, [[(0, 1), (2, 3)], [(1, 2)]]),
    ),
    (
        "<Schedule of 2 rounds, 1 rotations, n=4, columns=1>",
        "rounds",
        Schedule.from_rounds(4, [[(0, 1), (2, 3)], [(1, 2)]], columns=1),
    ),
]
VALUES = pytest.mark.parametrize(
    ("text", "kind", "schedule"), NAMED + ROUNDS, ids=[c[0] for c in NAMED + ROUNDS]
)


def assert_same(a: Schedule, b: Schedule) -> None:
    """Assert that schedules are equal and of the same kind."""
    assert type(a) is type(b) is Schedule
    assert a == b
    assert a.to_dict() == b.to_dict()


@VALUES
def test_repr_and_kind(text: str, kind: str, schedule: Schedule) -> None:
    assert repr(schedule) == str(schedule) == text
    assert schedule.kind == kind
    if kind != "rounds":
        assert_same(eval(text, {"Schedule": Schedule}), schedule)


@VALUES
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int, text: str, kind: str, schedule: Schedule) -> None:
    assert_same(pickle.loads(pickle.dumps(schedule, protocol)), schedule)


@pytest.mark.parametrize("protocol", [0, 1])
def test_pickle_with_old_protocols(protocol: int) -> None:
    # Runs in a process of its own, since Python's way of making the object may end the process.
    code = (
        "import pickle; from givens import Schedule; a = Schedule.team(9, 4, columns=3); "
        f"b = pickle.loads(pickle.dumps(a, {protocol})); assert a == b"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert process.returncode == 0, process.stderr


@VALUES
def test_copies(text: str, kind: str, schedule: Schedule) -> None:
    assert_same(copy.copy(schedule), schedule)
    assert_same(copy.deepcopy(schedule), schedule)
    assert_same(copy.deepcopy({"key": [schedule]})["key"][0], schedule)


@VALUES
def test_json(text: str, kind: str, schedule: Schedule) -> None:
    assert_same(Schedule.from_dict(json.loads(json.dumps(schedule.to_dict()))), schedule)


def test_descriptions_are_compact() -> None:
    assert Schedule.xor(64).to_dict() == {"kind": "xor", "n": 64}
    assert Schedule.circle(64, 3).to_dict() == {"kind": "circle", "n": 64, "columns": 3}
    assert Schedule.team(64, 16).to_dict() == {"kind": "team", "n": 64, "size": 16}
    assert Schedule.butterfly(64).to_dict() == {"kind": "butterfly", "n": 64}
    assert Schedule.butterfly(64, 2).to_dict() == {"kind": "butterfly", "n": 64, "passes": 2}
    assert Schedule.from_rounds(4, [[(3, 2)], []]).to_dict() == {
        "kind": "rounds",
        "n": 4,
        "rounds": [[[2, 3]], []],
    }


def test_schedules_are_immutable() -> None:
    schedule = Schedule.xor(4)
    for name in ["n", "columns", "kind", "num_rotations", "num_rounds", "pairs", "is_complete"]:
        with pytest.raises(AttributeError):
            setattr(schedule, name, 3)


# --- Memory --------------------------------------------------------------------------------------

MEMORY = """
import resource
import givens

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

givens.Schedule.xor(64)
before = resident()
schedule = givens.Schedule.{factory}
print((resident() - before) / schedule.num_rotations)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("factory", ["xor(4096)", "circle(4096)", "team(4096, 16)"])
def test_rounds_of_a_rule_are_not_stored(factory: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", MEMORY.format(factory=factory)],
        capture_output=True,
        encoding="ascii",
        check=True,
    )
    # A stored pair would take 8 bytes.
    assert float(process.stdout) < 4


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            "a schedule is made by one of Schedule.circle, Schedule.xor, Schedule.team, "
            "Schedule.brickwall, Schedule.butterfly, Schedule.wavefront, Schedule.from_rounds, "
            "Schedule.blocks and Schedule.from_dict, not by Schedule(...)",
            lambda: Schedule(8),
        ),
        (
            "arguments must be as in Schedule.xor(n, columns=None), got (8, size=2)",
            lambda: Schedule.xor(8, size=2),
        ),
        (
            "arguments must be as in Schedule.butterfly(n, passes=1), got (8, columns=3)",
            lambda: Schedule.butterfly(8, columns=3),
        ),
        (
            "arguments must be as in Schedule.blocks(schedule, count), got (count=2)",
            lambda: Schedule.blocks(count=2),
        ),
        (
            "arguments must be as in Schedule.brickwall(n), got (8, 3)",
            lambda: Schedule.brickwall(8, 3),
        ),
        (
            "arguments must be as in Schedule.team(n, size, columns=None), got (8)",
            lambda: Schedule.team(8),
        ),
        (
            "arguments must be as in Schedule.from_rounds(n, rounds, columns=None), got (4)",
            lambda: Schedule.from_rounds(4),
        ),
    ],
)
def test_calls_that_fit_no_factory(message: str, make) -> None:
    with pytest.raises(TypeError, match=exactly(message)):
        make()
