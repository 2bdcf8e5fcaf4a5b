"""Forward-mode and second-order derivatives: NumPy's dual numbers, differences, adjointness."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
import pytest

import givens
from cases import OPTIONS, SCHEDULES, Case, each, random_vectors
from givens import Schedule
from oracles import (
    DIFFERENTIABLE,
    Options,
    assert_gradients_close,
    gradient_rounding,
    inner,
    norm,
    present,
    rounding,
    summed_to,
)

EPS = float(np.finfo(np.float64).eps)


class Dual(NamedTuple):
    """value + e * tangent, e * e = 0."""

    v: Any
    d: Any

    def __add__(self, other):
        return Dual(self.v + other.v, self.d + other.d)

    def __mul__(self, other):
        return Dual(self.v * other.v, self.d * other.v + self.v * other.d)

    def conj(self):
        return Dual(np.conj(self.v), np.conj(self.d))

    def __neg__(self):
        return Dual(-self.v, -self.d)


@dataclass(frozen=True)
class TangentCase(Case):
    """A case with tangents of x and of the parameters, by their names."""

    dx: np.ndarray
    tangents: Options

    @classmethod
    def of(cls, *args, **keywords) -> Self:
        c = Case.of(*args, **keywords)
        rng = np.random.default_rng(1)
        tangents = {
            name: rng.standard_normal(p.shape).astype(p.dtype)
            for name, p in c.parameters.items()
            if name in DIFFERENTIABLE
        }
        dx = random_vectors(rng, c.x.shape, c.x.dtype)
        return cls(c.schedule, c.parameters, c.x, c.gy, dx, tangents)

    @property
    def directions(self) -> Options:
        return {f"d{name}": p for name, p in self.tangents.items()}

    def jvp(self, **keywords):
        arguments = {"dx": self.dx, **self.directions, **keywords}
        return givens.rotate_jvp(self.x, **self.given, **arguments)

    def rate(self) -> float:
        """Bound the norm of the derivative of U along the tangents.

        The derivatives of a rotation by its angle or phase, and of a row factor by the diagonal,
        have norm 1 at most.
        """
        return sum(float(np.sum(np.abs(p))) for p in self.tangents.values())


def tangent_rounding(c: TangentCase, *sizes: float) -> float:
    """Bound the errors of a tangent whose parts have these norms, and of its expected value.

    A dual rotation is a rotation of (x, dx) with the blocks G, 0, dG, G, whose entries round like
    entries of a rotation. The error of the value in a round also gets into the tangent in the
    rounds after it: at most `rate` times. Both sides round.
    """
    return 2 * 2 * rounding(c.schedule, c.x.dtype) * (sum(sizes) + c.rate() * norm(c.x))


def dual_rotation(c: TangentCase, inverse: bool) -> Dual:
    """Rotate rows, one rotation after the other, in dual numbers."""
    p = {name: value.astype(np.float64) for name, value in c.parameters.items()}
    d = {name: value.astype(np.float64) for name, value in c.tangents.items()}
    wide = np.result_type(c.x, np.float64)
    rows = [Dual(x, dx) for x, dx in zip(c.x.T.astype(wide), c.dx.T.astype(wide), strict=True)]

    def unit(name, k):
        if name not in p:
            return Dual(1.0, 0.0)
        e = np.exp(1j * p[name][k])
        return Dual(e, 1j * d[name][k] * e)

    factors = [
        Dual(p["signs"][k], 0.0) if "signs" in p else unit("diagonal", k)
        for k in range(c.schedule.n)
    ]
    order = list(enumerate(c.schedule.pairs))
    if inverse:
        rows = [f.conj() * row for f, row in zip(factors, rows, strict=True)]
        order.reverse()
    for k, (i, j) in order:
        t, dt = p["angles"][k], d["angles"][k]
        cos = Dual(np.cos(t), -np.sin(t) * dt)
        b = Dual(np.sin(t), np.cos(t) * dt) * unit("phases", k)
        if inverse:
            b = -b
        rows[i], rows[j] = cos * rows[i] + -(b.conj() * rows[j]), b * rows[i] + cos * rows[j]
    if not inverse:
        rows = [f * row for f, row in zip(factors, rows, strict=True)]
    return Dual(*(np.array([row[part] for row in rows]).reshape(c.x.T.shape).T for part in (0, 1)))


# --- Forward mode --------------------------------------------------------------------------------


@each("dtype", [np.float32, np.float64])
@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 5, 13])
@pytest.mark.parametrize("name", ["circle", "xor", "random rounds"])
def test_rotate_jvp_against_numpys_duals(name, n, kind, inverse, dtype) -> None:
    # Vectors one below, at and above what is computed at once (4 of float32), and a remainder.
    for vectors in (1, 3, 4, 11):
        c = TangentCase.of(SCHEDULES[name](n), kind, (vectors, n), dtype=dtype)
        y, dy = c.jvp(inverse=inverse)
        expected = dual_rotation(c, inverse)
        assert y.dtype == dy.dtype == c.x.dtype
        assert norm(y - expected.v) <= 2 * rounding(c.schedule, dtype) * norm(c.x)
        assert norm(dy - expected.d) <= tangent_rounding(c, norm(c.dx))


@each("kind", OPTIONS)
def test_complex_vectors_with_any_parameters(kind: str) -> None:
    c = TangentCase.of(Schedule.circle(6), kind, (5, 6), complex_vectors=True)
    _, dy = c.jvp()
    assert norm(dy - dual_rotation(c, inverse=False).d) <= tangent_rounding(c, norm(c.dx))


@each("inverse", [False, True])
@each("kind", OPTIONS)
def test_rotate_jvp_against_central_differences(kind: str, inverse: bool) -> None:
    c = TangentCase.of(Schedule.circle(7), kind, (3, 7))
    _, dy = c.jvp(inverse=inverse)

    def moved(step: float) -> np.ndarray:
        parameters = dict(c.parameters)
        for name, tangent in c.tangents.items():
            parameters[name] = parameters[name] + step * tangent
        return givens.rotate(c.x + step * c.dx, schedule=c.schedule, inverse=inverse, **parameters)

    # U along the tangents is a product of exponentials whose rates sum up to `rate` (a phase acts
    # from both sides), and x has one of its own: of such a product the third derivative is at most
    # the rates' sum to the third times its size.
    size = norm(c.x)
    third = (2 * c.rate() + norm(c.dx) / size) ** 3 * size
    error = rounding(c.schedule, np.float64) * size
    step = (3 * error / third) ** (1 / 3)
    difference = (moved(step) - moved(-step)) / (2 * step)
    assert norm(dy - difference) <= third * step**2 / 6 + 2 * error / step


@each("dtype", [np.float32, np.float64])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [2, 33])
@pytest.mark.parametrize("name", SCHEDULES)
def test_jvp_is_the_adjoint_of_vjp(name: str, n: int, kind: str, dtype) -> None:
    c = TangentCase.of(SCHEDULES[name](n), kind, (3, n), dtype=dtype)
    for inverse in (False, True):
        y, dy = c.jvp(inverse=inverse)
        gx, *gradients = givens.rotate_vjp(y, c.gy, inverse=inverse, **c.given)
        through = inner(gx, c.dx) + sum(
            inner(g, d) for g, d in zip(present(gradients), c.tangents.values(), strict=True)
        )
        bound = tangent_rounding(c, norm(c.dx)) * norm(c.gy)
        each = gradient_rounding(c.schedule, dtype, 3) * norm(c.x) * norm(c.gy)
        assert abs(inner(c.gy, dy) - through) <= bound + (c.rate() + norm(c.dx)) * each


@each("kind", OPTIONS)
def test_a_missing_tangent_is_zero(kind: str) -> None:
    c = TangentCase.of(Schedule.xor(5), kind, (3, 5))
    y, dy = c.jvp()
    assert np.array_equal(y, c.jvp(dx=None)[0])
    parts = [c.jvp(**dict.fromkeys(c.directions))]
    for name in c.directions:
        others = {other: None for other in c.directions if other != name}
        parts.append(c.jvp(dx=None, **others))
    # Linear: the parts make up the whole.
    assert norm(sum(part[1] for part in parts) - dy) <= len(parts) * tangent_rounding(c, norm(c.dx))
    zeros = {name: np.zeros_like(p) for name, p in c.directions.items()}
    np.testing.assert_array_equal(parts[0][1], c.jvp(**zeros)[1])


@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize(
    ("batches", "shape"),
    [
        (((3,), ()), (3, 4, 5)),
        (((1,), (3,)), (3, 5)),
        (((2, 1), (1, 3)), (1, 3, 4, 2, 5)),
        (((2, 3), (3,)), (2, 3, 5)),
    ],
)
def test_batches_are_their_matrices(batches, shape, kind: str, inverse: bool) -> None:
    c = TangentCase.of(Schedule.circle(5), kind, shape, batches=batches)
    y, dy = c.jvp(inverse=inverse)
    batch = np.broadcast_shapes(*(p.shape[:-1] for p in c.parameters.values()))
    full = np.broadcast_shapes(batch, shape[: len(batch)])
    assert y.shape == dy.shape == full + shape[len(batch) :]

    def one(p, index):
        p = np.broadcast_to(p, (*full, p.shape[-1]))
        return np.ascontiguousarray(p[index])

    gy = random_vectors(np.random.default_rng(1), y.shape, y.dtype)
    gradients, tangents = givens.rotate_vjp_jvp(
        y, dy, gy, None, inverse=inverse, **c.given, **c.directions
    )
    sums = [np.zeros((*full, p.shape[-1])) for p in c.tangents.values()]
    spread = [np.broadcast_to(v, y.shape) for v in (c.x, c.dx)]
    for index in np.ndindex(full):
        parameters = {name: one(p, index) for name, p in c.parameters.items()}
        directions = {name: one(p, index) for name, p in c.directions.items()}
        x, dx = (v[index] for v in spread)
        own = givens.rotate_jvp(
            x, dx, schedule=c.schedule, inverse=inverse, **parameters, **directions
        )
        np.testing.assert_array_equal(y[index], own[0])
        np.testing.assert_array_equal(dy[index], own[1])
        _, own_tangents = givens.rotate_vjp_jvp(
            *own, gy[index], None, schedule=c.schedule, inverse=inverse, **parameters, **directions
        )
        np.testing.assert_array_equal(tangents.x[index], own_tangents.x)
        for total, part in zip(sums, present(own_tangents[1:]), strict=True):
            total[index] = part
    for actual, total, p in zip(present(tangents[1:]), sums, c.tangents.values(), strict=True):
        # The order of the sum alone differs.
        atol = 12 * EPS * np.abs(total).sum()
        np.testing.assert_allclose(actual, summed_to(total, p.shape), rtol=0, atol=atol)
    assert [g.shape for g in present(gradients)] == [t.shape for t in present(tangents)]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes_and_strides(axis: int) -> None:
    shape = [4, 3, 2]
    shape[axis] = 5
    c = TangentCase.of(Schedule.xor(5), "phases and diagonal", tuple(shape))
    turned = (np.moveaxis(v, axis, -1) for v in (c.x, c.dx, c.gy))
    x, dx, gy = (np.ascontiguousarray(v) for v in turned)
    expected = givens.rotate_jvp(x, dx, **c.given, **c.directions)
    backwards = (np.flip(c.x, axis=0), np.flip(c.dx, axis=1))
    x, dx = (np.flip(np.ascontiguousarray(v), axis=d) for d, v in enumerate(backwards))
    actual = givens.rotate_jvp(x, dx, axis=axis, **c.given, **c.directions)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(np.moveaxis(a, axis, -1), b)
    actual = givens.rotate_vjp_jvp(*actual, c.gy, c.x, axis=axis, **c.given, **c.directions)
    dgy = np.ascontiguousarray(np.moveaxis(c.x, axis, -1))
    expected = givens.rotate_vjp_jvp(*expected, gy, dgy, **c.given, **c.directions)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(np.moveaxis(a[0], axis, -1), b[0])
        scale = norm(b[1]) + norm(b[2]) + norm(b[3])
        # Vectors come in another order and are summed in another.
        for p, q in zip(a[1:], b[1:], strict=True):
            np.testing.assert_allclose(p, q, rtol=0, atol=24 * 24 * EPS * scale)


@each("kind", OPTIONS)
@pytest.mark.parametrize("name", ["circle", "xor, columns", "team, columns"])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_matrix_jvp_rotates_the_identity(n: int, name: str, kind: str) -> None:
    schedule = SCHEDULES[name](n)
    c = TangentCase.of(schedule, kind, (n, schedule.columns), batches=((2, 1), (3,)))
    U, dU = givens.matrix_jvp(**c.given, **c.directions)
    batch = U.shape[:-2]
    columns = np.zeros((*batch, n, schedule.columns), U.dtype)
    columns[...] = np.eye(n, schedule.columns)
    y, dy = givens.rotate_jvp(columns, None, axis=-2, **c.given, **c.directions)
    np.testing.assert_array_equal(U, y)
    np.testing.assert_array_equal(dU, dy)
    assert norm(U - givens.matrix(**c.given)) <= 2 * rounding(schedule, float) * norm(U)


# --- Second order --------------------------------------------------------------------------------


def derivative_by_differences(function, c: TangentCase) -> list[np.ndarray]:
    """Differentiate a tuple of arrays along the tangents of the parameters, without truncation.

    U holds the sine and the cosine of each parameter to the first power; of a function that is
    linear in U, (f(t + pi/2) - f(t - pi/2)) / 2 is the derivative exactly.
    """
    total = [np.zeros_like(g) for g in function(c.parameters)]
    for name, tangent in c.tangents.items():
        for index in np.ndindex(tangent.shape):
            both = []
            for step in (np.pi / 2, -np.pi / 2):
                moved = c.parameters[name].copy()
                moved[index] += step
                both.append(function({**c.parameters, name: moved}))
            for sum_, ahead, behind in zip(total, *both, strict=True):
                sum_ += (ahead - behind) / 2 * tangent[index]
    return total


@each("inverse", [False, True])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("name", ["circle", "xor, columns", "butterfly", "random rounds"])
def test_rotate_vjp_jvp_against_differences(name, n, kind, inverse) -> None:
    c = TangentCase.of(SCHEDULES[name](n), kind, (9, n))
    rng = np.random.default_rng(1)
    dgy = random_vectors(rng, c.gy.shape, c.gy.dtype)

    def vjp(parameters, x=c.x, gy=c.gy):
        y = givens.rotate(x, schedule=c.schedule, inverse=inverse, **parameters)
        vjp = givens.rotate_vjp(y, gy, schedule=c.schedule, inverse=inverse, **parameters)
        return present(vjp)

    y, dy = c.jvp(inverse=inverse)
    both = givens.rotate_vjp_jvp(y, dy, c.gy, dgy, inverse=inverse, **c.given, **c.directions)
    values, tangents = map(present, both)
    # Linear in x and in gy: there is nothing to difference.
    expected = [
        sum(parts)
        for parts in zip(
            derivative_by_differences(vjp, c),
            vjp(c.parameters, x=c.dx),
            vjp(c.parameters, gy=dgy),
            strict=True,
        )
    ]
    # gx of the second is no derivative: gx does not depend on x.
    expected[0] = expected[0] - vjp(c.parameters, x=c.dx)[0]
    bound = gradient_rounding(c.schedule, float, 9)
    size = norm(c.x) * norm(c.gy)
    plain = vjp(c.parameters)
    assert norm(values[0] - plain[0]) <= 2 * rounding(c.schedule, float) * norm(c.gy)
    assert_gradients_close(values[1:], plain[1:], 2 * bound * size)
    # The tangent as `tangent_rounding` says; both sides round.
    size = norm(c.dx) * norm(c.gy) + norm(c.x) * norm(dgy) + 2 * c.rate() * size
    assert_gradients_close(tangents[1:], expected[1:], 4 * bound * size)
    error = 4 * rounding(c.schedule, float) * (norm(dgy) + c.rate() * norm(c.gy))
    assert norm(tangents[0] - expected[0]) <= error


@each("dtype", [np.float32, np.float64])
@each("kind", OPTIONS)
@pytest.mark.parametrize("n", [2, 17, 40])
def test_second_derivatives_are_symmetric(n: int, kind: str, dtype) -> None:
    # Along two directions u and v in (x, parameters), <gy, second derivative of rotate>.
    c = TangentCase.of(Schedule.xor(n), kind, (3, n), dtype=dtype)
    rng = np.random.default_rng(2)
    tangents = {name: rng.standard_normal(p.shape).astype(dtype) for name, p in c.tangents.items()}
    other = replace(c, tangents=tangents, dx=random_vectors(rng, c.x.shape, c.x.dtype))

    def along(u: TangentCase, v: TangentCase) -> float:
        y, dy = u.jvp()
        _, out = givens.rotate_vjp_jvp(y, dy, c.gy, None, **c.given, **u.directions)
        dgx, *dgradients = present(out)
        pairs = zip(dgradients, v.tangents.values(), strict=True)
        return inner(dgx, v.dx) + sum(inner(g, d) for g, d in pairs)

    bound = 4 * gradient_rounding(c.schedule, dtype, 3) * norm(c.gy)
    size = sum(
        (norm(u.dx) + 2 * u.rate() * norm(c.x)) * v.rate() + u.rate() * norm(v.dx)
        for u, v in ((c, other), (other, c))
    )
    assert abs(along(c, other) - along(other, c)) <= bound * size


# --- Edges ---------------------------------------------------------------------------------------


@each("kind", OPTIONS)
@pytest.mark.parametrize(
    ("n", "batches", "shape"),
    [
        (4, ((), ()), (0, 4)),
        (4, ((0,), (1,)), (0, 3, 4)),
        (0, ((), ()), (3, 0)),
        (1, ((), ()), (1,)),
    ],
)
def test_empty_and_single(n: int, batches, shape, kind: str) -> None:
    c = TangentCase.of(Schedule.circle(n), kind, shape, batches=batches)
    y, dy = c.jvp()
    assert y.shape == dy.shape == shape
    both = givens.rotate_vjp_jvp(y, dy, c.gy, None, **c.given, **c.directions)
    for part in map(present, both):
        assert [g.shape for g in part] == [shape, *(p.shape for p in c.tangents.values())]
        if 0 in shape:
            assert not any(np.any(g) for g in part)


@each("kind", ["angles alone", "phases and diagonal"])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_any_number_of_threads_gives_the_same_bits(batch, kind: str) -> None:
    c = TangentCase.of(Schedule.circle(64), kind, (*batch, 150, 64), batches=(batch, ()))
    results = []
    for num_threads in (1, 2, 5):
        y, dy = c.jvp(num_threads=num_threads)
        second = givens.rotate_vjp_jvp(
            y, dy, c.gy, c.x, num_threads=num_threads, **c.given, **c.directions
        )
        results.append([y, dy, *present(second[0]), *present(second[1])])
    for more in results[1:]:
        for a, b in zip(results[0], more, strict=True):
            assert a.tobytes() == b.tobytes()


# --- Errors --------------------------------------------------------------------------------------

S = Schedule.circle(4)
ANGLES = np.zeros(6)
X = np.zeros((3, 4))


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"dx": np.zeros((2, 4))}, ValueError, r"dx must have shape \(3, 4\), got shape \(2, 4\)"),
        ({"dx": X.astype(np.float32)}, TypeError, "dx must be float64 as x is, got float32"),
        (
            {"dx": [0.0]},
            TypeError,
            r"dx must be a NumPy array or one with __dlpack__, got list: "
            r"np.asarray\(dx, dtype=...\) makes one",
        ),
        (
            {"dangles": np.zeros(5)},
            ValueError,
            r"dangles must have the shape of angles \(6,\), got shape \(5,\)",
        ),
        (
            {"dangles": ANGLES.astype(np.float32)},
            TypeError,
            "dangles must be float64 as angles are, got float32",
        ),
        ({"dphases": ANGLES}, ValueError, "dphases must not be given without phases"),
        ({"ddiagonal": np.zeros(4)}, ValueError, "ddiagonal must not be given without diagonal"),
        ({"axis": 2}, ValueError, "axis must be between -2 and 1"),
        ({"signs": np.full(4, 2.0)}, ValueError, "signs must be"),
        ({"schedule": None}, TypeError, "schedule must be a givens.Schedule"),
    ],
)
def test_wrong_arguments_of_rotate_jvp(changed, error, message: str) -> None:
    good: dict[str, Any] = {"dx": X, "angles": ANGLES, "dangles": ANGLES, "schedule": S}
    with pytest.raises(error, match=message):
        givens.rotate_jvp(X, **{**good, **changed})


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"dy": np.zeros((2, 4))}, ValueError, r"dy must have shape \(3, 4\)"),
        ({"dgy": np.zeros(4)}, ValueError, r"dgy must have shape \(3, 4\)"),
        ({"gy": np.zeros(4)}, ValueError, r"gy must have shape \(3, 4\)"),
        ({"dgy": X.astype(complex)}, TypeError, "dgy must be float64 as y is, got complex128"),
        ({"dangles": np.zeros((1, 6))}, ValueError, "dangles must have the shape of angles"),
    ],
)
def test_wrong_arguments_of_rotate_vjp_jvp(changed, error, message: str) -> None:
    good: dict[str, Any] = {"dy": X, "gy": X, "dgy": X, "angles": ANGLES, "dangles": ANGLES}
    with pytest.raises(error, match=message):
        givens.rotate_vjp_jvp(X, schedule=S, **{**good, **changed})


def test_wrong_arguments_of_matrix_jvp() -> None:
    with pytest.raises(ValueError, match="dangles must have the shape of angles"):
        givens.matrix_jvp(ANGLES, np.zeros(5), S)
    with pytest.raises(ValueError, match="num_threads must be at least 1"):
        givens.matrix_jvp(ANGLES, None, S, num_threads=0)


def test_arrays_on_a_gpu_are_refused() -> None:
    class OnGpu:
        def __dlpack_device__(self) -> tuple[int, int]:
            return (2, 0)

    a: Any = OnGpu()
    with pytest.raises(
        NotImplementedError, match="rotate_jvp takes arrays in the CPU's memory only"
    ):
        givens.rotate_jvp(a, None, a, None, S)
    with pytest.raises(NotImplementedError, match="matrix_jvp takes"):
        givens.matrix_jvp(a, None, S)
    with pytest.raises(NotImplementedError, match="rotate_vjp_jvp takes"):
        givens.rotate_vjp_jvp(a, None, a, None, a, None, S)
