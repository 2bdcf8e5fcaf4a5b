"""`rotate_vjp` and `matrix_vjp`: finite differences, the conjugation method, exact identities."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import givens
import oracles
from cases import OPTIONS, SCHEDULES, Case, each, random_vectors
from givens import MatrixGradients, RotateGradients, Schedule
from oracles import (
    DIFFERENTIABLE,
    assert_gradients_close,
    assert_vectors_close,
    gradient_rounding,
    inner,
    norm,
    present,
    rounding,
)

EPS = float(np.finfo(np.float64).eps)


class GradientCase(Case):
    """Vectors y, and the gradient of a loss by them."""

    def vjp(self, **keywords) -> RotateGradients[np.ndarray, np.ndarray]:
        return givens.rotate_vjp(self.x, self.gy, **self.given, **keywords)

    def expected(self, **keywords) -> RotateGradients[np.ndarray, np.ndarray]:
        return oracles.rotate_vjp(self.x, self.gy, **self.given, **keywords)

    def matrix_vjp(self) -> MatrixGradients[np.ndarray]:
        return givens.matrix_vjp(self.x, self.gy, **self.given)

    def size(self) -> float:
        """Bound the error of a parameter's gradient."""
        bound = gradient_rounding(self.schedule, self.x.dtype, self.x.size)
        return bound * norm(self.x) * norm(self.gy)


def matrix_case(*args, **keywords) -> GradientCase:
    """Draw a case whose vectors are the columns of the parameters' matrix."""
    c = GradientCase.of(*args, **keywords)
    return replace(c, x=givens.matrix(**c.given))


# --- Finite differences --------------------------------------------------------------------------


def differences_of(
    loss: Callable[..., float], given: dict[str, np.ndarray], step: float
) -> list[np.ndarray | None]:
    """Return central differences by each parameter, with None for an absent one."""
    return [
        differences(lambda p, name=name: loss(**{name: p}), given[name], step)
        if name in given
        else None
        for name in DIFFERENTIABLE
    ]


def differences(loss: Callable[[np.ndarray], float], at: np.ndarray, step: float) -> np.ndarray:
    """Return central differences of a loss by every entry of a real array."""
    gradient = np.empty(at.shape)
    for index in np.ndindex(at.shape):
        ahead, behind = at.copy(), at.copy()
        ahead[index] += step
        behind[index] -= step
        # The steps as they are after rounding.
        gradient[index] = (loss(ahead) - loss(behind)) / (ahead[index] - behind[index])
    return gradient


def step_and_error(schedule: Schedule, entries: int) -> tuple[float, float]:
    """Return the best step, and the error of differences relative to norm(x) * norm(gy).

    The loss is a sine of each parameter, so that its third derivative is at most the product of the
    norms and the differences are off by step**2 / 6 of it. The loss is off by the rounding of
    `rotate` and of a sum of all entries, and two losses are divided by two steps.
    """
    loss_error = rounding(schedule, np.float64) + entries * EPS
    step = (3 * loss_error) ** (1 / 3)
    return step, step**2 / 6 + loss_error / step


def assert_vjp_is_derivative(
    schedule, kind, shape, *, axis=-1, inverse=False, complex_vectors=False, batches=((), ())
) -> None:
    c = Case.of(schedule, kind, shape, batches=batches, complex_vectors=complex_vectors)
    x, given, is_complex = c.x, c.parameters, np.iscomplexobj(c.x)

    def rotate(x=x, **changed):
        return givens.rotate(
            x, schedule=schedule, axis=axis, inverse=inverse, **{**given, **changed}
        )

    y = rotate()
    gy = random_vectors(np.random.default_rng(1), y.shape, x.dtype)
    step, error = step_and_error(schedule, y.size)
    gx, *actual = givens.rotate_vjp(y, gy, schedule=schedule, axis=axis, inverse=inverse, **given)
    expected = differences_of(lambda **changed: inner(gy, rotate(**changed)), given, step)
    # The gradient rounds too.
    size = (error + gradient_rounding(schedule, np.float64, y.size)) * norm(y) * norm(gy)
    assert_gradients_close(actual, expected, size)

    # The loss is linear in x, so that the differences are exact for any step but for rounding.
    parts = [
        differences(lambda v: inner(gy, rotate(v + 1j * x.imag if is_complex else v)), x.real, 1.0)
    ]
    if is_complex:
        parts.append(differences(lambda v: inner(gy, rotate(x.real + 1j * v)), x.imag, 1.0))
    total = oracles.summed_to(gx, x.shape)
    size = 2 * (rounding(schedule, np.float64) + y.size * EPS) * (norm(y) + 1) * norm(gy)
    assert_gradients_close([total.real, total.imag][: len(parts)], parts, size)


@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_rotate_vjp_against_differences(name: str, kind: str, inverse: bool) -> None:
    assert_vjp_is_derivative(SCHEDULES[name](6), kind, (3, 6), inverse=inverse)


@each("inverse", [False, True])
@each("kind", ["angles alone", "signs"])
def test_rotate_vjp_of_complex_vectors_with_real_angles(kind: str, inverse: bool) -> None:
    assert_vjp_is_derivative(
        Schedule.circle(5), kind, (2, 5), inverse=inverse, complex_vectors=True
    )


@each("inverse", [False, True])
@pytest.mark.parametrize("axis", [-1, -2, -3, 0, 1, 2])
def test_rotate_vjp_along_an_axis(axis: int, inverse: bool) -> None:
    shape = [2, 3, 2]
    shape[axis] = 4
    assert_vjp_is_derivative(
        Schedule.xor(4), "phases and diagonal", tuple(shape), axis=axis, inverse=inverse
    )


BATCHES = [
    # angles, other parameters, x
    ((3,), (3,), (3, 2, 4)),
    ((3,), (), (3, 2, 4)),
    ((), (3,), (3, 4)),
    ((1,), (1,), (3, 4)),
    ((3,), (3,), (1, 2, 4)),
    ((2, 1), (1, 3), (1, 3, 4)),
    ((1, 3), (3,), (2, 1, 2, 4)),
]


@each("inverse", [False, True])
@each("kind", ["phases and diagonal", "signs"])
@pytest.mark.parametrize(("angle_batch", "other_batch", "shape"), BATCHES)
def test_rotate_vjp_of_batches(angle_batch, other_batch, shape, kind, inverse) -> None:
    assert_vjp_is_derivative(
        Schedule.xor(4), kind, shape, inverse=inverse, batches=(angle_batch, other_batch)
    )


@pytest.mark.parametrize("batches", [((), ()), ((3,), ()), ((), (3,)), ((2, 1), (3,))])
@each("kind", OPTIONS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_matrix_vjp_against_differences(name: str, kind: str, batches) -> None:
    schedule = SCHEDULES[name](5)
    given = Case.of(schedule, kind, (5,), batches=batches).parameters
    U = givens.matrix(schedule=schedule, **given)
    gU = random_vectors(np.random.default_rng(1), U.shape, U.dtype)
    step, error = step_and_error(schedule, U.size)
    expected = differences_of(
        lambda **changed: inner(gU, givens.matrix(schedule=schedule, **{**given, **changed})),
        given,
        step,
    )
    actual = givens.matrix_vjp(U, gU, schedule=schedule, **given)
    # The gradient rounds too.
    size = (error + gradient_rounding(schedule, np.float64, U.size)) * norm(U) * norm(gU)
    assert_gradients_close(actual, expected, size)


# --- The conjugation method ----------------------------------------------------------------------

SIZES = [1, 2, 3, 5, 8, 16, 17, 33]
EXTREMES = ["angles alone", "phases and diagonal"]


@each("dtype", [np.float32, np.float64])
@each("inverse", [False, True])
@pytest.mark.parametrize(
    ("n", "kind"),
    [(n, kind) for n in SIZES for kind in OPTIONS if n <= 8 or kind in EXTREMES],
)
@pytest.mark.parametrize("name", SCHEDULES)
def test_rotate_vjp_against_conjugation(name: str, n: int, kind: str, inverse: bool, dtype) -> None:
    c = GradientCase.of(SCHEDULES[name](n), kind, (5, n), dtype=dtype)
    gx, *actual = c.vjp(inverse=inverse)
    expected_gx, *expected = c.expected(inverse=inverse)
    assert gx.dtype == c.x.dtype
    assert all(g.dtype == dtype for g in present(actual))
    if dtype == np.float64:
        assert c.size() <= 1e-12 * norm(c.x) * norm(c.gy)
    assert_gradients_close(actual, expected, c.size())
    size = 2 * rounding(c.schedule, dtype) * np.linalg.norm(c.gy, axis=-1)  # both sides round
    assert_vectors_close(gx, expected_gx, size)


@each("kind", EXTREMES)
@pytest.mark.parametrize("n", [63, 64, 65, 128])
@pytest.mark.parametrize("name", ["circle", "xor", "team 8"])
def test_large_matrices_against_conjugation(name: str, n: int, kind: str) -> None:
    c = matrix_case(SCHEDULES[name](n), kind, (n, n))
    actual = c.matrix_vjp()
    expected = c.expected(axis=-2)[1:]
    assert_gradients_close(actual, expected, c.size())


@each("dtype", [np.float32, np.float64])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    "name", ["circle", "xor", "team, columns", "xor, columns", "random rounds"]
)
def test_matrix_vjp_against_conjugation(name: str, n: int, kind: str, dtype) -> None:
    schedule = SCHEDULES[name](n)
    batches = ((2, 1), (3,)) if OPTIONS[kind] else ((2, 3), ())
    batch = (2, 3)
    if n > 8:
        batches, batch = ((), ()), ()
    c = matrix_case(schedule, kind, (*batch, n, schedule.columns), dtype=dtype, batches=batches)
    actual = c.matrix_vjp()
    assert isinstance(actual, MatrixGradients)
    assert all(g.dtype == dtype for g in present(actual))
    assert_gradients_close(actual, c.expected(axis=-2)[1:], c.size())


@each("dtype", [np.float32, np.float64])
@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize(
    ("angle_batch", "other_batch", "shape"),
    [
        ((3,), (3,), (3, 4, 5)),
        ((3,), (1,), (3, 4, 5)),
        ((1,), (), (3, 4, 5)),
        ((2, 3), (3,), (2, 3, 5)),
        ((2, 1), (1, 1), (2, 3, 4, 2, 5)),
        ((1, 3), (3,), (2, 3, 4, 5)),
    ],
)
def test_shared_parameters(angle_batch, other_batch, shape, kind, inverse, dtype) -> None:
    batches = angle_batch, other_batch
    c = GradientCase.of(Schedule.circle(5), kind, shape, dtype=dtype, batches=batches)
    gx, *actual = c.vjp(inverse=inverse)
    expected_gx, *expected = c.expected(inverse=inverse)
    assert_gradients_close(actual, expected, c.size())
    size = 2 * rounding(c.schedule, dtype) * np.linalg.norm(c.gy, axis=-1)  # both sides round
    assert_vectors_close(gx, expected_gx, size)


# --- Identities ----------------------------------------------------------------------------------


@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 5, 16, 65, 128])
@pytest.mark.parametrize("name", SCHEDULES)
def test_gradient_of_the_vectors_is_the_adjoint(name, n, kind, inverse) -> None:
    c = GradientCase.of(SCHEDULES[name](n), kind, (4, n))
    gx = c.vjp(inverse=inverse)[0]
    U = givens.rotate(np.eye(n, dtype=c.x.dtype), **c.given).T
    bound = 2 * rounding(c.schedule, np.float64)  # both sides round
    expected = c.gy @ (U.T if inverse else U.conj())
    assert_vectors_close(gx, expected, bound * np.linalg.norm(c.gy, axis=-1))
    # <rotate(x), gy> = <x, gx>
    x = c.x
    y = givens.rotate(x, inverse=inverse, **c.given)
    size = (bound + 2 * x.size * EPS) * norm(x) * norm(c.gy)  # the sums round as well
    assert abs(inner(y, c.gy) - inner(x, gx)) <= size


@each("kind", OPTIONS)
def test_output_as_its_own_gradient(kind: str) -> None:
    # L = norm(y)**2 / 2 does not depend on a unitary matrix, and its gradient is y.
    c = GradientCase.of(Schedule.xor(9), kind, (4, 9))
    gx, *gradients = givens.rotate_vjp(c.x, c.x, **c.given)
    x = givens.rotate(c.x, inverse=True, **c.given)
    size = 2 * rounding(c.schedule, np.float64) * np.linalg.norm(x, axis=-1)  # both sides round
    assert_vectors_close(gx, x, size)
    bound = gradient_rounding(c.schedule, np.float64, 4) * norm(c.x) ** 2
    gradients = present(gradients)
    assert_gradients_close(gradients, [np.zeros(g.shape) for g in gradients], bound)


@each("kind", OPTIONS)
def test_matrix_and_rotate_agree(kind: str) -> None:
    schedule = Schedule.circle(7, columns=4)
    c = matrix_case(schedule, kind, (7, 4))
    actual = c.matrix_vjp()
    expected = c.vjp(axis=0)[1:]
    # Both sides round.
    assert_gradients_close(actual, expected, 2 * c.size())


@each("kind", OPTIONS)
def test_gradient_of_a_sum(kind: str) -> None:
    # Array libraries give the gradient of U.sum() as a read-only view of a single number.
    c = GradientCase.of(Schedule.xor(6), kind, (3, 6))
    one = np.broadcast_to(c.x.dtype.type(1), c.x.shape)
    assert one.strides == (0, 0)
    actual = givens.rotate_vjp(c.x, one, **c.given)
    expected = givens.rotate_vjp(c.x, np.ones_like(c.x), **c.given)
    assert_gradients_close(actual, expected, 0)

    U = givens.matrix(**c.given)
    one = np.broadcast_to(U.dtype.type(1), U.shape)
    actual = givens.matrix_vjp(U, one, **c.given)
    expected = givens.matrix_vjp(U, np.ones_like(U), **c.given)
    assert_gradients_close(actual, expected, 0)


# --- Edges ---------------------------------------------------------------------------------------


@each("dtype", [np.float32, np.float64])
@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize(
    ("n", "batches", "shape"),
    [
        (4, ((), ()), (0, 4)),
        (4, ((), ()), (3, 0, 4)),
        (4, ((3,), (3,)), (3, 0, 4)),
        (4, ((1,), (1,)), (0, 2, 4)),
        (4, ((0,), (0,)), (0, 2, 4)),
        (0, ((), ()), (3, 0)),
        (0, ((3,), (1,)), (3, 0)),
        (1, ((), ()), (0, 1)),
    ],
)
def test_no_vectors_give_zeros(n, batches, shape, kind, inverse, dtype) -> None:
    c = GradientCase.of(Schedule.circle(n), kind, shape, dtype=dtype, batches=batches)
    gx, *gradients = c.vjp(inverse=inverse)
    assert gx.shape == shape
    assert gx.dtype == c.x.dtype
    for name, g in zip(DIFFERENTIABLE, gradients, strict=True):
        if name not in c.parameters:
            assert g is None
            continue
        assert g.shape == c.parameters[name].shape
        np.testing.assert_array_equal(g, np.zeros(g.shape, dtype), strict=True)


@each("kind", OPTIONS)
@pytest.mark.parametrize(("n", "columns", "batch"), [(0, 0, ()), (4, 0, ()), (4, 2, (0,))])
def test_empty_matrices_give_zeros(n: int, columns: int, batch, kind: str) -> None:
    schedule = Schedule.xor(n, columns=columns)
    c = matrix_case(schedule, kind, (*batch, n, columns), batches=(batch, ()))
    gradients = c.matrix_vjp()
    assert gradients.angles.shape == c.parameters["angles"].shape
    for g in present(gradients):
        np.testing.assert_array_equal(g, np.zeros(g.shape))


def test_one_coordinate_has_a_diagonal_only() -> None:
    # y = exp(id) x, so that dL/dd = Im(gy conj(y)).
    y, gy = np.array([[2 + 1j], [1j]]), np.array([[1 - 3j], [2 + 0j]])
    gradients = givens.rotate_vjp(
        y, gy, np.zeros(0), Schedule.xor(1), diagonal=np.array([np.pi / 2])
    )
    assert gradients.angles.shape == (0,)
    assert gradients.phases is None
    np.testing.assert_allclose(gradients.diagonal, [-9], rtol=4 * EPS)
    np.testing.assert_allclose(gradients.x, -1j * gy, rtol=4 * EPS, atol=8 * EPS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@each("inverse", [False, True])
@each("kind", OPTIONS)
def test_matrix_that_is_not_finite_leaves_the_others(kind, inverse, value) -> None:
    c = GradientCase.of(Schedule.xor(9), kind, (3, 20, 9), batches=((3,), (3,)))
    spoilt = c.gy.copy()
    spoilt[1, 7, 4] = value
    clean = c.vjp(inverse=inverse)
    dirty = replace(c, gy=spoilt).vjp(inverse=inverse)
    for a, b in zip(present(clean), present(dirty), strict=True):
        assert a[[0, 2]].tobytes() == b[[0, 2]].tobytes()
        assert not np.isfinite(b[1]).all()
    # In the spoilt matrix the gradients of the other vectors stay.
    others = np.arange(20) != 7
    assert clean[0][1, others].tobytes() == dirty[0][1, others].tobytes()
