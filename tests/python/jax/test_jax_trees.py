"""Schedules and `givens.Parameters` through the transformations of JAX, and objects of others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import givens
import givens.jax
from cases import SCHEDULES, random_angles
from givens import Schedule

KINDS = ["orthogonal", "unitary", "frame"]


def parameters(kind: str) -> givens.Parameters:
    """Make the parameters of a random matrix."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(5, 2 if kind == "frame" else 5))
    if kind == "unitary":
        A = A + 1j * rng.normal(size=A.shape)
    Q, _ = np.linalg.qr(A)
    return givens.decompose(Q.astype(np.complex64 if kind == "unitary" else np.float32))


def matrix(p: givens.Parameters) -> jax.Array:
    return givens.jax.matrix(**p._asdict())


def loss(p: givens.Parameters) -> jax.Array:
    return jnp.sum(jnp.abs(matrix(p) + 1) ** 3)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_arguments_and_results(kind: str) -> None:
    p = parameters(kind)
    leaves = jax.tree.leaves(p)
    assert [a.shape for a in leaves] == [a.shape for a in p[1:] if a is not None]
    again = jax.jit(lambda p: p)(p)
    assert isinstance(again, givens.Parameters)
    assert again.schedule == p.schedule
    np.testing.assert_array_equal(jax.jit(matrix)(p), givens.matrix(**p._asdict()))
    assert jax.device_put(p).schedule == p.schedule
    shapes = jax.eval_shape(lambda p: p, p)
    assert shapes.angles.shape == p.angles.shape


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_steps_are_parameters(kind: str) -> None:
    p = parameters(kind)
    value, g = jax.jit(jax.value_and_grad(loss))(p)
    assert g.schedule == p.schedule
    # A step along the gradient changes the loss, and what is absent stays absent.
    q = jax.tree.map(lambda a, ga: a - 1e-3 * ga, p, g)
    assert [a is None for a in q] == [a is None for a in p]
    assert loss(q) < value
    _, tangent = jax.jvp(loss, (p,), (g,))
    dot = sum(float(jnp.vdot(a, a)) for a in jax.tree.leaves(g))
    assert float(tangent) == pytest.approx(dot, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_mapped_and_scanned(kind: str) -> None:
    p = parameters(kind)
    many = jax.tree.map(lambda a: jnp.stack([a, 1 * a]), p)
    U = givens.matrix(**p._asdict())
    for found in (
        jax.vmap(matrix)(many),
        jax.vmap(matrix, in_axes=(jax.tree.map(lambda _: 0, p),))(many),
        jax.lax.scan(lambda carry, p: (carry, matrix(p)), p, many)[1],
    ):
        np.testing.assert_allclose(found, np.stack([U, U]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_arguments_and_results(name: str) -> None:
    schedule = SCHEDULES[name](6)
    angles = random_angles(np.random.default_rng(1), schedule, np.float32)
    compiled = jax.jit(lambda s, t: (s, givens.jax.matrix(t, s)))
    out, U = compiled(schedule, angles)
    assert out == schedule
    np.testing.assert_array_equal(U, givens.matrix(angles, schedule))
    assert jax.tree.leaves(schedule) == []
    with pytest.raises(ValueError, match="Schedule"):
        jax.tree.map(lambda a, b: a, (schedule, angles), (Schedule.xor(7), angles))


def test_equal_schedules_are_traced_once_as_arguments() -> None:
    traced = []
    f = jax.jit(lambda s, t: (traced.append(s), givens.jax.matrix(t, s))[1])
    for schedule in (Schedule.xor(4), Schedule.xor(4), Schedule.circle(4)):
        f(schedule, np.zeros(6, np.float32))
    assert traced == [Schedule.xor(4), Schedule.circle(4)]


class Wrapped:
    """An array in an object, as libraries of layers have them."""

    def __init__(self, value):
        self.value = value

    def __jax_array__(self):
        return self.value


@pytest.mark.parametrize("make", [jnp.asarray, np.asarray])
def test_objects_with_jax_array(make) -> None:
    s = Schedule.xor(4)
    angles, x = np.full(6, 0.1, np.float32), np.ones((3, 4), np.float32)
    signs = np.array([1, -1, 1, 1], np.float32)

    def wrapped(array):
        return Wrapped(make(array))

    U = givens.jax.matrix(wrapped(angles), s, signs=wrapped(signs))
    np.testing.assert_array_equal(U, givens.matrix(angles, s, signs=signs))
    y = jax.jit(lambda t: givens.jax.rotate(wrapped(x), Wrapped(t), s))(angles)
    np.testing.assert_array_equal(y, givens.rotate(x, angles, s))
    with pytest.raises(TypeError, match="angles must be a JAX or NumPy array, got str"):
        givens.jax.matrix(Wrapped("no array"), s)
