"""`jacobi`: rotations that make symmetric and Hermitian matrices diagonal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import givens
import oracles
from cases import DTYPES, EACH_DTYPE, exactly, random_vectors
from givens import Schedule, jacobi

SIZES = [0, 1, 2, 3, 5, 8, 13, 16, 17]
SCHEDULES = {
    "circle": Schedule.circle,
    "xor": Schedule.xor,
    "team": lambda n: Schedule.team(n, 3),
    # Every pair twice, and rounds of one pair.
    "twice": lambda n: Schedule.from_rounds(n, [*oracles.rounds_of(Schedule.xor(n))] * 2),
    "one by one": lambda n: Schedule.from_rounds(n, Schedule.circle(n).pairs[:, None]),
}


def hermitian(rng, *shape: int, dtype="float64") -> np.ndarray:
    X = random_vectors(rng, shape, np.result_type(dtype, np.float64))
    return (X + X.conj().swapaxes(-1, -2)).astype(dtype)


def rebuilt(values: np.ndarray, operator: givens.Operator) -> np.ndarray:
    """Return U diag(values) U^H in double precision."""
    options = {} if operator.phases is None else {"phases": operator.phases}
    U = oracles.products(operator.schedule, operator.angles, **options)
    return U * values[..., None, :] @ U.conj().swapaxes(-1, -2)


def rounding(operator: givens.Operator, dtype) -> float:
    """Bound the error of U diag(values) U^H relative to A.

    U and its adjoint are off by `oracles.rounding` each, and so were the rotations from both sides
    by which the values were found. The tolerance is 32 eps, and the values are rounded.
    """
    return 4 * oracles.rounding(operator.schedule, dtype) + 33 * float(np.finfo(dtype).eps)


def off_diagonal(matrices: np.ndarray) -> float:
    return oracles.norm(matrices * (1 - np.eye(matrices.shape[-1])))


def plain_jacobi(A: np.ndarray, rotations: int) -> tuple[list, np.ndarray]:
    """Make the largest entry zero, again and again: the pairs, and U^H A U."""
    n, pairs = len(A), []
    for _ in range(rotations):
        i, j = np.unravel_index(np.argmax(np.triu(np.abs(A), 1)), A.shape)
        # The smaller of the two rotations that diagonalise the block.
        t = np.arctan(2 * np.abs(A[i, j]) / (A[i, i] - A[j, j]).real) / 2
        G = oracles.rotation(n, i, j, t, -np.angle(A[i, j]))
        A = G.conj().T @ A @ G
        pairs.append((int(i), int(j)))
    return pairs, A


@pytest.mark.parametrize("n", SIZES)
@EACH_DTYPE
def test_all_rotations_diagonalise(dtype: str, n: int) -> None:
    rng = np.random.default_rng(n)
    A = hermitian(rng, n, n, dtype=dtype)
    before = A.copy()
    expected = np.linalg.eigvalsh(A.astype(np.result_type(dtype, np.float64)))
    for pairs in ("largest", *(make(n) for make in SCHEDULES.values())):
        values, operator = jacobi(A, pairs=pairs)
        np.testing.assert_array_equal(A, before)
        real = np.finfo(dtype).dtype
        assert (values.shape, values.dtype, operator.angles.dtype) == ((n,), real, real)
        assert (operator.phases is not None) == np.iscomplexobj(A)
        size = rounding(operator, dtype) * oracles.norm(A)
        assert oracles.norm(rebuilt(values, operator) - A) <= size
        # By Weyl's inequality, as the values are eigenvalues of what is rebuilt exactly.
        assert np.abs(np.sort(values) - expected).max(initial=0) <= size
        if isinstance(pairs, Schedule) and n > 1:
            sweeps, rest = divmod(operator.schedule.num_rotations, pairs.num_rotations)
            assert rest == 0
            np.testing.assert_array_equal(
                operator.schedule.pairs, np.tile(pairs.pairs, (sweeps, 1))
            )


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_few_rotations_are_those_of_a_plain_loop(dtype: str) -> None:
    for n, rotations in ((5, 4), (9, 20), (16, 40)):
        A = hermitian(np.random.default_rng(n), n, n, dtype=dtype)
        pairs, turned = plain_jacobi(A, rotations)
        values, operator = jacobi(A, rotations=rotations)
        # The last that is found is the first to be applied; rotations of a round commute.
        expected: list[list] = [[] for _ in range(n)]
        for i, j in reversed(pairs):
            expected[i].append(j)
            expected[j].append(i)
        found: list[list] = [[] for _ in range(n)]
        for i, j in operator.schedule.pairs.tolist():
            found[i].append(j)
            found[j].append(i)
        assert found == expected
        # Both go through as many rotations from both sides, with a few roundings in each.
        size = 16 * rotations * np.finfo(dtype).eps * oracles.norm(A)
        assert np.abs(values - np.diagonal(turned).real).max() <= size
        left = oracles.norm(rebuilt(values, operator) - A)
        assert left == pytest.approx(off_diagonal(turned), abs=size)


def test_error_falls_with_rotations_and_tol_says_how_far() -> None:
    A = hermitian(np.random.default_rng(0), 12, 12)
    errors = []
    for rotations in range(40):
        values, operator = jacobi(A, rotations=rotations)
        assert operator.schedule.num_rotations == rotations
        errors.append(oracles.norm(rebuilt(values, operator) - A) / oracles.norm(A))
    assert np.all(np.diff(errors) < 0)
    for rotations in (0, 5, 30):
        # The least number that reaches the tolerance.
        _, operator = jacobi(A, tol=errors[rotations] * (1 + 1e-9))
        assert operator.schedule.num_rotations == rotations
    _, operator = jacobi(A, tol=errors[30], rotations=7)
    assert operator.schedule.num_rotations == 7
    _, operator = jacobi(A, tol=1e-3, pairs=Schedule.circle(12))
    values, more = jacobi(A, tol=1e-9, pairs=Schedule.circle(12))
    assert operator.schedule.num_rotations < more.schedule.num_rotations
    assert oracles.norm(rebuilt(values, more) - A) <= 1e-9 * oracles.norm(A)


def test_rounds_of_the_largest_pairs() -> None:
    n = 10
    A = hermitian(np.random.default_rng(1), n, n)
    values, operator = jacobi(A, max_rounds=6)
    sizes = np.diff(operator.schedule.round_offsets)
    # Two coordinates that are left over may have met just before, so that their entry is zero.
    assert (len(sizes), sizes[-1], sizes.max()) == (6, 5, 5)
    assert sizes.min() >= 4
    values, operator = jacobi(A, rotations=9, max_rounds=6)
    # The last that are found are the first to be applied.
    np.testing.assert_array_equal(np.diff(operator.schedule.round_offsets), [1, 1, 1, 2, 2, 2])
    (i, j), *_ = plain_jacobi(A, 1)[0]
    assert [i, j] in operator.schedule.round(5).tolist()
    errors = []
    for rounds in range(8):
        values, operator = jacobi(A, max_rounds=rounds)
        errors.append(oracles.norm(rebuilt(values, operator) - A))
    assert np.all(np.diff(errors) < 0)
    # A round of one pair each is what happens without rounds.
    one, plain = jacobi(A, rotations=9, max_rounds=9), jacobi(A, rotations=9)
    np.testing.assert_array_equal(one.values, plain.values)


def test_a_part_of_a_schedule() -> None:
    n = 6
    A = hermitian(np.random.default_rng(2), n, n, dtype="complex128")
    circle = Schedule.circle(n)
    _, operator = jacobi(A, pairs=circle, rotations=15)
    assert operator.schedule == circle
    _, operator = jacobi(A, pairs=circle, rotations=20)
    expected = [*circle.pairs.tolist()[-5:], *circle.pairs.tolist()]
    assert operator.schedule.pairs.tolist() == expected
    _, operator = jacobi(A, pairs=circle, max_rounds=2)
    assert operator.schedule.num_rounds == 2
    # Neighbours alone do not make it diagonal, but go as far as they are asked to.
    values, operator = jacobi(A, pairs=Schedule.brickwall(n), max_rounds=60)
    assert operator.schedule.num_rounds == 60
    assert oracles.norm(rebuilt(values, operator) - A) < oracles.norm(A - np.diag(np.diag(A)))


@EACH_DTYPE
def test_a_batch_is_as_its_matrices_alone(dtype: str) -> None:
    A = hermitian(np.random.default_rng(3), 2, 3, 6, 6, dtype=dtype)
    A[1, 2] = np.eye(6)
    values, operators = jacobi(A, rotations=7)
    assert (values.shape, len(operators), {len(row) for row in operators}) == ((2, 3, 6), 2, {3})
    shared_values, shared = jacobi(A, pairs=Schedule.xor(6))
    K = shared.schedule.num_rotations
    assert (shared_values.shape, shared.angles.shape) == ((2, 3, 6), (2, 3, K))
    for index in np.ndindex(2, 3):
        alone = jacobi(A[index], rotations=7)
        operator = operators[index[0]][index[1]]
        np.testing.assert_array_equal(values[index], alone.values)
        assert operator.schedule == alone.operator.schedule
        np.testing.assert_array_equal(operator.angles, alone.operator.angles)
        assert operator.schedule.num_rotations == (0 if index == (1, 2) else 7)

        alone = jacobi(A[index], pairs=Schedule.xor(6))
        own = alone.operator.schedule.num_rotations
        np.testing.assert_array_equal(shared_values[index], alone.values)
        np.testing.assert_array_equal(shared.angles[index][K - own :], alone.operator.angles)
        assert not shared.angles[index][: K - own].any()


@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 0), (3, 0, 2, 2), (0, 0, 0)])
def test_empty_batches(shape: tuple[int, ...]) -> None:
    values, operators = jacobi(np.zeros(shape), rotations=3)
    assert values.shape == shape[:-1]
    assert len(operators) == shape[0]
    values, operator = jacobi(np.zeros(shape), pairs=Schedule.circle(shape[-1]))
    assert values.shape == shape[:-1]
    assert operator.angles.shape == (*shape[:-2], 0)


@EACH_DTYPE
def test_diagonal_matrices_and_equal_eigenvalues(dtype: str) -> None:
    rng = np.random.default_rng(4)
    n = 8
    for diagonal in (np.arange(n), np.ones(n), np.zeros(n)):
        A = np.diag(diagonal).astype(dtype)
        for pairs in ("largest", Schedule.xor(n)):
            values, operator = jacobi(A, pairs=pairs, rotations=5)
            assert operator.schedule.num_rotations == 0
            np.testing.assert_array_equal(values, diagonal)
    Q = np.linalg.qr(random_vectors(rng, (n, n), np.result_type(dtype, np.float64)))[0]
    A = (Q * ([2.0] * 5 + [-1.0] * 3) @ Q.conj().T).astype(dtype)
    for pairs in ("largest", Schedule.circle(n)):
        values, operator = jacobi(A, pairs=pairs)
        size = rounding(operator, dtype) * oracles.norm(A)
        assert oracles.norm(rebuilt(values, operator) - A) <= size
        assert np.abs(np.sort(values) - ([-1.0] * 3 + [2.0] * 5)).max() <= size


@EACH_DTYPE
def test_huge_and_tiny_matrices(dtype: str) -> None:
    A = hermitian(np.random.default_rng(5), 6, 6, dtype=dtype)
    info = np.finfo(dtype)
    expected = jacobi(A)
    # Powers of two, so that nothing is rounded but what becomes subnormal.
    for scale in (2.0 ** (info.maxexp - 5), 2.0 ** (info.minexp + 40)):
        values, operator = jacobi((A * scale).astype(dtype))
        assert operator.schedule == expected.operator.schedule
        np.testing.assert_allclose(values / scale, expected.values, rtol=0, atol=2.0**-20)


def joint_problem(rng, k: int, n: int, dtype: str) -> np.ndarray:
    """Draw matrices with the same eigenvectors."""
    wide = np.result_type(dtype, np.float64)
    Q = np.linalg.qr(random_vectors(rng, (n, n), wide))[0]
    A = Q * rng.uniform(-1, 1, (k, 1, n)) @ Q.conj().T
    return ((A + A.conj().swapaxes(-1, -2)) / 2).astype(dtype)


@pytest.mark.parametrize("k", [0, 1, 2, 5])
@EACH_DTYPE
def test_joint(dtype: str, k: int) -> None:
    for n in (0, 1, 2, 3, 8):
        A = joint_problem(np.random.default_rng(n), k, n, dtype)
        for pairs in ("largest", Schedule.circle(n)):
            matrices, operator = jacobi(A, pairs=pairs, joint=True)
            assert (matrices.shape, matrices.dtype) == ((k, n, n), dtype)
            U = operator.matrix()
            size = rounding(operator, dtype) * oracles.norm(A)
            assert oracles.norm(U.conj().T @ A @ U - matrices) <= size
            np.testing.assert_array_equal(matrices, matrices.conj().swapaxes(-1, -2))
            # Entries may be off by the tolerance, each, and by the rounding of A.
            eps = np.finfo(dtype).eps
            assert off_diagonal(matrices) <= 64 * max(n, 1) * eps * oracles.norm(A)
            if k == 1:
                alone = jacobi(A[0], pairs=pairs)
                assert operator.schedule == alone.operator.schedule
                np.testing.assert_array_equal(np.diagonal(matrices[0]).real, alone.values)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_joint_without_common_eigenvectors(dtype: str) -> None:
    rng = np.random.default_rng(6)
    A = joint_problem(rng, 4, 6, dtype) + 0.05 * hermitian(rng, 4, 6, 6, dtype=dtype)
    largest = jacobi(A, joint=True)
    rounds = jacobi(A, joint=True, pairs=Schedule.circle(6))
    # The same minimum, at which a change by the square root of eps is one by eps of the sum.
    assert off_diagonal(largest.values) == pytest.approx(off_diagonal(rounds.values), rel=1e-12)
    # No rotation of any pair improves on it.
    least = off_diagonal(largest.values)
    for i, j in Schedule.circle(6).pairs:
        for t in (-0.3, -1e-3, 1e-3, 0.3):
            for p in (0.0, 1.0, 2.0) if np.dtype(dtype).kind == "c" else (None,):
                G = oracles.rotation(6, i, j, t, p)
                assert off_diagonal(G.conj().T @ largest.values @ G) > least
    errors = [off_diagonal(jacobi(A, joint=True, rotations=J).values) for J in range(30)]
    assert np.all(np.diff(errors) < 0)


def test_joint_batches() -> None:
    A = np.stack([joint_problem(np.random.default_rng(s), 3, 5, "float64") for s in range(4)])
    matrices, operators = jacobi(A, joint=True)
    shared_matrices, shared = jacobi(A, joint=True, pairs=Schedule.circle(5))
    assert shared.angles.shape == (4, shared.schedule.num_rotations)
    for m in range(4):
        alone = jacobi(A[m], joint=True)
        np.testing.assert_array_equal(matrices[m], alone.values)
        np.testing.assert_array_equal(operators[m].angles, alone.operator.angles)
        alone = jacobi(A[m], joint=True, pairs=Schedule.circle(5))
        np.testing.assert_array_equal(shared_matrices[m], alone.values)
    assert jacobi(A[:0], joint=True).values.shape == (0, 3, 5, 5)
    assert jacobi(A[:, :0], joint=True, pairs=Schedule.circle(5)).operator.angles.shape == (4, 0)


def spread(A: np.ndarray) -> np.ndarray:
    stored = np.full((*A.shape, 2), np.nan, A.dtype)
    stored[..., 0] = A
    return stored[..., 0]


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "columns first": np.asfortranarray,
    "backwards": lambda A: np.ascontiguousarray(A[..., ::-1, ::-1])[..., ::-1, ::-1],
    "every other number": spread,
}


@given(
    n=st.integers(0, 7),
    batch=st.lists(st.integers(0, 3), max_size=2),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from([*LAYOUTS]),
    name=st.sampled_from(["largest", *SCHEDULES]),
    rotations=st.none() | st.integers(0, 30),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_and_strides(n, batch, dtype, layout, name, rotations, seed) -> None:
    A = LAYOUTS[layout](hermitian(np.random.default_rng(seed), *batch, n, n, dtype=dtype))
    pairs = name if name == "largest" else SCHEDULES[name](n)
    values, operators = jacobi(A, pairs=pairs, rotations=rotations)
    assert values.shape == A.shape[:-1]
    if name != "largest":
        assert operators.angles.shape[:-1] == tuple(batch)
    for index in np.ndindex(*batch):
        operator = operators
        if name == "largest":
            for at in index:
                operator = operator[at]
            U = operator.matrix()
        else:
            U = operator.matrix()[index]
        assert rotations is None or operator.schedule.num_rotations <= rotations
        D = U.conj().T @ A[index] @ U
        size = rounding(operator, dtype) * oracles.norm(A[index])
        assert np.abs(np.diagonal(D) - values[index]).max(initial=0) <= size
        if rotations is None:
            assert off_diagonal(D) <= size


@pytest.mark.parametrize(
    ("error", "message", "changed"),
    [
        (
            TypeError,
            "A must be a NumPy array or one with __dlpack__, got list: np.asarray(A, dtype=...) "
            "makes one",
            {"A": [[1.0]]},
        ),
        (
            TypeError,
            "A must be float32, float64, complex64 or complex128, got int64",
            {"A": np.eye(2, dtype="int64")},
        ),
        (
            TypeError,
            "A must be float32, float64, complex64 or complex128, got float16",
            {"A": np.eye(2, dtype="float16")},
        ),
        (ValueError, "A must have shape (..., n, n), got shape (2, 3)", {"A": np.ones((2, 3))}),
        (ValueError, "A must have shape (..., n, n), got shape (2,)", {"A": np.ones(2)}),
        (ValueError, "A must have shape (..., n, n), got shape ()", {"A": np.array(1.0)}),
        (ValueError, "A must have shape (..., k, n, n), got shape (2, 2)", {"joint": True}),
        (ValueError, "A must be finite, got nan at A[1, 1]", {"A": np.diag([1.0, np.nan])}),
        (ValueError, "A must be finite, got -inf at A[0, 0]", {"A": np.diag([-np.inf, 1.0])}),
        (
            ValueError,
            "A must be symmetric, with max|A - A^T| at most 2.13e-14, got 1",
            {"A": np.array([[1.0, 1.0], [0.0, 1.0]])},
        ),
        (
            ValueError,
            "A must be Hermitian, with max|A - A^H| at most 2.13e-14, got 2 for A[1]",
            {"A": np.array([np.eye(2), np.array([[1.0, 1j], [1j, 1.0]])])},
        ),
        (ValueError, "rotations must be at least 0, got -1", {"rotations": -1}),
        (TypeError, "rotations must be an integer, got float", {"rotations": 1.0}),
        (ValueError, "max_rounds must be at least 0, got -3", {"max_rounds": -3}),
        (ValueError, "tol must be at least 0, got -0.1", {"tol": -0.1}),
        (ValueError, "tol must be at least 0, got nan", {"tol": np.nan}),
        (TypeError, "joint must be a bool, got str", {"joint": "yes"}),
        (
            ValueError,
            "pairs must be \"largest\" or a givens.Schedule, got 'smallest'",
            {"pairs": "smallest"},
        ),
        (ValueError, 'pairs must be "largest" or a givens.Schedule, got None', {"pairs": None}),
        (
            ValueError,
            "pairs must be a schedule of n = 2 coordinates, as A has, got Schedule.xor(3)",
            {"pairs": Schedule.xor(3)},
        ),
        (
            ValueError,
            "pairs must be a schedule with all columns, got Schedule.xor(2, columns=1)",
            {"pairs": Schedule.xor(2, columns=1)},
        ),
        (
            ValueError,
            "pairs must be a schedule in which all coordinates meet, unless rotations or "
            "max_rounds end the rounds, got Schedule.brickwall(3)",
            {"A": np.eye(3), "pairs": Schedule.brickwall(3), "tol": 0.1},
        ),
    ],
)
def test_refusals(error: type[Exception], message: str, changed: dict) -> None:
    with pytest.raises(error, match=exactly(message)):
        jacobi(**{"A": np.eye(2), **changed})


def test_asymmetry_within_rounding_is_averaged() -> None:
    A = np.array([[1.0, 0.5], [0.5 + 2e-15, -1.0]])
    values, _ = jacobi(A)
    np.testing.assert_array_equal(values, jacobi((A + A.T) / 2).values)


def test_a_tolerance_that_is_not_reached_is_an_error() -> None:
    # Without common eigenvectors roundings let a sum of squares fall a little for ever.
    A = hermitian(np.random.default_rng(7), 4, 6, 6)
    message = (
        "A was not made diagonal to tol by 15000 rotations; rotations or max_rounds end them "
        "without an error"
    )
    for pairs in ("largest", Schedule.circle(6)):
        with pytest.raises(RuntimeError, match=exactly(message)):
            jacobi(A, pairs=pairs, joint=True, tol=0.0)
        assert jacobi(A, pairs=pairs, joint=True, tol=0.0, max_rounds=9).values.shape == A.shape


def test_other_libraries() -> None:
    torch = pytest.importorskip("torch")
    A = hermitian(np.random.default_rng(8), 2, 5, 5)
    for pairs in ("largest", Schedule.circle(5)):
        expected = jacobi(A, pairs=pairs)
        values, operator = jacobi(torch.from_numpy(A), pairs=pairs)
        assert isinstance(values, torch.Tensor)
        np.testing.assert_array_equal(values.numpy(), expected.values)
        first = operator[0] if pairs == "largest" else operator
        assert isinstance(first.matrix(), torch.Tensor)
