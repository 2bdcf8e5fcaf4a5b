"""`fit_angles`: parameters of any schedule for a given matrix."""

import numpy as np
import pytest

import givens
from cases import EACH_DTYPE, SCHEDULES, exactly, random_vectors
from givens import FitError, Schedule, fit_angles

# A start that gets stuck is followed by another; no test needs as many.
ATTEMPTS = 30
COMPLETE = ["circle", "xor", "team 2", "team 3", "brickwall"]


def orthonormal(n: int, columns: int, dtype="float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed + n)
    wide = random_vectors(rng, (n, columns), np.result_type(dtype, np.float64))
    return np.linalg.qr(wide)[0].astype(dtype)


def assert_fits(p: givens.Parameters, U: np.ndarray) -> None:
    """Assert what the docstring says of the error, the precision and the range of parameters."""
    made = givens.matrix(**p._asdict())
    assert made.dtype == U.dtype
    eps = np.finfo(U.dtype).eps
    assert np.abs(made - U).max(initial=0) <= 32 * (len(U) + 1) * eps
    given = [a for a in p[1:] if a is not None]
    assert len(given) == (3 if np.iscomplexobj(U) else 2)
    for a in given:
        assert a.dtype == np.finfo(U.dtype).dtype
        assert np.all(np.abs(a) <= np.pi * (1 + eps))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_complete_schedules(dtype: str, name: str, n: int) -> None:
    schedule = SCHEDULES[name](n)
    U = orthonormal(n, n, dtype)
    before = U.copy()
    assert_fits(fit_angles(U, schedule, attempts=ATTEMPTS), U)
    np.testing.assert_array_equal(U, before)


@pytest.mark.parametrize("seed", range(3))
def test_larger_matrices(seed: int) -> None:
    U = orthonormal(13, 13, seed=seed)
    assert_fits(fit_angles(U, Schedule.xor(13), rng=seed, attempts=ATTEMPTS), U)


@pytest.mark.parametrize(("name", "n"), [("brickwall", 32), ("circle", 24), ("team 2", 16)])
def test_sizes_of_layers(name: str, n: int) -> None:
    U = orthonormal(n, n)
    assert_fits(fit_angles(U, SCHEDULES[name](n), attempts=ATTEMPTS), U)


@EACH_DTYPE
def test_precisions(dtype: str) -> None:
    U = orthonormal(6, 6, dtype)
    assert_fits(fit_angles(U, Schedule.xor(6), attempts=ATTEMPTS), U)


@EACH_DTYPE
@pytest.mark.parametrize("columns", [0, 1, 3, 6])
def test_frames(columns: int, dtype: str) -> None:
    U = orthonormal(7, columns, dtype)
    assert_fits(fit_angles(U, Schedule.xor(7, columns=columns), attempts=ATTEMPTS), U)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_determinants(n: int) -> None:
    U = orthonormal(n, n)
    U[0] *= np.sign(np.linalg.det(U))
    schedule = Schedule.circle(n)
    p = fit_angles(U, schedule, attempts=ATTEMPTS)
    assert np.all(p.signs == 1)
    np.testing.assert_array_equal(givens.matrix(p.angles, schedule), givens.matrix(**p._asdict()))
    U[0] *= -1
    p = fit_angles(U, schedule, attempts=ATTEMPTS)
    assert p.signs.tolist() == [1.0] * (n - 1) + [-1.0]
    assert_fits(p, U)


@pytest.mark.parametrize("name", ["circle", "xor", "team 3"])
def test_small_angles_come_back(name: str) -> None:
    # Near the identity a matrix has one set of small angles.
    schedule = SCHEDULES[name](20)
    angles = 0.02 * np.random.default_rng(0).standard_normal(schedule.num_rotations)
    p = fit_angles(givens.matrix(angles, schedule), schedule, attempts=1)
    # U[j, i] is then about the angle of the pair, and their errors are about the same.
    assert np.abs(p.angles - angles).max() <= 2 * 32 * 21 * np.finfo(float).eps


def test_permutations() -> None:
    U = np.eye(6)[[3, 0, 5, 1, 4, 2]]
    assert_fits(fit_angles(U, Schedule.xor(6), attempts=ATTEMPTS), U)


@pytest.mark.parametrize("name", ["butterfly", "random rounds"])
def test_other_schedules_fit_what_they_make(name: str) -> None:
    # "random rounds" of 4 have more angles than the matrix has entries.
    schedule = SCHEDULES[name](4)
    angles = np.random.default_rng(1).uniform(-3, 3, schedule.num_rotations)
    U = givens.matrix(angles, schedule)
    assert_fits(fit_angles(U, schedule, attempts=ATTEMPTS), U)


def test_more_angles_than_entries() -> None:
    schedule = Schedule.from_rounds(2, [[(0, 1)]] * 5)
    U = givens.matrix(np.arange(5.0), schedule)
    assert_fits(fit_angles(U, schedule), U)


def test_seeds() -> None:
    U = orthonormal(5, 5)
    s = Schedule.circle(5)
    a, b, c = (
        fit_angles(U, s, rng=rng, attempts=ATTEMPTS).angles
        for rng in (3, 3, np.random.default_rng(3))
    )
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c)


# --- Failure -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_what_cannot_be_made(dtype: str) -> None:
    # The rotation leaves coordinates 2 and 3 alone, which U exchanges.
    schedule = Schedule.from_rounds(4, [[(0, 1)]])
    U = np.eye(4, dtype=dtype)[[0, 1, 3, 2]]
    with pytest.raises(FitError, match="were found that make U in 2 attempts") as raised:
        fit_angles(U, schedule, attempts=2)
    error = raised.value
    assert isinstance(error, RuntimeError)
    p = error.parameters
    assert p.schedule == schedule
    assert error.residual == np.abs(givens.matrix(**p._asdict()) - U).max()
    assert error.residual >= 1 - 1e-9
    assert f"{error.residual:.3g}" in str(error)


def test_stuck_attempts_are_made_again() -> None:
    # The first start of this matrix gets stuck, and a later one does not.
    s = Schedule.circle(8)
    U = next(U for U in (orthonormal(8, 8, seed=k) for k in range(20)) if not fits_at_once(U, s))
    assert_fits(fit_angles(U, s, attempts=ATTEMPTS), U)


def fits_at_once(U: np.ndarray, schedule: Schedule) -> bool:
    try:
        fit_angles(U, schedule, attempts=1)
    except FitError:
        return False
    return True


ORTHONORMAL = "U must have orthonormal columns, with max|U^H U - I| at most 2.13e-14, got"


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        ("U must be a NumPy array, got list: np.asarray(U, dtype=...) makes one", {"U": [[1.0]]}),
        (
            "U must be float32, float64, complex64 or complex128, got int64",
            {"U": np.eye(2, dtype=int)},
        ),
        ("schedule must be a givens.Schedule, got str", {"schedule": "xor"}),
        ("U must have shape (3, 3), got shape (2, 2)", {"schedule": Schedule.xor(3)}),
        ("U must have shape (2, 1), got shape (2, 2)", {"schedule": Schedule.xor(2, columns=1)}),
        ("attempts must be at least 1, got 0", {"attempts": 0}),
        ("U must be finite, got an entry that is not", {"U": np.diag([1, np.nan])}),
        (f"{ORTHONORMAL} 3", {"U": np.diag([1.0, 2.0])}),
        (f"{ORTHONORMAL} inf", {"U": np.array([[1e200, -1e200], [1e200, 1e200]])}),
    ],
)
def test_refusals(message: str, changed: dict) -> None:
    wrong_type = message.endswith(("makes one", "int64", "str"))
    with pytest.raises(TypeError if wrong_type else ValueError, match=exactly(message)):
        fit_angles(**{"U": np.eye(2), "schedule": Schedule.xor(2), **changed})
