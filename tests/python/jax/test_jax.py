"""`givens.jax` against the NumPy functions, against derivatives by differences, and under vmap.

`make test-python` runs this twice: where XLA calls the library, and where it calls back through
Python, which GIVENS_JAX_CALLS=callback asks for.
"""

import os
import threading
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import givens
import givens.jax
from cases import (
    OPTIONS,
    SCHEDULES,
    Case,
    random_angles,
    random_vectors,
)
from givens import Schedule, _core
from givens.jax import _kernels
from givens.jax._setting import Setting
from oracles import (
    assert_gradients_close,
    assert_vectors_close,
    gradient_rounding,
    present,
    rounding,
)
from scripts import run

pytestmark = pytest.mark.usefixtures("double_precision")


def check_against_numpy(c: Case, axis=-1, inverse=False):
    """Compare bits: the same kernels work on the same memory."""
    rng = np.random.default_rng(5)
    y = givens.rotate(c.x, axis=axis, inverse=inverse, **c.given)
    U = givens.matrix(**c.given)
    gy, gU = random_vectors(rng, y.shape, y.dtype), random_vectors(rng, U.shape, U.dtype)
    gradients = givens.rotate_vjp(y, gy, axis=axis, inverse=inverse, **c.given)
    of_matrix = givens.matrix_vjp(U, gU, **c.given)
    expected = [y, *present(gradients), U, *present(of_matrix)]

    names = [name for name in c.parameters if name != "signs"]
    fixed = {name: p for name, p in c.given.items() if name not in names}

    @jax.jit
    def everything(x, parameters):
        y, rotate_vjp = jax.vjp(
            lambda x, p: givens.jax.rotate(x, axis=axis, inverse=inverse, **p, **fixed),
            x,
            parameters,
        )
        U, matrix_vjp = jax.vjp(lambda p: givens.jax.matrix(**p, **fixed), parameters)
        # JAX's cotangents are the conjugates of the library's gradients.
        gx, gradients = rotate_vjp(jnp.conj(gy))
        (of_matrix,) = matrix_vjp(jnp.conj(gU))

        def in_order(of):
            return [of[name] for name in names]

        return [y, jnp.conj(gx), *in_order(gradients), U, *in_order(of_matrix)]

    actual = everything(c.x, {name: c.parameters[name] for name in names})
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    check_against_numpy(Case.of(SCHEDULES[name](7), "phases and diagonal", (3, 7)))


def test_schedules_that_differ_in_a_middle_round() -> None:
    # All else is the same, their hash included: calls must not take one for the other.
    for j in (1, 2, 3):
        schedule = Schedule.from_rounds(4, [[(0, 1)], [(0, j)], [(2, 3)]])
        check_against_numpy(Case.of(schedule, "angles alone", (2, 4)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", OPTIONS)
def test_options_and_dtypes(kind: str, dtype) -> None:
    check_against_numpy(Case.of(Schedule.xor(6), kind, (2, 6), dtype=dtype))


def test_complex_vectors_of_real_rotations() -> None:
    check_against_numpy(Case.of(Schedule.circle(5), "angles alone", (2, 5), complex_vectors=True))


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("axis", [1, 2, -1])
def test_axes_and_batches(axis: int, inverse: bool) -> None:
    shape = [2, 4, 4, 4]
    shape[axis] = 3
    batches = ((2,), (2,))
    c = Case.of(Schedule.xor(3), "phases", tuple(shape), dtype=np.float32, batches=batches)
    check_against_numpy(c, axis, inverse)


def test_parameters_and_vectors_broadcast() -> None:
    rng = np.random.default_rng(4)
    s = Schedule.xor(3)
    angles = random_angles(rng, s, batch=(2, 1))
    signs = rng.choice([-1.0, 1.0], (4, 3))
    x = random_vectors(rng, (1, 4, 5, 3), np.float64)
    y = givens.rotate(x, angles, s, signs=signs)
    actual, vjp = jax.vjp(lambda x, t: givens.jax.rotate(x, t, s, signs=signs), x, angles)
    np.testing.assert_array_equal(actual, y)
    gx, gangles = vjp(jnp.ones_like(y))
    expected = givens.rotate_vjp(y, np.ones_like(y), angles, s, signs=signs)
    # The library sums over matrices in another order than JAX does over what it repeated.
    size = gradient_rounding(s, np.float64, 20) * np.linalg.norm(y) * np.sqrt(y.size)
    assert_gradients_close([gangles], [expected.angles], size)
    assert_gradients_close([gx], [expected.x.sum(0, keepdims=True)], size)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_smallest_sizes(n: int) -> None:
    check_against_numpy(Case.of(Schedule.circle(n), "angles alone", (0 if n == 2 else 3, n)))


def test_rounds_without_pairs() -> None:
    for rounds in ([[]], [[], []], [[], [(2, 0)], [], [(0, 1)], []]):
        check_against_numpy(Case.of(Schedule.from_rounds(3, rounds), "angles alone", (2, 3)))


def test_without_x64() -> None:
    rng = np.random.default_rng(7)
    s = Schedule.xor(4)
    angles, x = random_angles(rng, s), random_vectors(rng, (2, 4), np.float64)
    with jax.enable_x64(False):
        y = givens.jax.rotate(x, angles, s)
        U = givens.jax.matrix(angles, s, diagonal=np.ones(4))
    assert y.dtype == np.float32
    assert U.dtype == np.complex64
    single = givens.rotate(x.astype(np.float32), angles.astype(np.float32), s)
    np.testing.assert_array_equal(y, single)


# --- Derivatives -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize(
    ("kind", "inverse"), [("signs", False), ("phases and diagonal", False), ("phases", True)]
)
def test_second_order_of_rotate(kind: str, inverse: bool, mode: str) -> None:
    c = Case.of(Schedule.circle(3), kind, (2, 3))
    parameters = {n: p for n, p in c.parameters.items() if n != "signs"}
    fixed = {n: p for n, p in c.given.items() if n not in parameters}

    def f(x, parameters):
        return givens.jax.rotate(x, inverse=inverse, **parameters, **fixed)

    check_grads(f, (c.x, parameters), order=2, modes=[mode])


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("kind", ["angles alone", "phases and diagonal"])
def test_second_order_of_matrix(kind: str, mode: str) -> None:
    c = Case.of(Schedule.circle(3, columns=2), kind, (2, 3))

    def f(parameters):
        return givens.jax.matrix(schedule=c.schedule, **parameters)

    check_grads(f, (c.parameters,), order=2, modes=[mode])


def test_modes_mix() -> None:
    c = Case.of(Schedule.circle(3), "angles alone", (2, 3))
    x, schedule, angles = c.x, c.schedule, c.parameters["angles"]

    def loss(angles):
        y = givens.jax.rotate(x, angles, schedule)[:, 0]
        return jnp.sum(y**3) + jnp.sum(givens.jax.matrix(angles, schedule)[0] ** 3)

    @jax.jit
    def all_hessians(angles):
        both = (jax.jacfwd, jax.jacrev)
        return [outer(inner(loss))(angles) for outer in both for inner in both]

    hessians = all_hessians(angles)
    # Each entry sums, for 2 vectors and the 3 columns of U, second derivatives of a cube: at most
    # 12 times the cube of its length. Each path has the gradients' error twice.
    lengths = np.linalg.norm(x) ** 3 + 3
    size = 2 * gradient_rounding(schedule, np.float64, 5) * 12 * lengths
    for hessian in hessians[1:]:
        assert_gradients_close([hessian], [hessians[0]], size)


def test_signs_have_no_gradient() -> None:
    s = Schedule.xor(2)
    g = jax.grad(lambda signs: givens.jax.matrix(np.ones(1), s, signs=signs).sum())(np.ones(2))
    np.testing.assert_array_equal(g, 0)


def test_recurrence_keeps_outputs_only() -> None:
    """The gradients through a scan and its loop agree, and the scan saves one array of states."""
    c = Case.of(Schedule.circle(3), "angles alone", (2, 3))
    x, schedule, angles = c.x, c.schedule, c.parameters["angles"]

    def step(h, angles):
        return givens.jax.rotate(h, angles, schedule)

    def scanned(angles):
        return jax.lax.scan(lambda h, _: (step(h, angles), None), x, length=4)[0]

    def looped(angles):
        h = x
        for _ in range(4):
            h = step(h, angles)
        return h

    y, vjp = jax.vjp(scanned, angles)
    y_of_loop, vjp_of_loop = jax.vjp(looped, angles)
    np.testing.assert_array_equal(y, y_of_loop)
    # The same sums, added in the same order of steps.
    size = 4 * gradient_rounding(schedule, np.float64, 2) * np.linalg.norm(x) ** 2
    assert_gradients_close(vjp(y), vjp_of_loop(y_of_loop), size)
    saved = [a.shape for a in jax.tree.leaves(vjp) if a.shape == (4, *x.shape)]
    assert len(saved) == 1


# --- Calls of the kernels ----------------------------------------------------------------------


def test_gradients_as_the_cuda_engine_computes_them() -> None:
    """Every matrix has parameters of its own, which the CPU's kernel does as well."""
    rng = np.random.default_rng(13)
    schedule = Schedule.xor(3)
    setting = Setting(schedule, ("diagonal",), -2)
    angles = random_angles(rng, schedule, batch=(1, 2))
    diagonal = rng.uniform(-7, 7, (1, 2, 3))
    y, gy = (random_vectors(rng, (4, 2, 3, 3), np.complex128) for _ in range(2))
    arguments = (_kernels._call, setting, y, gy, angles, diagonal)
    expected = _kernels._rotate_vjp(*arguments)
    actual = _kernels._rotate_vjp_of_cuda(*arguments)
    size = gradient_rounding(schedule, np.float64, 12) * np.linalg.norm(y) * np.linalg.norm(gy)
    assert_gradients_close(actual, expected, size)


# --- vmap ----------------------------------------------------------------------------------------


def mapped_one_by_one(f, in_axes, *arrays):
    size = next(a.shape[d] for a, d in zip(arrays, in_axes, strict=True) if d is not None)

    def taken(array, axis, k):
        return array if axis is None else jnp.take(array, k, axis=axis)

    calls = [f(*map(taken, arrays, in_axes, [k] * len(arrays))) for k in range(size)]
    return jax.tree.map(lambda *parts: jnp.stack(parts), *calls)


def derivatives(schedule, x, angles, phases):
    """Call every primitive."""

    def f(x, angles, phases):
        return givens.jax.rotate(x, angles, schedule, phases=phases, axis=-2)

    def gradients(x, angles, phases):
        y, vjp = jax.vjp(f, x, angles, phases)
        return y, vjp(y**2)

    def of_matrix(angles, phases):
        return givens.jax.matrix(angles, schedule, phases=phases)

    U, dU = jax.jvp(of_matrix, (angles, phases), (phases, angles))
    gU = jax.vjp(of_matrix, angles, phases)[1](U**2)
    return jax.jvp(gradients, (x, angles, phases), (x, phases, angles)), U, dU, gU


@pytest.mark.parametrize(
    "in_axes", [(1, None, None), (None, 0, None), (2, 1, 0), (None, None, 1), (0, 1, None)]
)
def test_vmap_is_a_loop(in_axes) -> None:
    rng = np.random.default_rng(10)
    s = Schedule.xor(3)

    def with_axis(array, axis):
        return array if axis is None else np.stack([array, array * 0.5 + 0.1], axis)

    x, angles, phases = (
        with_axis(array, axis)
        for array, axis in zip(
            (random_vectors(rng, (3, 2), np.complex128), *rng.uniform(-7, 7, (2, 3))),
            in_axes,
            strict=True,
        )
    )

    def f(x, angles, phases):
        return derivatives(s, x, angles, phases)

    actual = jax.jit(jax.vmap(f, in_axes))(x, angles, phases)
    expected = mapped_one_by_one(jax.jit(f), in_axes, x, angles, phases)
    # Cotangents are squares of y, and tangents of length 13 at most (three angles up to 7): each
    # result is a product of these and x. A tangent of a gradient is at most 8 such terms.
    norm = 1 + np.linalg.norm(x)
    size = 8 * gradient_rounding(s, np.float64, 4) * 13 * norm**3
    jax.tree.map(lambda a, e: assert_gradients_close([a], [e], size), actual, expected)


def test_nested_vmap() -> None:
    rng = np.random.default_rng(11)
    s = Schedule.circle(3)
    x, angles = random_vectors(rng, (4, 2, 3), np.float64), random_angles(rng, s, batch=(5,))
    f = jax.vmap(jax.vmap(lambda x, t: givens.jax.rotate(x, t, s), (0, None)), (None, 0))
    expected = np.stack([givens.rotate(x, t, s) for t in angles])
    assert_vectors_close(
        np.asarray(f(x, angles)), expected, 2 * rounding(s, np.float64) * np.linalg.norm(x, axis=-1)
    )


# --- Calls and errors ----------------------------------------------------------------------------


def test_calls_go_where_they_should() -> None:
    asked_for_callback = os.environ.get("GIVENS_JAX_CALLS") == "callback"
    uses_ffi = hasattr(_core, "jaxlib_version") and not asked_for_callback
    assert uses_ffi == _kernels.USES_FFI
    s = Schedule.xor(4)
    text = jax.jit(lambda t: givens.jax.matrix(t, s)).lower(np.zeros(6)).as_text()
    assert ("@givens_matrix" in text) == uses_ffi
    assert ("callback" in text) != uses_ffi


def test_handlers_for_a_later_jaxlib_are_left_alone() -> None:
    later = types.ModuleType("later")
    later.jaxlib_version = "1000.0.0"
    assert not _kernels._register(later, "cpu")
    assert _kernels._release("0.10.2.dev3") == _kernels._release("0.10.2rc1") == (0, 10, 2)


def test_equal_schedules_are_traced_once() -> None:
    traces = 0

    def f(angles, schedule):
        nonlocal traces
        traces += 1
        return givens.jax.matrix(angles, schedule)

    jitted = jax.jit(f, static_argnums=1)
    for schedule in (Schedule.xor(4), Schedule.from_dict(Schedule.xor(4).to_dict())):
        jitted(np.zeros(6), schedule)
    assert traces == 1
    jitted(np.zeros(6), Schedule.circle(4))
    assert traces == 2


def test_many_threads_call_at_once() -> None:
    rng = np.random.default_rng(12)
    s = Schedule.xor(64)
    # Whether there is double precision is a setting of each thread.
    angles = random_angles(rng, s, np.float32, (8,))
    f = jax.jit(lambda t: givens.jax.matrix(t, s))
    expected = givens.matrix(angles, s)
    results: list = [None] * 6

    def work(k: int) -> None:
        results[k] = [np.asarray(f(angles)) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        for U in result:
            np.testing.assert_array_equal(U, expected)


def test_without_jit() -> None:
    with jax.disable_jit():
        U = givens.jax.matrix(np.zeros(6), Schedule.xor(4))
    np.testing.assert_array_equal(U, np.eye(4))


def test_num_threads() -> None:
    s = Schedule.xor(64)
    angles = np.ones((8, s.num_rotations))
    np.testing.assert_array_equal(
        givens.jax.matrix(angles, s, num_threads=1), givens.matrix(angles, s)
    )


S = Schedule.xor(4)
WRONG = {
    "angles": lambda m: m.matrix(np.zeros(5), S),
    "integers": lambda m: m.matrix(np.zeros(6, int), S),
    "schedule": lambda m: m.matrix(np.zeros(6), "xor"),
    "threads": lambda m: m.matrix(np.zeros(6), S, num_threads=0),
    "phases": lambda m: m.matrix(np.zeros(6), S, phases=np.zeros(6, np.float32)),
    "both": lambda m: m.matrix(np.zeros(6), S, signs=np.ones(4), diagonal=np.ones(4)),
    "batch": lambda m: m.matrix(np.zeros((2, 6)), S, signs=np.ones((3, 4))),
    "x": lambda m: m.rotate(np.zeros((4, 5)), np.zeros(6), S),
    "real x": lambda m: m.rotate(np.zeros(4), np.zeros(6), S, phases=np.zeros(6)),
    "precision": lambda m: m.rotate(np.zeros(4, np.float32), np.zeros(6), S),
    "axis": lambda m: m.rotate(np.zeros((4, 4)), np.zeros(6), S, axis=2),
    "batch axis": lambda m: m.rotate(np.zeros((2, 4)), np.zeros((2, 6)), S, axis=0),
    "inverse": lambda m: m.rotate(np.zeros(4), np.zeros(6), S, inverse=1),
}


@pytest.mark.parametrize("name", WRONG)
def test_messages_are_the_numpy_functions_own(name: str) -> None:
    with pytest.raises((TypeError, ValueError)) as expected:
        WRONG[name](givens)
    with pytest.raises(expected.type) as actual:
        WRONG[name](givens.jax)
    assert str(actual.value) == str(expected.value)


@pytest.mark.parametrize("argument", [[0.0] * 6, None])
def test_no_array(argument) -> None:
    with pytest.raises(TypeError, match=r"angles must be a JAX or NumPy array, got \w+"):
        givens.jax.matrix(argument, S)


TRACED = {
    "matrix": lambda x, t: givens.matrix(t, S),
    "matrix of options": lambda x, t: givens.matrix(np.zeros(6), S, diagonal=x[0]),
    "rotate": lambda x, t: givens.rotate(x, t, S),
    "rotate, mixed": lambda x, t: givens.rotate(np.zeros((3, 4)), t, S),
    "rotate_vjp": lambda x, t: givens.rotate_vjp(x, x, t, S),
    "matrix_vjp": lambda x, t: givens.matrix_vjp(np.eye(4), x, t, S),
    "rotate_jvp": lambda x, t: givens.rotate_jvp(x, None, t, None, S),
    "matrix_jvp": lambda x, t: givens.matrix_jvp(np.zeros(6), t, S),
    "rotate_vjp_jvp": lambda x, t: givens.rotate_vjp_jvp(x, None, x, None, t, None, S),
    "decompose": lambda x, t: givens.decompose(x),
    "triangular": lambda x, t: S.to_triangular(t),
}


@pytest.mark.parametrize("name", TRACED)
def test_the_functions_on_arrays_point_here(name: str) -> None:
    x, angles = np.ones((3, 4)), np.zeros(6)
    with pytest.raises(TypeError, match=r"got \w+Tracer: use givens\.jax inside of JAX's jit"):
        jax.jit(TRACED[name])(x, angles)


@pytest.mark.parametrize("transformed", [jax.grad, jax.vmap, jax.jacfwd])
def test_transformations_without_jit_point_here(transformed) -> None:
    with pytest.raises(TypeError, match=r"use givens\.jax"):
        transformed(lambda t: givens.matrix(t, S))(np.zeros((6, 6)))


def test_signs_are_checked_when_run() -> None:
    f = jax.jit(lambda signs: givens.jax.matrix(np.zeros(6), S, signs=signs))
    errors = (ValueError, jax.errors.JaxRuntimeError)
    with pytest.raises(errors, match=r"signs must be \+1 or -1 each, got 2"):
        f(np.full(4, 2.0)).block_until_ready()


def test_importing_givens_does_not_import_jax() -> None:
    assert run("import givens, sys; print('jax' in sys.modules)") == "False"


def test_missing_jax_says_what_to_install() -> None:
    script = """
        import sys
        sys.modules["jax"] = None
        try:
            import givens.jax
        except ImportError as error:
            print(error)
    """
    message = run(script)
    assert message.startswith("givens.jax needs JAX")
    assert "pip install givens[jax]" in message
