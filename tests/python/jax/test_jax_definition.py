"""What of `givens.jax` is plain JAX: platforms without kernels, derivatives without one."""

import jax
import numpy as np
import pytest

import givens
import givens.jax
from cases import makes_complex, random_parameters, random_vectors
from givens import Schedule
from givens.jax import _rounds
from givens.jax._setting import Setting
from oracles import (
    assert_gradients_close,
    assert_vectors_close,
    gradient_rounding,
    present,
    rounding,
)

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("kind", ["signs", "phases and diagonal"])
def test_definition_against_the_kernels(kind: str, inverse: bool) -> None:
    rng = np.random.default_rng(9)
    schedule = Schedule.team(7, 3, columns=4)
    angles, options = random_parameters(rng, kind, schedule, batches=((2,), (2,)))
    dtype = np.complex128 if makes_complex(options) else np.float64
    shape = (2, 7, 3)
    x, dx, gy, dgy = (random_vectors(rng, shape, dtype) for _ in range(4))
    setting = Setting(schedule, tuple(options), -2, inverse)
    parameters = (angles, *options.values())
    tangents = [rng.standard_normal(p.shape) for p in parameters[: setting.num_differentiable]]

    names = ["angles", *options]
    keywords = {
        **options,
        **{f"d{name}": t for name, t in zip(names, tangents, strict=False)},
    }
    dangles = keywords.pop("dangles")
    directed = {"axis": -2, "inverse": inverse, **keywords}
    y, dy = givens.rotate_jvp(x, dx, angles, dangles, schedule, **directed)
    U, dU = givens.matrix_jvp(angles, dangles, schedule, **keywords)
    gradients, dgradients = givens.rotate_vjp_jvp(
        y, dy, gy, dgy, angles, dangles, schedule, **directed
    )
    of_matrix = givens.rotate_vjp(U, dU, angles, schedule, axis=-2, **options)[1:]

    @jax.jit
    def everything(x, dx, y, dy, gy, dgy, U, dU):
        return (
            _rounds.rotate(setting, x, *parameters),
            _rounds.rotate_tangent(setting, y, *parameters, dx, *tangents),
            _rounds.matrix(setting, *parameters),
            _rounds.matrix_tangent(setting, U, *parameters, *tangents),
            _rounds.rotate_vjp(setting, y, gy, *parameters),
            _rounds.rotate_vjp_tangent(setting, y, gy, *parameters, dy, dgy, *tangents),
            _rounds.matrix_vjp(setting, U, dU, *parameters),
        )

    actual = everything(x, dx, y, dy, gy, dgy, U, dU)
    # Both are as far off as the bounds say. A tangent sums, for each rotation, what its angle,
    # phase or factor of a row does to vectors of unchanged length; its rounding is of that size.
    moved = 1 + sum(np.abs(t).sum() for t in tangents)
    of_vectors = 2 * rounding(schedule, np.float64)
    of_gradients = 2 * gradient_rounding(schedule, np.float64, 3)
    norm = max(map(np.linalg.norm, (x, dx, dy, gy, dgy, U, dU)))
    for part, expected, size in [
        (actual[0], y, norm),
        (actual[1], dy, norm * moved),
        (actual[2], U, norm),
        (actual[3], dU, norm * moved),
    ]:
        assert_vectors_close(np.asarray(part), expected, of_vectors * size, -2)
    for parts, expected, size in [
        (actual[4], gradients, norm**2),
        (actual[5], dgradients, 3 * norm**2 * moved),
        (actual[6], of_matrix, norm**2),
    ]:
        assert_gradients_close([*map(np.asarray, parts)], present(expected), of_gradients * size)


def test_other_platforms_run_the_definition() -> None:
    schedule = Schedule.circle(3)
    x, angles = np.ones((2, 3)), np.ones(3)

    def tangent(x, angles):
        return jax.jvp(lambda x, t: givens.jax.rotate(x, t, schedule), (x, angles), (x, angles))

    traced = jax.jit(tangent).trace(x, angles)
    assert "custom_call" not in traced.lower(lowering_platforms=("tpu",)).as_text()


def test_third_order() -> None:
    schedule = Schedule.xor(2)

    def cosine(t):
        return givens.jax.matrix(t[None], schedule)[0, 0]

    def sines(t):
        return jax.grad(jax.grad(jax.grad(cosine)))(t), jax.jacfwd(jax.hessian(cosine))(t)

    actual = jax.jit(sines)(0.5)
    np.testing.assert_allclose(actual, np.sin(0.5), rtol=0, atol=rounding(schedule, np.float64))
