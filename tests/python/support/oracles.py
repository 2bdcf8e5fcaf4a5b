"""The definitions written out densely: what the library is compared with.

A rotation in the plane (i, j), i < j, has the matrix G with G[i, i] = G[j, j] = cos t,
G[i, j] = -exp(-ip) sin t and G[j, i] = exp(ip) sin t; U = D G[K-1] ... G[1] G[0], with
D = diag(exp(i d)) or diag(signs).
"""

import numpy as np

import givens
from givens import RotateGradients

# What changes U besides the angles, by the name of the argument.
Options = dict[str, np.ndarray]

# The parameters that have gradients, in the library's order.
DIFFERENTIABLE = ("angles", "phases", "diagonal")


def rotation(n, i, j, angle, phase=None) -> np.ndarray:
    """Return one rotation as an n x n matrix."""
    e = 1.0 if phase is None else np.exp(1j * phase)
    G = np.eye(n, dtype=np.result_type(e, np.float64))
    G[i, i] = G[j, j] = np.cos(angle)
    G[i, j] = -np.conj(e) * np.sin(angle)
    G[j, i] = e * np.sin(angle)
    return G


def rounds_of(schedule: givens.Schedule) -> list[np.ndarray]:
    """Split the pairs of a schedule into its rounds."""
    return np.split(schedule.pairs, schedule.round_offsets[1:-1]) if schedule.num_rounds else []


def row_factors(n: int, diagonal=None, signs=None) -> np.ndarray:
    """Return the diagonal of D."""
    if diagonal is not None:
        return np.exp(1j * diagonal.astype(np.float64))
    return np.ones(n) if signs is None else signs.astype(np.float64)


def dense_rounds(schedule, angles, phases=None):
    """Yield each round as (rotations, pairs, angles, exp(ip), dense matrix), in double precision.

    The pairs of a round are disjoint, so that the product of its rotations holds the entries of
    each, and the order of its rotations does not matter.
    """
    t = angles.astype(np.float64)
    e = np.ones(len(t)) if phases is None else np.exp(1j * phases.astype(np.float64))
    offsets = schedule.round_offsets
    for r, pairs in enumerate(rounds_of(schedule)):
        k = slice(offsets[r], offsets[r + 1])
        i, j = pairs.T
        G = np.eye(schedule.n, dtype=e.dtype)
        G[i, i] = G[j, j] = np.cos(t[k])
        G[i, j] = -np.conj(e[k]) * np.sin(t[k])
        G[j, i] = e[k] * np.sin(t[k])
        yield k, pairs, t[k], e[k], G


def product(schedule, angles, *, phases=None, diagonal=None, signs=None) -> np.ndarray:
    """Return one U, with all n columns."""
    U = np.eye(schedule.n, dtype=float if phases is None else complex)
    for *_, G in dense_rounds(schedule, angles, phases):
        U = G @ U
    return row_factors(schedule.n, diagonal, signs)[:, None] * U


def batch_shape(angles: np.ndarray, options: Options) -> tuple[int, ...]:
    """Broadcast the leading axes of the parameters."""
    return np.broadcast_shapes(*(p.shape[:-1] for p in (angles, *options.values())))


def products(schedule, angles, **options) -> np.ndarray:
    """`product` for every matrix of a batch: (*batch, n, n)."""
    batch = batch_shape(angles, options)
    full = {
        name: np.broadcast_to(p, (*batch, p.shape[-1]))
        for name, p in {"angles": angles, **options}.items()
    }
    U = [
        product(schedule, **{name: p[index] for name, p in full.items()})
        for index in np.ndindex(batch)
    ]
    dtype = complex if {"phases", "diagonal"} & options.keys() else float
    return np.array(U, dtype).reshape(*batch, schedule.n, schedule.n)


def vectors_first(x: np.ndarray, batch: tuple[int, ...], axis: int) -> np.ndarray:
    """Bring x (*batch, ..., n, ...) into the shape (*batch, vectors, n), batch axes in full."""
    batch = tuple(np.broadcast_shapes(batch, x.shape[: len(batch)]))
    x = np.broadcast_to(x, batch + x.shape[len(batch) :])
    x = np.moveaxis(x, axis, -1)
    vectors = int(np.prod(x.shape[len(batch) : -1]))
    return x.reshape(*batch, vectors, x.shape[-1])


def rotated(x, angles, schedule, *, axis=-1, inverse=False, **options) -> np.ndarray:
    """Return U x or U^H x for every vector, in double precision."""
    U = products(schedule, angles, **options)
    batch = batch_shape(angles, options)
    axis %= x.ndim
    rows = vectors_first(x.astype(np.result_type(x, np.float64)), batch, axis)
    y = rows @ (np.conj(U) if inverse else np.swapaxes(U, -1, -2))
    full = np.broadcast_shapes(batch, x.shape[: len(batch)]) + x.shape[len(batch) :]
    moved = full[:axis] + full[axis + 1 :] + full[axis : axis + 1]
    return np.moveaxis(y.reshape(moved), -1, axis)


def parameter_gradients(schedule, Y, A, angles, *, phases=None, diagonal=None, signs=None):
    """Compute the gradients of one matrix by conjugation, from Y = U X and A = dL/dY, (n, vectors).

    W = A Y^H - Y A^H; the gradients of a round are read from W once all that came after it is
    undone, W <- G^H W G.
    """
    dtype = np.result_type(Y, A, np.float64)
    Y, A = Y.astype(dtype), A.astype(dtype)
    W = A @ Y.conj().T - Y @ A.conj().T
    gdiagonal = np.diagonal(W).imag / 2
    D = np.diag(row_factors(schedule.n, diagonal, signs))
    W = D.conj().T @ W @ D
    gangles, gphases = np.zeros((2, schedule.num_rotations))
    for k, pairs, t, e, G in reversed(list(dense_rounds(schedule, angles, phases))):
        i, j = pairs.T
        z = np.conj(e) * W[j, i]
        tilt = (W[j, j] - W[i, i]).imag / 2
        gangles[k] = z.real
        gphases[k] = np.sin(t) * np.cos(t) * z.imag + np.sin(t) ** 2 * tilt
        W = G.conj().T @ W @ G
    return {"angles": gangles, "phases": gphases, "diagonal": gdiagonal}


def summed_to(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo a broadcast: sum over the axes along which an array of `shape` was repeated."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(d for d, extent in enumerate(shape) if extent == 1)
    return gradient.sum(axis=repeated, keepdims=True)


def rotate_vjp(
    y, gy, angles, schedule, *, axis=-1, inverse=False, **options
) -> RotateGradients[np.ndarray, np.ndarray]:
    """Compute all gradients of `givens.rotate` in double precision."""
    gx = rotated(gy, angles, schedule, axis=axis, inverse=not inverse, **options)
    batch = batch_shape(angles, options)
    full = {
        name: np.broadcast_to(p, (*y.shape[: len(batch)], p.shape[-1]))
        for name, p in {"angles": angles, **options}.items()
    }
    # L = Re <gy, U^H x> = Re <U gy, x>: as if gy had been rotated, and x = U y were the cotangent.
    output, cotangent = (
        (rotated(v, angles, schedule, axis=axis, **options) for v in (gy, y))
        if inverse
        else (y, gy)
    )
    Y = vectors_first(output, batch, axis % y.ndim)
    A = vectors_first(cotangent, batch, axis % y.ndim)
    sums = {name: np.zeros(p.shape) for name, p in full.items() if name != "signs"}
    for index in np.ndindex(Y.shape[:-2]):
        of_one = parameter_gradients(
            schedule, Y[index].T, A[index].T, **{name: p[index] for name, p in full.items()}
        )
        for name, gradient in sums.items():
            gradient[index] = of_one[name]
    given = {"angles": angles, **options}
    summed = {name: summed_to(g, given[name].shape) for name, g in sums.items()}
    return RotateGradients(gx, *map(summed.get, DIFFERENTIABLE))


def present(gradients) -> list[np.ndarray]:
    """Leave out the gradients of absent parameters."""
    return [g for g in gradients if g is not None]


def norm(a: np.ndarray) -> float:
    """Return the norm of all entries, in double precision."""
    return float(np.linalg.norm(np.ravel(a).astype(np.complex128)))


def inner(a: np.ndarray, b: np.ndarray) -> float:
    """Return the real inner product of all entries."""
    return float(np.sum((a.conj() * b).real))


def rounding(schedule: givens.Schedule, dtype) -> float:
    """Bound the error of a rotated vector relative to its length.

    A rotation has entries wrong by an eps (the sine and cosine) and two roundings of eps/2 (product
    and sum) in two terms for a coordinate, which is at most 2 sqrt(2) eps of the length of the
    pair. A phase adds a sine, a cosine and a complex product: at most as much again, and so on for
    the diagonal. A vector passes each round once, and an engine may spend as many roundings again
    on scales: 8 eps a round in all.
    """
    return 8 * (schedule.num_rounds + 1) * float(np.finfo(dtype).eps)


def assert_vectors_close(actual, expected, size, axis=-1) -> None:
    """Assert that no vector along `axis` is farther from the expected than `size`, broadcast."""
    assert actual.shape == expected.shape
    assert np.all(np.linalg.norm(actual - expected, axis=axis) <= size)


def gradient_rounding(schedule: givens.Schedule, dtype, vectors: int) -> float:
    """Bound the error of a parameter's gradient relative to norm(y) * norm(gy), over all vectors.

    By reversal the gradient sums over the vectors products of y and gy, each of which is off by
    `rounding`; by conjugation y gy^H, of that norm, goes through every round from both sides, as
    often. The difference of two such products doubles this, and the sum rounds with every vector.
    """
    return 4 * rounding(schedule, dtype) + (vectors + 2) * float(np.finfo(dtype).eps)


def assert_gradients_close(actual, expected, size: float) -> None:
    """Assert that no entry of a gradient is farther from the expected than `size`.

    None, for an absent parameter, is expected as such.
    """
    assert [g is None for g in actual] == [g is None for g in expected]
    for a, b in zip(present(actual), present(expected), strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max(initial=0) <= size
