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
class Library:
    """What arrays are made with, and where: moves them from NumPy and to it."""

    name: str
    put: Callable[[Array], Any] = np.asarray
    get: Callable[[Any], Array] = np.asarray
    torch_device: str = "cpu"


NUMPY = Library("numpy")


@dataclass(frozen=True)
class Contender:
    """One cell of a table.

    `run` returns the results, and `check` their error in multiples of what is allowed, after `get`
    has made NumPy arrays of them. If `missing` is the name of a package, that is not installed and
    there is nothing to run.
    """

    task: str
    name: str
    run: Callable[[], Results] = tuple
    check: Callable[[Results], float] = lambda results: 0.0
    get: Callable[[Any], Array] = np.asarray
    is_yardstick: bool = False
    missing: str = ""

    def error(self, results: Results) -> float:
        return self.check([self.get(r) for r in results])


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
    inputs = random_inputs(n, dtype)
    yield from dense(inputs)
    xor = givens.Schedule.xor(n)
    yield from givens_functions("xor", xor, inputs)
    for kind in ("circle", "brickwall", "wavefront"):
        yield from givens_functions(kind, getattr(givens.Schedule, kind)(n), inputs)
    if dtype == "float32":
        numba = loops.NumbaLoop(xor) if not is_missing("numba") else None
        yield from rotation_loop("Numba loop over rotations", numba, "numba", xor, inputs)
        numpy = loops.NumpyLoop(xor)
        yield from rotation_loop("NumPy loop over rounds", numpy, "numpy", xor, inputs)
        yield from lapack(inputs)
        for name, (package, function) in PEERS.items():
            yield from torch_peer(name, package, function, inputs)


def random_inputs(n: int, dtype: str) -> Inputs:
    rng = np.random.default_rng(n)
    shapes = [(n, n)] * 3 + [(NUM_VECTORS, n)] * 2
    return Inputs(rng, *(random_array(rng, shape, dtype) for shape in shapes))


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


def dense(inputs: Inputs, library: Library = NUMPY) -> Iterator[Contender]:
    """The yardstick; the product of a ready-made matrix; a layer without constraint."""
    a, b, x, gy = (library.put(v) for v in (inputs.a, inputs.b, inputs.x, inputs.gy))

    def check(results: Results) -> float:
        return checks.deviation(len(inputs.a), results[0], inputs.a @ inputs.b)

    name = f"{library.name} a @ b"
    yield Contender("product", name, lambda: (a @ b,), check, library.get, is_yardstick=True)
    if missing := torch_missing(library):
        yield Contender("product", "torch a @ b", missing=missing)
    else:
        torch = torch_library(library.torch_device)
        ta, tb = torch.put(inputs.a), torch.put(inputs.b)
        yield Contender("product", "torch a @ b", lambda: (ta @ tb,), check, torch.get)
    yield Contender(
        "layer",
        f"plain dense layer ({library.name})",
        lambda: (x @ a.T, gy @ a.conj(), gy.T @ x.conj()),
        get=library.get,
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


def givens_functions(
    kind: str, schedule: givens.Schedule, inputs: Inputs, library: Library = NUMPY
) -> Iterator[Contender]:
    host_parameters = random_parameters(inputs, schedule)
    truth = checks.Truth(schedule, host_parameters)
    parameters = {name: library.put(p) for name, p in host_parameters.items()}
    X, G, x, gy = (library.put(v) for v in (inputs.b, inputs.G, inputs.x, inputs.gy))

    def matrix() -> Results:
        return (givens.matrix(schedule=schedule, **parameters),)

    def matrix_and_gradient() -> Results:
        U = givens.matrix(schedule=schedule, **parameters)
        return (U, *present(givens.matrix_vjp(U, G, schedule=schedule, **parameters)))

    def rotate_columns() -> Results:
        return (givens.rotate(X, schedule=schedule, axis=-2, **parameters),)

    def rotate_rows() -> Results:
        return (givens.rotate(X, schedule=schedule, axis=-1, **parameters),)

    def layer() -> Results:
        y = givens.rotate(x, schedule=schedule, **parameters)
        return (y, *present(givens.rotate_vjp(y, gy, schedule=schedule, **parameters)))

    on = "" if library is NUMPY else f" on {library.name}"
    for task, name, run, check in (
        ("matrix", f"givens.matrix{on}, {kind}", matrix, matrix_check(truth, inputs)),
        (
            "matrix_vjp",
            f"givens.matrix + matrix_vjp{on}, {kind}",
            matrix_and_gradient,
            matrix_check(truth, inputs),
        ),
        (
            "rotate",
            f"givens.rotate{on}, {kind}, axis=-2",
            rotate_columns,
            lambda results: truth.deviation(results, [truth.matrix @ inputs.b]),
        ),
        (
            "rotate",
            f"givens.rotate{on}, {kind}, axis=-1",
            rotate_rows,
            lambda results: truth.deviation(results, [inputs.b @ truth.matrix.T]),
        ),
        ("layer", f"givens.rotate + rotate_vjp{on}, {kind}", layer, layer_check(truth, inputs)),
    ):
        yield Contender(task, name, run, check, library.get)


def present(gradients: tuple[Any, ...]) -> Results:
    """Leave out the gradients of absent parameters."""
    return tuple(g for g in gradients if g is not None)


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
    name: str,
    loop: loops.Loop | None,
    package: str,
    schedule: givens.Schedule,
    inputs: Inputs,
    library: Library = NUMPY,
) -> Iterator[Contender]:
    """A loop, or None where the package is not installed that it needs."""
    if loop is None:
        for task in ("matrix", "matrix_vjp", "layer"):
            yield Contender(task, name, missing=package)
        return
    host_parameters = random_parameters(inputs, schedule)
    truth = checks.Truth(schedule, host_parameters)
    parameters = {key: library.put(p) for key, p in host_parameters.items()}
    G, x, gy = (library.put(v) for v in (inputs.G, inputs.x, inputs.gy))
    identity = library.put(np.eye(schedule.n, dtype=inputs.a.dtype))

    def matrix() -> Results:
        U = identity.copy()
        loop.rotate(U, parameters)
        return (U,)

    def matrix_and_gradient() -> Results:
        (U,) = matrix()
        return (U, *loop.vjp(U.copy(), G.copy(), parameters))

    def layer() -> Results:
        y = x.T.copy()
        loop.rotate(y, parameters)
        y_after, gx = y.copy(), gy.T.copy()
        gradients = loop.vjp(y_after, gx, parameters)
        return (y.T.copy(), gx.T.copy(), *gradients)

    layer()  # Numba compiles the loop.
    for task, run, check in (
        ("matrix", matrix, matrix_check(truth, inputs)),
        ("matrix_vjp", matrix_and_gradient, matrix_check(truth, inputs)),
        ("layer", layer, layer_check(truth, inputs)),
    ):
        yield Contender(task, name, run, check, library.get)


# --- PyTorch ------------------------------------------------------------------------------------


def torch_missing(library: Library) -> str:
    """What is not installed of PyTorch for a library's device, or nothing."""
    if is_missing("torch"):
        return "torch"
    if library.torch_device == "cuda":
        import torch

        if not torch.cuda.is_available():
            return "torch with CUDA"
    return ""


def torch_library(device: str) -> Library:
    import torch

    return Library(
        "torch",
        lambda a: torch.from_numpy(a).to(device),
        lambda t: t.detach().cpu().numpy(),
        device,
    )


def torch_peer(
    name: str, package: str, function: str, inputs: Inputs, library: Library = NUMPY
) -> Iterator[Contender]:
    if missing := torch_missing(library) or (package if is_missing(package) else ""):
        for task in ("matrix", "matrix_vjp", "layer"):
            yield Contender(task, name, missing=missing)
        return
    import torch

    import torch_peers

    torch.manual_seed(0)
    arrays = torch_library(library.torch_device)
    with torch.device(arrays.torch_device):
        peer = getattr(torch_peers, function)(len(inputs.a))
    G, x, gy = (arrays.put(v) for v in (inputs.G, inputs.x, inputs.gy))
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
        expected = inputs.x @ arrays.get(U).T
        return max(checks.deviation(len(G), y, expected), checks.uselessness(gradients))

    yield Contender("matrix", name, matrix, check, arrays.get)
    yield Contender("matrix_vjp", name, matrix_and_gradient, check, arrays.get)
    yield Contender("layer", name, layer, check_layer, arrays.get)


# --- Many small matrices ------------------------------------------------------------------------


def of_batch(matrices: int, n: int, library: Library = NUMPY) -> Iterator[Contender]:
    """All contenders for a batch of n x n matrices, in float32."""
    rng = np.random.default_rng(n)
    schedule = givens.Schedule.xor(n)
    host_angles = rng.uniform(-np.pi, np.pi, (matrices, schedule.num_rotations)).astype(np.float32)
    a, b, host_G = (random_array(rng, (matrices, n, n), "float32") for _ in range(3))
    angles, G = library.put(host_angles), library.put(host_G)

    def matrix() -> Results:
        return (givens.matrix(angles, schedule),)

    def matrix_and_gradient() -> Results:
        U = givens.matrix(angles, schedule)
        return (U, givens.matrix_vjp(U, G, angles, schedule).angles)

    def check(results: Results) -> float:
        # One matrix in a hundred against the loops, and every one for orthogonality.
        error = checks.nonorthogonality(results[0])
        for index in range(0, matrices, max(1, matrices // 100)):
            truth = checks.Truth(schedule, {"angles": host_angles[index]})
            expected = [truth.matrix, *truth.gradients(truth.matrix, host_G[index])]
            found = [r[index] for r in results]
            error = max(error, truth.deviation(found, expected[: len(found)]))
        return error

    names = {"batch": "torch.bmm", "batch_vjp": "torch.bmm and its gradients"}
    if missing := torch_missing(library):
        for task, name in names.items():
            yield Contender(task, name, missing=missing)
    else:
        import torch

        arrays = torch_library(library.torch_device)
        ta, tb, tG = (arrays.put(v) for v in (a, b, host_G))
        parameters = [v.clone().requires_grad_() for v in (ta, tb)]

        def product_and_gradient() -> Results:
            product = torch.bmm(*parameters)
            return (product.detach(), *torch.autograd.grad((product * tG).sum(), parameters))

        yield Contender(
            "batch",
            names["batch"],
            lambda: (torch.bmm(ta, tb),),
            get=arrays.get,
            is_yardstick=True,
        )
        yield Contender("batch_vjp", names["batch_vjp"], product_and_gradient, get=arrays.get)
    on = "" if library is NUMPY else f" on {library.name}"
    yield Contender("batch", f"givens.matrix{on}, xor", matrix, check, library.get)
    yield Contender(
        "batch_vjp", f"givens.matrix + matrix_vjp{on}, xor", matrix_and_gradient, check, library.get
    )
