"""What is measured: functions to time, each with a check of its results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import checks
import givens
import loops

Array = NDArray[Any]
Results = Sequence[Any]

NUM_VECTORS = 32

# Name of a peer to the package it needs besides PyTorch, and its function in torch_peers.py.
PEERS = {
    "torch.linalg.qr": ("torch", "qr"),
    "torch, CWY": ("torch", "cwy"),
    "torch orthogonal, householder": ("torch", "householder"),
    "torch orthogonal, cayley": ("torch", "cayley"),
    "torch orthogonal, matrix_exp": ("torch", "matrix_exp"),
    "geotorch, cayley": ("geotorch", "geotorch_cayley"),
}


@dataclass(frozen=True)
class Contender:
    """One cell of a table.

    `run` returns the results, and `check` their error in multiples of what is allowed. If `missing`
    is the name of a package, that is not installed and there is nothing to run.
    """

    task: str
    name: str
    run: Callable[[], Results] = tuple
    check: Callable[[Results], float] = lambda results: 0.0
    is_yardstick: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Inputs:
    """Random numbers that all contenders of a size share: dtype as asked for, entries N(0, 1)."""

    rng: np.random.Generator
    a: Array  # (n, n)
    b: Array  # (n, n)
    G: Array  # (n, n): dL/dU
    x: Array  # (NUM_VECTORS, n)
    gy: Array  # (NUM_VECTORS, n)


def of_size(n: int, dtype: str) -> Iterator[Contender]:
    """All contenders for n x n matrices; those other than givens and NumPy in float32 alone."""
    rng = np.random.default_rng(n)
    shapes = [(n, n)] * 3 + [(NUM_VECTORS, n)] * 2
    inputs = Inputs(rng, *(random_array(rng, shape, dtype) for shape in shapes))
    yield from dense(inputs)
    xor, circle = givens.Schedule.xor(n), givens.Schedule.circle(n)
    yield from givens_functions("xor", xor, inputs)
    yield from givens_functions("circle", circle, inputs)
    if dtype == "float32":
        yield from rotation_loop("Numba loop over rotations", "numba", xor, inputs)
        yield from rotation_loop("NumPy loop over rounds", "numpy", xor, inputs)
        yield from lapack(inputs)
        for name, (package, function) in PEERS.items():
            yield from torch_peer(name, package, function, inputs)


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    values = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def random_parameters(inputs: Inputs, schedule: givens.Schedule) -> loops.Parameters:
    """Angles all round the circle; for complex inputs phases and diagonal as well."""
    sizes = {"angles": schedule.num_rotations}
    if np.iscomplexobj(inputs.a):
        sizes |= {"phases": schedule.num_rotations, "diagonal": schedule.n}
    return {
        name: inputs.rng.uniform(-np.pi, np.pi, size).astype(inputs.a.real.dtype)
        for name, size in sizes.items()
    }


def is_missing(package: str) -> bool:
    return find_spec(package) is None


# --- NumPy and LAPACK ---------------------------------------------------------------------------


def dense(inputs: Inputs) -> Iterator[Contender]:
    """The yardstick; the product of a ready-made matrix; a layer without constraint."""
    a, b, x, gy = inputs.a, inputs.b, inputs.x, inputs.gy
    name = "numpy a @ b"
    yield Contender("product", name, lambda: (a @ b,), is_yardstick=True)
    if is_missing("torch"):
        yield Contender("product", "torch a @ b", missing="torch")
    else:
        import torch

        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        yield Contender(
            "product",
            "torch a @ b",
            lambda: (ta @ tb,),
            lambda results: checks.deviation(len(a), results[0], a @ b),
        )
    yield Contender(
        "layer",
        "plain dense layer (numpy)",
        lambda: (x @ a.T, gy @ a.conj(), gy.T @ x.conj()),
    )


def lapack(inputs: Inputs) -> Iterator[Contender]:
    task, name = "matrix", "LAPACK orgqr (scipy)"
    if is_missing("scipy"):
        yield Contender(task, name, missing="scipy")
        return
    from scipy.linalg.lapack import sgeqrf, sorgqr

    reflectors, tau, *_ = sgeqrf(inputs.a)
    workspace = int(sorgqr(reflectors, tau, lwork=-1)[1][0])  # as much as LAPACK asks for
    yield Contender(
        task,
        name,
        lambda: (sorgqr(reflectors, tau, lwork=workspace)[0],),
        lambda results: checks.nonorthogonality(results[0]),
    )


# --- Rotations ----------------------------------------------------------------------------------


def givens_functions(kind: str, schedule: givens.Schedule, inputs: Inputs) -> Iterator[Contender]:
    parameters = random_parameters(inputs, schedule)
    truth = checks.Truth(schedule, parameters)
    X, G, x, gy = inputs.b, inputs.G, inputs.x, inputs.gy

    def matrix() -> Results:
        return (givens.matrix(schedule=schedule, **parameters),)

    def matrix_and_gradient() -> Results:
        U = givens.matrix(schedule=schedule, **parameters)
        gradients = givens.matrix_vjp(U, G, schedule=schedule, **parameters)
        return (U, *gradients) if "phases" in parameters else (U, gradients)

    def rotate_columns() -> Results:
        return (givens.rotate(X, schedule=schedule, axis=-2, **parameters),)

    def rotate_rows() -> Results:
        return (givens.rotate(X, schedule=schedule, axis=-1, **parameters),)

    def layer() -> Results:
        y = givens.rotate(x, schedule=schedule, **parameters)
        return (y, *givens.rotate_vjp(y, gy, schedule=schedule, **parameters))

    yield Contender("matrix", f"givens.matrix, {kind}", matrix, matrix_check(truth, inputs))
    yield Contender(
        "matrix_vjp",
        f"givens.matrix + matrix_vjp, {kind}",
        matrix_and_gradient,
        matrix_check(truth, inputs),
    )
    yield Contender(
        "rotate",
        f"givens.rotate, {kind}, axis=-2",
        rotate_columns,
        lambda results: truth.deviation(results, [truth.matrix @ X]),
    )
    yield Contender(
        "rotate",
        f"givens.rotate, {kind}, axis=-1",
        rotate_rows,
        lambda results: truth.deviation(results, [X @ truth.matrix.T]),
    )
    yield Contender(
        "layer", f"givens.rotate + rotate_vjp, {kind}", layer, layer_check(truth, inputs)
    )


def matrix_check(truth: checks.Truth, inputs: Inputs) -> Callable[[Results], float]:
    """Check U, and the gradients of sum(U * G) if they follow it."""

    def check(results: Results) -> float:
        expected = [truth.matrix]
        if len(results) > 1:
            expected += truth.gradients(truth.matrix, inputs.G)
        return max(checks.nonorthogonality(results[0]), truth.deviation(results, expected))

    return check


def layer_check(truth: checks.Truth, inputs: Inputs) -> Callable[[Results], float]:
    """Check y = x U^T, gx and the gradients of sum(y * gy)."""

    def check(results: Results) -> float:
        y = inputs.x @ truth.matrix.T
        gradients = truth.gradients(y.T, inputs.gy.T)
        return truth.deviation(results, [y, inputs.gy @ truth.matrix.conj(), *gradients])

    return check


def rotation_loop(
    name: str, package: str, schedule: givens.Schedule, inputs: Inputs
) -> Iterator[Contender]:
    if is_missing(package):
        for task in ("matrix", "matrix_vjp", "layer"):
            yield Contender(task, name, missing=package)
        return
    loop = loops.NumbaLoop(schedule) if package == "numba" else loops.NumpyLoop(schedule)
    parameters = random_parameters(inputs, schedule)
    truth = checks.Truth(schedule, parameters)
    identity = np.eye(schedule.n, dtype=inputs.a.dtype)

    def matrix() -> Results:
        U = identity.copy()
        loop.rotate(U, parameters)
        return (U,)

    def matrix_and_gradient() -> Results:
        (U,) = matrix()
        return (U, *loop.vjp(U.copy(), inputs.G.copy(), parameters))

    def layer() -> Results:
        y = inputs.x.T.copy()
        loop.rotate(y, parameters)
        x, gx = y.copy(), inputs.gy.T.copy()
        gradients = loop.vjp(x, gx, parameters)
        return (y.T.copy(), gx.T.copy(), *gradients)

    layer()  # Numba compiles the loop.
    yield Contender("matrix", name, matrix, matrix_check(truth, inputs))
    yield Contender("matrix_vjp", name, matrix_and_gradient, matrix_check(truth, inputs))
    yield Contender("layer", name, layer, layer_check(truth, inputs))


# --- PyTorch ------------------------------------------------------------------------------------


def torch_peer(name: str, package: str, function: str, inputs: Inputs) -> Iterator[Contender]:
    for needed in ("torch", package):
        if is_missing(needed):
            for task in ("matrix", "matrix_vjp", "layer"):
                yield Contender(task, name, missing=needed)
            return
    import torch

    import torch_peers

    torch.manual_seed(0)
    peer = getattr(torch_peers, function)(len(inputs.a))
    G, x, gy = (torch.from_numpy(v) for v in (inputs.G, inputs.x, inputs.gy))
    x.requires_grad_()

    def matrix() -> Results:
        with torch.no_grad():
            return (peer.matrix(),)

    def matrix_and_gradient() -> Results:
        U = peer.matrix()
        return (U.detach(), *torch.autograd.grad((U * G).sum(), [peer.parameters]))

    def layer() -> Results:
        y = peer.layer(x)
        return (y.detach(), *torch.autograd.grad((y * gy).sum(), [x, peer.parameters]))

    def check(results: Results) -> float:
        U, *gradients = results
        return max(checks.nonorthogonality(U), checks.uselessness(gradients))

    def check_layer(results: Results) -> float:
        y, *gradients = results
        (U,) = matrix()
        expected = inputs.x @ np.asarray(U).T
        return max(checks.deviation(len(G), y, expected), checks.uselessness(gradients))

    yield Contender("matrix", name, matrix, check)
    yield Contender("matrix_vjp", name, matrix_and_gradient, check)
    yield Contender("layer", name, layer, check_layer)


# --- Many small matrices ------------------------------------------------------------------------


def of_batch(matrices: int, n: int) -> Iterator[Contender]:
    """All contenders for a batch of n x n matrices, in float32."""
    rng = np.random.default_rng(n)
    schedule = givens.Schedule.xor(n)
    angles = rng.uniform(-np.pi, np.pi, (matrices, schedule.num_rotations)).astype(np.float32)
    a, b, G = (random_array(rng, (matrices, n, n), "float32") for _ in range(3))

    def matrix() -> Results:
        return (givens.matrix(angles, schedule),)

    def matrix_and_gradient() -> Results:
        U = givens.matrix(angles, schedule)
        return (U, givens.matrix_vjp(U, G, angles, schedule))

    def check(results: Results) -> float:
        # One matrix in a hundred against the loops, and every one for orthogonality.
        error = checks.nonorthogonality(results[0])
        for index in range(0, matrices, max(1, matrices // 100)):
            truth = checks.Truth(schedule, {"angles": angles[index]})
            expected = [truth.matrix, *truth.gradients(truth.matrix, G[index])][: len(results)]
            error = max(error, truth.deviation([r[index] for r in results], expected))
        return error

    names = {"batch": "torch.bmm", "batch_vjp": "torch.bmm and its gradients"}
    if is_missing("torch"):
        for task, name in names.items():
            yield Contender(task, name, missing="torch")
    else:
        import torch

        ta, tb, tG = (torch.from_numpy(v) for v in (a, b, G))
        parameters = [v.clone().requires_grad_() for v in (ta, tb)]

        def product_and_gradient() -> Results:
            product = torch.bmm(*parameters)
            return (product.detach(), *torch.autograd.grad((product * tG).sum(), parameters))

        yield Contender("batch", names["batch"], lambda: (torch.bmm(ta, tb),), is_yardstick=True)
        yield Contender("batch_vjp", names["batch_vjp"], product_and_gradient)
    yield Contender("batch", "givens.matrix, xor", matrix, check)
    yield Contender("batch_vjp", "givens.matrix + matrix_vjp, xor", matrix_and_gradient, check)
