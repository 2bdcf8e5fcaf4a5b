"""`initial_parameters`: shapes and dtypes, and the distribution of uniform matrices.

Samples have fixed seeds. A test of a distribution fails if its p-value is below LEVEL divided by
the number of tests on one sample (Bonferroni). With a new seed a right distribution would fail once
in 1000 times at most.
"""

import numpy as np
import pytest
from scipy import stats

import givens
from cases import EACH_DTYPE, exactly
from givens import Schedule, initial_parameters

LEVEL = 1e-3
SAMPLES = 2000

# The options that draw from a group, and SciPy's distribution of it.
GROUPS = {
    "SO": ({}, stats.special_ortho_group),
    "O": ({"signs": True}, stats.ortho_group),
    "U": ({"dtype": np.complex128}, stats.unitary_group),
}
EACH_GROUP = pytest.mark.parametrize("group", GROUPS)
EACH_SIZE = pytest.mark.parametrize("n", [2, 3, 4, 7])


KINDS = {"brickwall": Schedule.brickwall, "wavefront": Schedule.wavefront}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


def haar(group: str, n: int, kind: str) -> np.ndarray:
    p = initial_parameters(KINDS[kind](n), "haar", rng=n, batch=(SAMPLES,), **GROUPS[group][0])
    return givens.matrix(**p._asdict())


def assert_same_distribution(p_values: list[float]) -> None:
    assert min(p_values) >= LEVEL / len(p_values)


# --- Uniform matrices ----------------------------------------------------------------------------


@EACH_SIZE
@EACH_GROUP
@EACH_KIND
def test_traces_are_distributed_like_scipys(kind: str, group: str, n: int) -> None:
    # Traces of powers are the sums of powers of the eigenvalues.
    ours = haar(group, n, kind)
    theirs = GROUPS[group][1].rvs(n, size=SAMPLES, random_state=np.random.default_rng(100 + n))
    p_values = []
    for power in (1, 2, 3):
        a, b = (
            np.trace(np.linalg.matrix_power(U, power), axis1=-2, axis2=-1) for U in (ours, theirs)
        )
        for part in [np.real, np.imag] if group == "U" else [np.real]:
            # A reflection of the plane has trace 0; rounding makes that one value in both.
            p_values.append(stats.ks_2samp(part(a).round(9), part(b).round(9)).pvalue)
    assert_same_distribution(p_values)


@EACH_SIZE
@EACH_GROUP
@EACH_KIND
def test_columns_are_uniform_unit_vectors(kind: str, group: str, n: int) -> None:
    # A column is uniform on the sphere in n real or complex dimensions.
    squares = np.abs(haar(group, n, kind)) ** 2
    expected = stats.beta(1, n - 1) if group == "U" else stats.beta(0.5, (n - 1) / 2)
    assert_same_distribution(
        [
            stats.kstest(np.minimum(squares[:, i, j], 1), expected.cdf).pvalue
            for i in range(n)
            for j in range(n)
        ]
    )


@EACH_SIZE
@EACH_GROUP
@EACH_KIND
def test_multiplication_by_a_matrix_changes_nothing(kind: str, group: str, n: int) -> None:
    # Half of the sample is multiplied, from either side; entries are compared with their signs.
    U = haar(group, n, kind)
    V = GROUPS[group][1].rvs(n, random_state=np.random.default_rng(5))
    before, after = U[: SAMPLES // 2], U[SAMPLES // 2 :]
    p_values = []
    for moved in (V @ after, after @ V):
        for i in range(n):
            a, b = before[:, i, n - 1].real, moved[:, i, n - 1].real
            p_values.append(stats.ks_2samp(a, b).pvalue)
    assert_same_distribution(p_values)


@EACH_SIZE
@EACH_KIND
def test_eigenvalues_of_unitary_matrices_are_uniform(kind: str, n: int) -> None:
    # The eigenvalues of a matrix depend on each other: one of each is drawn. Determinants too.
    U = haar("U", n, kind)
    chosen = np.random.default_rng(0).integers(0, n, SAMPLES)
    phases = [
        np.angle(np.linalg.eigvals(U))[np.arange(SAMPLES), chosen],
        np.angle(np.linalg.det(U)),
    ]
    circle = stats.uniform(-np.pi, 2 * np.pi)
    assert_same_distribution([stats.kstest(phase, circle.cdf).pvalue for phase in phases])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@EACH_KIND
def test_determinants(kind: str, n: int) -> None:
    np.testing.assert_allclose(np.linalg.det(haar("SO", n, kind)), 1, rtol=0, atol=1e-14 * n)
    negative = np.sum(np.linalg.det(haar("O", n, kind)) < 0)
    assert stats.binomtest(int(negative), SAMPLES).pvalue >= LEVEL


@EACH_DTYPE
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_shapes_and_dtypes(n: int, dtype: str) -> None:
    real = np.finfo(dtype).dtype
    is_complex = dtype.startswith("complex")
    for s, kind in [
        (Schedule.brickwall(n), "haar"),
        (Schedule.wavefront(n), "haar"),
        (Schedule.wavefront(n, columns=n // 2), "haar"),
        (Schedule.xor(n), "identity"),
        (Schedule.circle(n, columns=n // 2), "small"),
        (Schedule.butterfly(n), "small"),
    ]:
        for batch in [(), (3,), (0, 2)]:
            p = initial_parameters(s, kind, rng=1, batch=batch, dtype=dtype)
            expected = {"angles": s.num_rotations}
            if is_complex:
                expected |= {"phases": s.num_rotations, "diagonal": n}
            given = {name: a for name, a in p._asdict().items() if a is not None}
            assert given.pop("schedule") == s
            assert {name: a.shape for name, a in given.items()} == {
                name: (*batch, extent) for name, extent in expected.items()
            }
            assert all(a.dtype == real for a in given.values())
            U = givens.matrix(**p._asdict())
            assert (U.shape, U.dtype) == ((*batch, n, s.columns), dtype)


def test_signs_are_drawn_on_request() -> None:
    p = initial_parameters(
        Schedule.brickwall(3), "haar", rng=0, batch=(2,), dtype="float32", signs=True
    )
    assert (p.signs.shape, p.signs.dtype) == ((2, 3), np.float32)


def test_any_schedule_of_the_same_rotations() -> None:
    pair = Schedule.from_rounds(2, [[(0, 1)]])
    p = initial_parameters(pair, "haar", rng=0)
    assert p.schedule == pair
    np.testing.assert_array_equal(
        p.angles, initial_parameters(Schedule.wavefront(2), "haar", rng=0).angles
    )


# --- Near the identity ---------------------------------------------------------------------------


@EACH_DTYPE
def test_identity(dtype: str) -> None:
    s = Schedule.xor(7)
    U = givens.matrix(**initial_parameters(s, "identity", batch=(2,), dtype=dtype)._asdict())
    np.testing.assert_array_equal(U, np.broadcast_to(np.eye(7), (2, 7, 7)))


def test_small() -> None:
    s = Schedule.circle(20)
    p = initial_parameters(s, "small", rng=0, batch=(20,), scale=0.3, dtype=complex)
    for normal in (p.angles, p.diagonal):
        assert stats.kstest(normal.ravel() / 0.3, stats.norm.cdf).pvalue >= LEVEL
    circle = stats.uniform(-np.pi, 2 * np.pi)
    assert stats.kstest(p.phases.ravel(), circle.cdf).pvalue >= LEVEL
    assert np.abs(initial_parameters(s, "small", rng=0).angles).max() < 0.01 * 5


# --- Random numbers ------------------------------------------------------------------------------


def test_seeds_and_generators() -> None:
    s = Schedule.brickwall(4)
    for kind in ("small", "haar"):
        a = initial_parameters(s, kind, rng=7).angles
        np.testing.assert_array_equal(a, initial_parameters(s, kind, rng=7).angles)
        generator = np.random.default_rng(7)
        np.testing.assert_array_equal(a, initial_parameters(s, kind, rng=generator).angles)
        # The generator has moved on.
        assert np.any(a != initial_parameters(s, kind, rng=generator).angles)
        assert np.any(initial_parameters(s, kind).angles != initial_parameters(s, kind).angles)


# --- Refusals ------------------------------------------------------------------------------------


def unknown(schedule: object) -> str:
    return (
        "schedule must have the rotations of Schedule.wavefront or Schedule.brickwall(n) for "
        f'"haar", as the angles of uniformly distributed matrices are not known for others, got '
        f"{schedule!r}"
    )


BRICKWALL = Schedule.brickwall(3)
SHORT = Schedule.from_rounds(3, [[(0, 1)], [(1, 2)]])


SIGNS = 'signs must come with "haar" and a real dtype, got'


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        ("schedule must be a givens.Schedule, got int", {"schedule": 3}),
        ("kind must be one of identity, small, haar, got 'uniform'", {"kind": "uniform"}),
        *(
            (
                f"dtype must be float32, float64, complex64 or complex128, got {dtype}",
                {"kind": "small", "dtype": dtype},
            )
            for dtype in ["int64", "float16", ">f8", "object"]
        ),
        (f"{SIGNS} 'small' and float64", {"kind": "small", "signs": True}),
        (f"{SIGNS} 'haar' and complex64", {"signs": True, "dtype": "complex64"}),
        *(
            (unknown(schedule), {"schedule": schedule})
            for schedule in [
                Schedule.xor(3),
                Schedule.circle(4),
                Schedule.butterfly(5),
                Schedule.xor(3, columns=1),
                SHORT,
            ]
        ),
    ],
)
def test_refusals(message: str, changed: dict) -> None:
    wrong_type = message.startswith(("dtype", "schedule must be a givens.Schedule"))
    with pytest.raises(TypeError if wrong_type else ValueError, match=exactly(message)):
        initial_parameters(**{"schedule": BRICKWALL, "kind": "haar", "rng": 0, **changed})
