"""`givens.jax.rotate` on vectors of 16 bits: bits as from NumPy, derivatives as in float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import givens
import givens.jax
from cases import REAL_OPTIONS, Case
from givens import Schedule
from oracles import present

EACH_DTYPE = pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])


def case(kind: str = "angles alone") -> Case:
    return Case.of(Schedule.xor(6), kind, (3, 6), dtype=np.float32)


@EACH_DTYPE
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("kind", REAL_OPTIONS)
def test_values_and_gradients(kind: str, inverse: bool, dtype) -> None:
    c = case(kind)
    x, gy = c.x.astype(dtype), c.gy.astype(dtype)
    angles, rest = c.given["angles"], {k: v for k, v in c.given.items() if k != "angles"}

    def rotate(x, angles):
        return givens.jax.rotate(x, angles, inverse=inverse, **rest)

    y, vjp = jax.vjp(jax.jit(rotate), x, angles)
    expected = givens.rotate(x, inverse=inverse, **c.given)
    gx, gangles = vjp(jnp.asarray(gy))
    gradients = present(givens.rotate_vjp(expected, gy, inverse=inverse, **c.given))
    for actual, wanted in zip((y, gx, gangles), (expected, *gradients), strict=True):
        assert actual.dtype == wanted.dtype
        assert np.asarray(actual).tobytes() == wanted.tobytes()

    each = jax.vmap(rotate, (0, None))(x, angles)
    assert np.asarray(each).tobytes() == expected.tobytes()


@EACH_DTYPE
def test_derivatives_in_both_modes_and_twice(dtype) -> None:
    c = case()
    x, dx = c.x.astype(dtype), c.gy.astype(dtype)
    schedule, angles = c.schedule, jnp.asarray(c.parameters["angles"])
    direction = jnp.linspace(-1, 1, len(angles), dtype=jnp.float32)

    def rotate(x, angles):
        return givens.jax.rotate(x, angles, schedule)

    def loss(x, angles):
        return jnp.sum(rotate(x, angles).astype(jnp.float32) ** 4)

    def wide(array):
        return jnp.asarray(array).astype(jnp.float32)

    # The value and its tangent are rounded once each; the tangent starts from the rounded value.
    y, dy = jax.jvp(rotate, (x, angles), (dx, direction))
    exact, dexact = jax.jvp(rotate, (wide(x), angles), (wide(dx), direction))
    assert (y.dtype, dy.dtype) == (dtype, dtype)
    eps = float(jnp.finfo(dtype).eps)
    assert np.asarray(y).tobytes() == np.asarray(exact.astype(dtype)).tobytes()
    size = np.linalg.norm(dexact) + np.linalg.norm(direction) * np.linalg.norm(exact)
    assert np.linalg.norm(wide(dy) - dexact) <= eps * size

    # The loss sums fourth powers of entries below 4, each with a few roundings.
    @jax.jit
    def second(x):
        g = jax.grad(loss, 1)
        forward = jax.jvp(lambda a: g(x, a), (angles,), (direction,))[1]
        reverse = jax.grad(lambda a: g(x, a) @ direction)(angles)
        return forward, reverse

    expected, _ = second(wide(x))
    for found in second(x):
        assert found.dtype == jnp.float32
        bound = 100 * eps * np.linalg.norm(expected)
        assert np.linalg.norm(found - expected) <= bound
    third = jax.jit(jax.jacfwd(jax.jacfwd(jax.grad(loss, 1), 1), 1))
    assert np.isfinite(third(x, angles)).all()


def test_what_is_refused_names_the_dtype() -> None:
    schedule = Schedule.xor(6)
    with pytest.raises(TypeError, match=r"x must be complex64 with float32 phases .* got bfloat16"):
        givens.jax.rotate(jnp.ones(6, jnp.bfloat16), jnp.ones(15), schedule, phases=jnp.ones(15))
    with pytest.raises(TypeError, match="angles must be float32 or float64, got float16"):
        givens.jax.matrix(jnp.ones(15, jnp.float16), schedule)
