"""Few rotations: of contiguous vectors, and what they make of the Fourier transform of a graph."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import checks
import givens
from contenders import Contender, Results, is_missing, random_array

# Vectors, coordinates, and the size of the groups that rotations stay in; 0: a butterfly.
SHAPES = ((4096, 256, 0), (1024, 1024, 0), (1024, 4096, 0), (1, 4096, 0), (1024, 4096, 128))
QUICK_SHAPES = ((16, 64, 0), (8, 256, 128))
ROUNDS_OF_GROUPS = 8
# Numbers of rotations, and the relative error that the eigenvectors found with so many may have.
GRAPH_NODES = 256
GRAPH_BARS = ((1024, 0.102), (2048, 0.063), (4096, 0.037), (8192, 0.020))


def groups(quick: bool) -> Iterator[tuple[str, int, str, Iterator[Contender]]]:
    """Label, size, dtype and contenders of each shape."""
    for vectors, n, group in QUICK_SHAPES if quick else SHAPES:
        rng = np.random.default_rng(n + group)
        what = f"groups of {group}" if group else "butterfly"
        schedule = random_rounds(n, group, rng) if group else givens.Schedule.butterfly(n)
        label = f"{vectors} of {n}, {what}"
        yield label, n, "float32", of_schedule(schedule, vectors, rng)
    for rotations, bar in GRAPH_BARS[:1] if quick else GRAPH_BARS:
        yield f"{rotations} rotations", GRAPH_NODES, "float32", of_graph(rotations, bar)


def random_rounds(n: int, group: int, rng: np.random.Generator) -> givens.Schedule:
    """Pair all coordinates of each group at random in every round."""
    of_group = [rng.permutation(group).reshape(-1, 2) for _ in range(ROUNDS_OF_GROUPS)]
    return givens.Schedule.blocks(givens.Schedule.from_rounds(group, of_group), n // group)


def of_schedule(
    schedule: givens.Schedule, vectors: int, rng: np.random.Generator
) -> Iterator[Contender]:
    """Contenders for vectors along the last axis, in memory that they share."""
    angles = rng.uniform(-np.pi, np.pi, schedule.num_rotations).astype(np.float32)
    x, gy = (random_array(rng, (vectors, schedule.n), "float32") for _ in range(2))
    y, gx = np.empty_like(x), np.empty_like(x)
    prepared = givens.Operator(angles, schedule)
    wide = angles.astype(np.float64)
    expected = rotated(x.T.astype(np.float64), wide, schedule).T

    def copy() -> Results:
        np.copyto(y, x)
        return (y,)

    def check(results: Results) -> float:
        return checks.deviation(schedule.n, results[0], expected)

    def check_gradient(results: Results) -> float:
        back = rotated(gy.T.astype(np.float64), -wide, schedule, backward=True).T
        return max(checks.deviation(schedule.n, results[0], back), checks.uselessness(results[1:]))

    yield Contender("few", "np.copyto", copy, is_yardstick=True)
    yield Contender(
        "few", "givens.rotate", lambda: (givens.rotate(x, angles, schedule, out=y),), check
    )
    yield Contender("few", "givens.Operator.rotate", lambda: (prepared.rotate(x, out=y),), check)
    if not is_missing("numba"):
        yield numba_loop(schedule, angles, x, y, check)
    at = np.ascontiguousarray(expected, np.float32)
    yield Contender(
        "few_vjp",
        "givens.rotate_vjp",
        lambda: givens.rotate_vjp(at, gy, angles, schedule, out=gx)[:2],
        check_gradient,
    )
    yield Contender(
        "few_vjp", "givens.Operator.vjp", lambda: prepared.vjp(at, gy)[:2], check_gradient
    )


def numba_loop(schedule: givens.Schedule, angles: Any, x: Any, y: Any, check: Any) -> Contender:
    """Rotate each vector in a compiled loop, with ready cosines and sines."""
    import numba

    pairs, c, s = schedule.pairs, np.cos(angles), np.sin(angles)

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
    def loop(x, y):  # type: ignore[no-untyped-def]
        for v in range(len(x)):
            row = y[v]
            row[:] = x[v]
            for k in range(len(pairs)):
                i, j = pairs[k]
                row[i], row[j] = c[k] * row[i] - s[k] * row[j], s[k] * row[i] + c[k] * row[j]

    def run() -> Results:
        loop(x, y)
        return (y,)

    return Contender("few", "Numba loop, ready coefficients", run, check)


def rotated(
    x: NDArray[Any], angles: NDArray[Any], schedule: givens.Schedule, *, backward: bool = False
) -> NDArray[Any]:
    """Rotate rows of x (n, columns), round by round; backward from the last round to the first."""
    x = x.copy()
    rounds = list(pairwise(schedule.round_offsets))
    for start, stop in reversed(rounds) if backward else rounds:
        i, j = schedule.pairs[start:stop].T
        c, s = (f(angles[start:stop])[:, None] for f in (np.cos, np.sin))
        x[i], x[j] = c * x[i] - s * x[j], s * x[i] + c * x[j]
    return x


def sensor_graph() -> NDArray[Any]:
    """Return the Laplacian of random points in the unit square, each joined to the six nearest."""
    points = np.random.default_rng(0).uniform(size=(GRAPH_NODES, 2))
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    nearest = np.argsort(squares, axis=1)[:, 1:7]
    of_nearest = np.take_along_axis(squares, nearest, axis=1)
    weights = np.zeros_like(squares)
    np.put_along_axis(weights, nearest, np.exp(-of_nearest / of_nearest.mean()), axis=1)
    weights = np.maximum(weights, weights.T)
    laplacian: NDArray[Any] = np.diag(weights.sum(axis=1)) - weights
    return laplacian


def of_graph(rotations: int, bar: float) -> Iterator[Contender]:
    """Finding so many rotations for a graph, and applying them to 1000 vectors."""
    graph = sensor_graph()
    found = givens.jacobi(graph.astype(np.float32), rotations=rotations)
    U = found.operator.matrix()
    x = random_array(np.random.default_rng(1), (1000, GRAPH_NODES), "float32")
    y = np.empty_like(x)
    expected = x.astype(np.float64) @ U.T.astype(np.float64)

    def product() -> Results:
        np.matmul(x, U.T, out=y)
        return (y,)

    def check(results: Results) -> float:
        return checks.deviation(GRAPH_NODES, results[0], expected)

    def find() -> Results:
        values, operator = givens.jacobi(graph.astype(np.float32), rotations=rotations)
        return (values, operator.matrix())

    def check_found(results: Results) -> float:
        values, vectors = (v.astype(np.float64) for v in results)
        error = np.linalg.norm(vectors * values @ vectors.T - graph) / np.linalg.norm(graph)
        return float(error / bar)

    yield Contender("graph", "numpy x @ U.T", product, check, is_yardstick=True)
    yield Contender(
        "graph", "givens.Operator.rotate", lambda: (found.operator.rotate(x, out=y),), check
    )
    yield Contender("graph", "givens.jacobi, which finds them", find, check_found)
