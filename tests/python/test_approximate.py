"""`approximate`: few rotations for a given orthogonal or unitary matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import givens
import oracles
from cases import DTYPES, EACH_DTYPE, exactly, random_vectors
from givens import Schedule, approximate


def unitary(rng, n: int, dtype="float64") -> np.ndarray:
    wide = np.result_type(dtype, np.float64)
    return np.linalg.qr(random_vectors(rng, (n, n), wide))[0].astype(dtype)


def dense(operator: givens.Operator) -> np.ndarray:
    names = ("phases", "diagonal", "signs")
    options = {name: getattr(operator, name) for name in names}
    given_options = {name: a for name, a in options.items() if a is not None}
    return oracles.product(operator.schedule, operator.angles, **given_options)


def distance(operator: givens.Operator, U: np.ndarray) -> float:
    return oracles.norm(dense(operator) - U) / max(oracles.norm(U), 1e-300)


def rounding(operator: givens.Operator, dtype) -> float:
    """Bound the rounding of an error, on both sides of a comparison."""
    return 2 * oracles.rounding(operator.schedule, dtype)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 13, 16, 17])
@EACH_DTYPE
def test_enough_rotations_are_exact(dtype: str, n: int) -> None:
    for seed in range(3):
        U = unitary(np.random.default_rng(seed), n, dtype)
        before = U.copy()
        operator, error = approximate(U, rotations=2 * n * n)
        np.testing.assert_array_equal(U, before)
        assert abs(distance(operator, U) - error) <= rounding(operator, dtype)
        assert error <= rounding(operator, dtype)
        assert operator.angles.dtype == np.finfo(dtype).dtype
        if np.iscomplexobj(U):
            assert operator.signs is None
            assert (operator.phases.shape, operator.diagonal.shape) == (operator.angles.shape, (n,))
        else:
            assert operator.phases is operator.diagonal is None
            signs = np.ones(n) if operator.signs is None else operator.signs
            assert np.prod(signs) == pytest.approx(np.linalg.det(U.astype(np.float64)))


@pytest.mark.parametrize("sweeps", [0, 1, 3])
@EACH_DTYPE
def test_the_error_never_grows(dtype: str, sweeps: int) -> None:
    n = 9
    U = unitary(np.random.default_rng(0), n, dtype)
    last = np.inf
    for rotations in range(100):
        operator, error = approximate(U, rotations=rotations, sweeps=sweeps)
        assert operator.schedule.num_rotations <= rotations
        assert error <= last + rounding(operator, dtype)
        last = error


def test_the_first_rotation_is_the_best_of_all() -> None:
    for dtype in ("float64", "complex128"):
        rng = np.random.default_rng(1)
        U = unitary(rng, 6, dtype)
        error = approximate(U, rotations=1).error
        start = approximate(U, rotations=0).operator
        D = np.diag(oracles.row_factors(6, start.diagonal, start.signs))
        for i, j in Schedule.circle(6).pairs:
            for _ in range(20):
                phase = rng.uniform(-4, 4) if dtype == "complex128" else None
                G = oracles.rotation(6, i, j, rng.uniform(-4, 4), phase)
                assert oracles.norm(G @ D - U) / np.sqrt(6) >= error


def test_sweeps_leave_no_better_angle() -> None:
    U = unitary(np.random.default_rng(2), 8, "complex128")
    operator, error = approximate(U, rotations=12, sweeps=200)
    given_parameters = {
        "angles": operator.angles,
        "phases": operator.phases,
        "diagonal": operator.diagonal,
    }
    Q = givens.matrix(schedule=operator.schedule, **given_parameters)
    gradients = givens.matrix_vjp(Q, Q - U, schedule=operator.schedule, **given_parameters)
    # Each of 200 sweeps lowers the gradient by a factor.
    assert max(np.abs(g).max() for g in gradients) <= 1e-6
    assert error < approximate(U, rotations=12, sweeps=0).error


def test_products_of_few_rotations() -> None:
    rng = np.random.default_rng(3)
    rounds = [[(0, 7), (3, 2), (5, 9)]]
    for schedule in (
        Schedule.from_rounds(10, rounds),
        Schedule.blocks(Schedule.from_rounds(2, [[(0, 1)]]), 5),
    ):
        angles = rng.uniform(-3, 3, schedule.num_rotations)
        signs = rng.choice([-1.0, 1.0], 10)[: schedule.n]
        U = givens.matrix(angles, schedule, signs=signs)
        operator, error = approximate(U, rotations=schedule.num_rotations)
        assert error <= rounding(operator, "float64")
    # Small rotations of any pairs, one after the other.
    rotations = [[rng.choice(12, 2, replace=False)] for _ in range(10)]
    schedule = Schedule.from_rounds(12, rotations)
    U = givens.matrix(rng.uniform(-0.1, 0.1, 10), schedule)
    assert (
        approximate(U, rotations=10, sweeps=20).error < 0.1 * oracles.norm(U - np.eye(12)) / 12**0.5
    )


def test_fast_transforms() -> None:
    """A Hadamard matrix is a product of n/2 log2 n rotations and signs, a search finds more."""
    H = np.array([[1.0]])
    for _ in range(4):
        H = np.kron(H, [[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    errors = [approximate(H, rotations=J).error for J in (0, 32, 64, 120)]
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] < 1e-3


def test_rounds() -> None:
    U = unitary(np.random.default_rng(4), 10)
    operator, error = approximate(U, rotations=23, max_rounds=7)
    # The last that are found are the first to be applied.
    np.testing.assert_array_equal(np.diff(operator.schedule.round_offsets), [3, 3, 3, 3, 3, 4, 4])
    assert abs(distance(operator, U) - error) <= rounding(operator, "float64")
    operator, _ = approximate(U, rotations=1000, max_rounds=3)
    np.testing.assert_array_equal(np.diff(operator.schedule.round_offsets), [5, 5, 5])


@EACH_DTYPE
def test_reflections_and_permutations(dtype: str) -> None:
    rng = np.random.default_rng(5)
    n = 8
    operator, error = approximate(np.eye(n, dtype=dtype), rotations=9)
    assert (operator.schedule.num_rotations, error) == (0, 0.0)
    for rank in (1, 2, 3):
        Q = unitary(rng, n, np.result_type(dtype, np.float64))[:, :rank]
        U = (np.eye(n) - 2 * Q @ Q.conj().T).astype(dtype)
        operator, error = approximate(U, rotations=4 * n * n)
        assert error <= rounding(operator, dtype)
    for _ in range(10):
        U = (np.eye(n)[rng.permutation(n)] * rng.choice([-1, 1], n)).astype(dtype)
        operator, error = approximate(U, rotations=4 * n)
        assert error <= rounding(operator, dtype)


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "columns first": np.asfortranarray,
    "backwards": lambda U: np.ascontiguousarray(U[::-1, ::-1])[::-1, ::-1],
    "every other number": lambda U: np.repeat(U, 2, axis=1)[:, ::2],
}


@given(
    n=st.integers(0, 8),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from([*LAYOUTS]),
    rotations=st.integers(0, 40),
    max_rounds=st.none() | st.integers(0, 10),
    sweeps=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_and_strides(n, dtype, layout, rotations, max_rounds, sweeps, seed) -> None:
    U = LAYOUTS[layout](unitary(np.random.default_rng(seed), n, dtype))
    operator, error = approximate(U, rotations=rotations, max_rounds=max_rounds, sweeps=sweeps)
    assert operator.schedule.num_rotations <= rotations
    assert max_rounds is None or operator.schedule.num_rounds <= max_rounds
    assert abs(distance(operator, U) - error) <= rounding(operator, dtype)
    start = approximate(U, rotations=0).error
    assert error <= start + rounding(operator, dtype)


@pytest.mark.parametrize(
    ("error", "message", "changed"),
    [
        (
            TypeError,
            "U must be a NumPy array or one with __dlpack__, got list: np.asarray(U, dtype=...) "
            "makes one",
            {"U": [[1.0]]},
        ),
        (
            TypeError,
            "U must be float32, float64, complex64 or complex128, got int64",
            {"U": np.eye(2, dtype="int64")},
        ),
        (ValueError, "U must have shape (n, n), got shape (2, 3)", {"U": np.ones((2, 3))}),
        (ValueError, "U must have shape (n, n), got shape (1, 2, 2)", {"U": np.eye(2)[None]}),
        (ValueError, "U must be finite, got inf at U[1, 1]", {"U": np.diag([1.0, np.inf])}),
        (
            ValueError,
            "U must be orthogonal, with max|U^T U - I| at most 2.13e-14, got 3",
            {"U": np.diag([1.0, 2.0])},
        ),
        (
            ValueError,
            "U must be unitary, with max|U^H U - I| at most 2.13e-14, got 3",
            {"U": np.diag([1.0, 2.0j])},
        ),
        (ValueError, "rotations must be at least 0, got -1", {"rotations": -1}),
        (TypeError, "rotations must be an integer, got NoneType", {"rotations": None}),
        (ValueError, "max_rounds must be at least 0, got -1", {"max_rounds": -1}),
        (ValueError, "sweeps must be at least 0, got -1", {"sweeps": -1}),
        (TypeError, "sweeps must be an integer, got float", {"sweeps": 0.5}),
    ],
)
def test_refusals(error: type[Exception], message: str, changed: dict) -> None:
    with pytest.raises(error, match=exactly(message)):
        approximate(**{"U": np.eye(2), "rotations": 1, **changed})


def test_other_libraries() -> None:
    torch = pytest.importorskip("torch")
    U = unitary(np.random.default_rng(6), 5)
    expected = approximate(U, rotations=4)
    operator, error = approximate(torch.from_numpy(U), rotations=4)
    assert error == expected.error
    assert isinstance(operator.matrix(), torch.Tensor)
    np.testing.assert_array_equal(operator.angles, expected.operator.angles)
