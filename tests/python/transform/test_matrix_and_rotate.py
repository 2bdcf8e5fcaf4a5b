"""`matrix` and `rotate` against dense matrix products."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import givens
from cases import (
    EACH_DTYPE,
    LARGE_SIZES,
    OPTIONS,
    REAL_OPTIONS,
    SCHEDULES,
    SMALL_SIZES,
    Case,
    complex_of,
    each,
    makes_complex,
    random_vectors,
)
from givens import Schedule
from oracles import assert_vectors_close, product, products, rotated, rotation, rounding


@dataclass(frozen=True)
class DenseCase:
    schedule: Schedule
    given: dict[str, Any]  # the arguments that both functions have
    U: np.ndarray  # the dense product, all n columns

    def forward(self, x, **keywords) -> np.ndarray:
        return givens.rotate(x, **self.given, **keywords)

    def vectors(self, *shape: int) -> np.ndarray:
        return random_vectors(np.random.default_rng(len(shape)), shape, self.U.dtype)

    @property
    def rounding(self) -> float:
        return rounding(self.schedule, np.float64)


@cache
def case(name: str, n: int, kind: str) -> DenseCase:
    c = Case.of(SCHEDULES[name](n), kind, (n,))
    U = product(**c.given)
    U.setflags(write=False)
    return DenseCase(c.schedule, c.given, U)


def eye_error(U: np.ndarray) -> float:
    return float(np.abs(U.conj().T @ U - np.eye(U.shape[1])).max(initial=0))


# Everything at small sizes, the extremes at large ones.
SIZES = [
    (n, kind)
    for n in SMALL_SIZES + LARGE_SIZES
    for kind in OPTIONS
    if n in SMALL_SIZES or kind in ("angles alone", "phases and diagonal")
]


def each_case(test: Callable) -> Callable:
    return pytest.mark.parametrize("name", SCHEDULES)(each(("n", "kind"), SIZES)(test))


SOME_CASES = pytest.mark.parametrize(
    ("name", "n", "kind"),
    [
        (name, n, kind)
        for name in ("circle", "xor", "team 8")
        for n, kind in SIZES
        if n in (1, 5, 16)
    ],
)


# --- The matrix ----------------------------------------------------------------------------------


@each("kind", OPTIONS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_matrix_is_the_product_of_its_rotations(name: str, kind: str) -> None:
    c = Case.of(SCHEDULES[name](9), kind, (9,))
    p = c.parameters
    phases = p.get("phases", [None] * c.schedule.num_rotations)
    U = np.eye(9)
    for (i, j), angle, phase in zip(c.schedule.pairs, p["angles"], phases, strict=True):
        U = rotation(9, i, j, angle, phase) @ U
    if "diagonal" in p:
        U = np.diag(np.exp(1j * p["diagonal"])) @ U
    if "signs" in p:
        U = np.diag(p["signs"]) @ U
    # Columns have length 1. The oracle rounds as the library does, hence twice.
    size = 2 * rounding(c.schedule, np.float64)
    assert_vectors_close(givens.matrix(**c.given), U[:, : c.schedule.columns], size, axis=0)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 8, 11, 12])
@pytest.mark.parametrize("missing", [0, 1, 3])
def test_circle_multiplies_steps_in_the_order_of_the_paper(n: int, missing: int) -> None:
    # U = G_step0 G_step1 .. G_step(N-2), so that step 0 is applied last.
    columns = max(n - missing, 0)
    schedule = Schedule.circle(n, columns=columns)
    rng = np.random.default_rng(n)
    angle_of = {
        (i, j): rng.uniform(-3, 3) for i in range(n) for j in range(i + 1, n) if i < columns
    }
    N = n + n % 2
    U = np.eye(n)
    for s in range(N - 1):
        for b in range(N // 2):
            i = 0 if b == 0 else 1 + (b + s - 1) % (N - 1)
            j = 1 + (N - 1 - b + s - 1) % (N - 1)
            pair = (min(i, j), max(i, j))
            if pair in angle_of:
                U = U @ rotation(n, *pair, angle_of[pair])
    angles = np.array([angle_of[tuple(pair)] for pair in schedule.pairs.tolist()])
    size = 2 * rounding(schedule, np.float64)  # both sides round
    assert_vectors_close(givens.matrix(angles, schedule), U[:, :columns], size, axis=0)


@each_case
def test_matrix_against_dense_product(name: str, n: int, kind: str) -> None:
    c = case(name, n, kind)
    actual = givens.matrix(**c.given)
    assert actual.dtype == c.U.dtype
    # Columns have length 1; both sides round.
    assert_vectors_close(actual, c.U[:, : c.schedule.columns], 2 * c.rounding, axis=0)


@each_case
def test_matrix_is_unitary(name: str, n: int, kind: str) -> None:
    c = case(name, n, kind)
    U = givens.matrix(**c.given)
    assert eye_error(U) <= 1e-13 * n


@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 17, 64])
@pytest.mark.parametrize("name", ["circle", "xor", "team 8", "brickwall", "butterfly"])
def test_determinant(name: str, n: int, kind: str) -> None:
    c = case(name, n, kind)
    det = np.linalg.det(givens.matrix(**c.given))
    # Rotations have determinant 1, with phases too.
    expected = np.prod(c.given.get("signs", [1.0])) * np.exp(
        1j * np.sum(c.given.get("diagonal", 0.0))
    )
    # The determinant of a unitary matrix changes by at most the sum of the errors of its columns;
    # the LU factorisation adds up to n eps for each of them, and the sum of the diagonal rounds.
    assert abs(det - expected) <= n * (c.rounding + 10 * n * np.finfo(float).eps)


def test_signs_with_an_odd_number_of_minus_ones_reflect() -> None:
    schedule = Schedule.xor(4)
    angles = np.random.default_rng(0).uniform(-3, 3, 6)
    signs = np.array([1.0, -1.0, 1.0, 1.0])
    U = givens.matrix(angles, schedule, signs=signs)
    assert np.linalg.slogdet(U).sign == -1
    np.testing.assert_array_equal(U, signs[:, None] * givens.matrix(angles, schedule))


@each("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 16, 33, 64])
@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_angles_give_the_identity(name: str, n: int, dtype) -> None:
    schedule = SCHEDULES[name](n)
    angles = np.zeros(schedule.num_rotations, dtype)
    expected = np.eye(n, schedule.columns, dtype=dtype)
    np.testing.assert_array_equal(givens.matrix(angles, schedule), expected)
    U = givens.matrix(angles, schedule, phases=angles, diagonal=np.zeros(n, dtype))
    assert U.dtype == complex_of(dtype)
    np.testing.assert_array_equal(U, expected)
    x = np.random.default_rng(0).standard_normal((3, n)).astype(dtype)
    np.testing.assert_array_equal(givens.rotate(x, angles, schedule), x)
    np.testing.assert_array_equal(givens.rotate(x, angles, schedule, inverse=True), x)


def test_quarter_turn_has_the_documented_signs() -> None:
    s = Schedule.xor(2)
    quarter = np.array([np.pi / 2])
    np.testing.assert_allclose(givens.matrix(quarter, s), [[0, -1], [1, 0]], atol=1e-16)
    U = givens.matrix(quarter, s, phases=quarter)  # exp(ip) = i
    np.testing.assert_allclose(U, [[0, 1j], [1j, 0]], atol=2e-16)
    U = givens.matrix(quarter, s, diagonal=np.array([0.0, np.pi / 2]))
    np.testing.assert_allclose(U, [[0, -1], [1j, 0]], atol=2e-16)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (np.float32, [1e-40, 1e-20, 1e4, 3e5, 1e7, 1e15, 3e38]),
        (np.float64, [5e-324, 1e-200, 1e5, 1e9, 1e16, 1e22, 1.7e308]),
    ],
)
def test_tiny_and_huge_angles(dtype, values) -> None:
    schedule = Schedule.xor(2)
    angles = np.array(values + [-v for v in values], dtype)[:, None]
    t = angles[:, 0].astype(np.float64)
    expected = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    actual = givens.matrix(angles, schedule)
    size = rounding(schedule, dtype) + rounding(schedule, np.float64)  # NumPy's sine rounds too
    assert_vectors_close(actual, np.moveaxis(expected, -1, 0), size, axis=-2)
    unitary = givens.matrix(angles, schedule, phases=angles, diagonal=angles * np.ones(2, dtype))
    expected = products(schedule, angles, phases=angles, diagonal=angles * np.ones(2, dtype))
    assert_vectors_close(unitary, expected, size, axis=-2)


# --- Vectors -------------------------------------------------------------------------------------


@each_case
def test_rotate_against_dense_product(name: str, n: int, kind: str) -> None:
    c = case(name, n, kind)
    x = c.vectors(3, n)
    y = c.forward(x)
    assert y.dtype == x.dtype
    size = 2 * c.rounding * np.linalg.norm(x, axis=-1)  # both sides round
    assert_vectors_close(y, x @ c.U.T, size)
    back = c.forward(x, inverse=True)
    assert_vectors_close(back, x @ c.U.conj(), size)
    # The inverse of what was rotated: two rotations.
    assert_vectors_close(c.forward(y, inverse=True), x, size)


@SOME_CASES
def test_one_vector_rows_and_columns(name: str, n: int, kind: str) -> None:
    c = case(name, n, kind)
    size = 2 * c.rounding  # both sides round
    v = c.vectors(n)
    assert_vectors_close(c.forward(v), c.U @ v, size * np.linalg.norm(v))
    rows = c.vectors(4, n)
    norms = np.linalg.norm(rows, axis=-1)
    assert_vectors_close(c.forward(rows), rows @ c.U.T, size * norms)
    columns = np.ascontiguousarray(rows.T)
    assert_vectors_close(c.forward(columns, axis=-2), c.U @ columns, size * norms, axis=0)
    assert_vectors_close(c.forward(columns, axis=0), c.U @ columns, size * norms, axis=0)


@each("inverse", [False, True])
@pytest.mark.parametrize("axis", range(-4, 4))
def test_any_axis(axis: int, inverse: bool) -> None:
    c = case("xor", 5, "phases and diagonal")
    shape = [2, 3, 4, 6]
    shape[axis] = 5
    x = c.vectors(*shape)
    expected = np.moveaxis(np.moveaxis(x, axis, -1) @ (c.U.conj() if inverse else c.U.T), -1, axis)
    norms = np.linalg.norm(x, axis=axis)
    actual = c.forward(x, axis=axis, inverse=inverse)
    assert_vectors_close(actual, expected, 2 * c.rounding * norms, axis=axis)  # both sides round


@pytest.mark.parametrize("n", [0, 1, 2, 7, 64])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rotate_ignores_columns(name: str, n: int) -> None:
    c = case(name, n, "angles alone")
    y = c.forward(np.eye(n))
    assert y.shape == (n, n)
    assert_vectors_close(y, c.U.T, 2 * c.rounding)  # both sides round


@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 5, 8, 31, 64])
@pytest.mark.parametrize("name", SCHEDULES)
def test_single_precision_against_double(name: str, n: int, kind: str) -> None:
    c = Case.of(SCHEDULES[name](n), kind, (4, n), dtype=np.float32)
    U64 = givens.matrix(
        schedule=c.schedule, **{k: p.astype(np.float64) for k, p in c.parameters.items()}
    )
    U32 = givens.matrix(**c.given)
    assert U32.dtype == (np.complex64 if makes_complex(c.parameters) else np.float32)
    # Columns have length 1; double precision rounds far less than single.
    bound = rounding(c.schedule, np.float32) + rounding(c.schedule, np.float64)
    assert_vectors_close(U32, U64, bound, axis=0)
    for inverse in (False, True):
        y = givens.rotate(c.x, inverse=inverse, **c.given)
        assert y.dtype == c.x.dtype == U32.dtype
        expected = rotated(c.x, inverse=inverse, **c.given)
        assert_vectors_close(y, expected, bound * np.linalg.norm(c.x, axis=-1))


@each("values", ["finite", "infinite"])
@each("inverse", [False, True])
@each("kind", REAL_OPTIONS)
@each("dtype", [np.float32, np.float64])
def test_real_angles_turn_real_and_imaginary_parts_apart(dtype, kind, inverse, values) -> None:
    c = Case.of(Schedule.circle(6), kind, (5, 6), dtype=dtype, complex_vectors=True)
    x = c.x
    if values == "infinite":
        x.real[2, 3] = np.inf
        x.imag[4, 1] = -np.inf
    y = givens.rotate(x, inverse=inverse, **c.given)
    for part in ("real", "imag"):
        of_part = np.ascontiguousarray(getattr(x, part))
        expected = givens.rotate(of_part, inverse=inverse, **c.given)
        actual = getattr(y, part)
        np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(expected))
        finite = np.isfinite(expected).all(axis=-1)
        # Both sides are computed in the same precision.
        size = 2 * rounding(c.schedule, dtype) * np.linalg.norm(of_part[finite], axis=-1)
        assert_vectors_close(actual[finite], expected[finite], size)


# --- Batches -------------------------------------------------------------------------------------

BATCHES = [
    # angles, other parameters, x without its coordinates
    ((3,), (3,), (3,)),
    ((3,), (3,), (3, 4)),
    ((3,), (), (3, 4)),
    ((), (3,), (3, 4)),
    ((2, 3), (3,), (2, 3, 4)),
    ((3,), (2, 1), (2, 3)),
    ((2, 1), (1, 3), (2, 3, 1)),
    ((1,), (1,), (3, 2)),
    ((3,), (3,), (1, 2)),
    ((1, 3), (3,), (2, 1, 2)),
    ((2, 1, 3), (3,), (1, 4, 3, 2, 2)),
    ((), (), (2, 0)),
    ((0,), (), (0, 2)),
    ((0,), (1,), (1, 2)),
    ((3, 0), (), (3, 1, 2)),
    ((3,), (), (3, 0)),
]


@each("inverse", [False, True])
@pytest.mark.parametrize(
    ("angle_batch", "other_batch", "x_batch", "kind"),
    [
        (*batches, kind)
        for batches in BATCHES
        for kind in OPTIONS
        # Without other parameters, the batch is the angles' batch.
        if OPTIONS[kind] or len(batches[0]) >= len(batches[1])
    ],
)
def test_batches(angle_batch, other_batch, x_batch, kind, inverse) -> None:
    c = Case.of(Schedule.xor(5), kind, (*x_batch, 5), batches=(angle_batch, other_batch))
    size = 2 * rounding(c.schedule, np.float64)  # both sides round
    assert_vectors_close(givens.matrix(**c.given), products(**c.given), size, axis=-2)
    y = givens.rotate(c.x, inverse=inverse, **c.given)
    expected = rotated(c.x, inverse=inverse, **c.given)
    assert_vectors_close(y, expected, size * np.linalg.norm(c.x, axis=-1))


def test_result_shapes_of_a_batch() -> None:
    schedule = Schedule.circle(4, columns=3)
    angles = np.zeros((2, 1, 6))
    assert givens.matrix(angles, schedule).shape == (2, 1, 4, 3)
    assert givens.matrix(angles, schedule, phases=np.zeros((3, 6))).shape == (2, 3, 4, 3)
    assert givens.matrix(angles, schedule, signs=np.ones((5, 1, 1, 4))).shape == (5, 2, 1, 4, 3)
    assert givens.rotate(np.zeros((1, 3, 7, 4)), angles, schedule).shape == (2, 3, 7, 4)
    assert givens.rotate(np.zeros((1, 3, 4, 7)), angles, schedule, axis=-2).shape == (2, 3, 4, 7)


def test_batch_axes_come_before_the_axis() -> None:
    c = case("circle", 5, "angles alone")
    angles = np.array([[1.0], [-1.0], [0.0]]) * c.given["angles"]
    x = c.vectors(3, 5, 2, 4)
    actual = givens.rotate(x, angles, c.schedule, axis=1)
    for b in range(3):
        expected = rotated(x[b], angles[b], c.schedule, axis=0)
        norms = np.linalg.norm(x[b], axis=0)
        assert_vectors_close(actual[b], expected, 2 * c.rounding * norms, axis=0)  # both round


@each("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("name", SCHEDULES)
def test_nothing_to_rotate(name: str, n: int, dtype) -> None:
    schedule = SCHEDULES[name](n)
    real = np.empty(0, dtype).real.dtype
    angles = np.zeros(schedule.num_rotations, real)
    assert givens.matrix(angles, schedule).shape == (n, schedule.columns)
    for shape in [(n,), (3, n), (0, n)]:
        x = np.full(shape, 2, dtype)
        for inverse in (False, True):
            np.testing.assert_array_equal(givens.rotate(x, angles, schedule, inverse=inverse), x)
    if n == 1 and np.issubdtype(dtype, np.complexfloating):
        y = givens.rotate(x, angles, schedule, diagonal=np.array([np.pi], real))
        np.testing.assert_allclose(y, -x, rtol=2 * np.finfo(dtype).eps)  # one complex product


# --- NaN and infinity ----------------------------------------------------------------------------

VALUES = pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])


def assert_same_bits(a: np.ndarray, b: np.ndarray) -> None:
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()


@VALUES
@each("dtype", [np.float32, np.float64])
@each("kind", OPTIONS)
@pytest.mark.parametrize(("n", "vectors"), [(5, 3), (16, 37), (64, 70)])
def test_one_vector_that_is_not_finite_leaves_the_others(n, vectors, kind, dtype, value) -> None:
    c = Case.of(Schedule.xor(n), kind, (vectors, n), dtype=dtype)
    bad = vectors // 2
    spoilt = c.x.copy()
    spoilt[bad, n // 3] = value
    for axis, inverse in [(-1, False), (-1, True), (0, False), (0, True)]:

        def run(v, axis=axis, inverse=inverse):
            if axis == 0:
                v = np.ascontiguousarray(v.T)
            y = givens.rotate(v, axis=axis, inverse=inverse, **c.given)
            return np.ascontiguousarray(np.moveaxis(y, axis, -1))

        clean, dirty = run(c.x), run(spoilt)
        others = np.arange(vectors) != bad
        assert_same_bits(clean[others], dirty[others])
        # Every coordinate depends on every other.
        assert not np.isfinite(dirty[bad]).any()


@VALUES
@each("inverse", [False, True])
def test_coordinates_that_do_not_depend_on_it_stay(value: float, inverse: bool) -> None:
    schedule = Schedule.from_rounds(5, [[(0, 1), (2, 3)], [(1, 4)], [(2, 3)]])
    angles = np.linspace(0.3, 2.0, 4)
    x = np.arange(1.0, 6.0)
    spoilt = x.copy()
    spoilt[0] = value
    clean, dirty = (givens.rotate(v, angles, schedule, inverse=inverse) for v in (x, spoilt))
    assert not np.isfinite(dirty[[0, 1]]).any()
    # An engine may take a vector that is not finite through other formulas: both round.
    size = 2 * rounding(schedule, x.dtype) * np.linalg.norm(x)
    np.testing.assert_allclose(dirty[[2, 3]], clean[[2, 3]], rtol=0, atol=size)
    # Rotations act in the opposite order in the inverse.
    assert np.isfinite(dirty[4]) == inverse


@VALUES
@each("kind", ["angles alone", "phases and diagonal"])
def test_angle_that_is_not_finite_leaves_the_other_matrices(kind: str, value: float) -> None:
    c = Case.of(Schedule.circle(8), kind, (3, 5, 8), batches=((3,), (3,)))
    spoilt = {**c.given, "angles": c.parameters["angles"].copy()}
    spoilt["angles"][1, 11] = value
    for function in (givens.matrix, functools.partial(givens.rotate, c.x)):
        clean, dirty = function(**c.given), function(**spoilt)
        assert_same_bits(clean[[0, 2]], dirty[[0, 2]])
        assert np.isnan(dirty[1]).any()


@VALUES
def test_angle_that_is_not_finite_leaves_rows_outside_its_plane(value: float) -> None:
    schedule = Schedule.from_rounds(4, [[(0, 1), (2, 3)]])
    U = givens.matrix(np.array([value, 0.5]), schedule)
    assert np.isnan(U[:2, :2]).all()
    clean = givens.matrix(np.array([0.1, 0.5]), schedule)
    assert_same_bits(U[2:], clean[2:])


@VALUES
def test_row_factor_that_is_not_finite_leaves_the_other_rows(value: float) -> None:
    c = case("xor", 5, "phases and diagonal")
    spoilt = {**c.given, "diagonal": c.given["diagonal"].copy()}
    spoilt["diagonal"][2] = value
    clean, dirty = givens.matrix(**c.given), givens.matrix(**spoilt)
    others = np.arange(5) != 2
    assert_same_bits(clean[others], dirty[others])
    assert np.isnan(dirty[2]).all()


@VALUES
@pytest.mark.parametrize("n", [33, 128])
def test_all_that_is_not_finite_is_no_obstacle(n: int, value: float) -> None:
    schedule = Schedule.xor(n)
    angles = np.full(schedule.num_rotations, value)
    assert np.isnan(givens.matrix(angles, schedule)).any()
    y = givens.rotate(np.full((2, n), value), angles, schedule)
    assert np.isnan(y).all()


@EACH_DTYPE
def test_results_in_the_callers_arrays(dtype: str) -> None:
    rng = np.random.default_rng(3)
    s = Schedule.circle(6, columns=4)
    real = np.finfo(dtype).dtype
    angles = rng.uniform(-3, 3, (2, s.num_rotations)).astype(real)
    options = {}
    if dtype.startswith("complex"):
        options["phases"] = rng.uniform(-3, 3, angles.shape).astype(real)
    expected = givens.matrix(angles, s, **options)
    wide = np.zeros((2, 4, 2, 6), dtype)
    out = wide[:, ::-1, 1].swapaxes(1, 2)  # (2, 6, 4) in any strides
    assert givens.matrix(angles, s, out=out, **options) is out
    np.testing.assert_array_equal(out, expected)
    assert not wide[:, :, 0].any()

    y, gy = (random_vectors(rng, (2, 5, 6), dtype) for _ in range(2))
    found = givens.rotate_vjp(y, gy, angles, s, **options)
    wide = np.zeros((2, 5, 6, 2), dtype)
    out = wide[..., 1]
    again = givens.rotate_vjp(y, gy, angles, s, out=out, **options)
    assert again.x is out
    np.testing.assert_array_equal(out, found.x)
    np.testing.assert_array_equal(again.angles, found.angles)
    with pytest.raises(ValueError, match="gx must not overlap y"):
        givens.rotate_vjp(y, gy, angles, s, out=y, **options)
