"""The rotations written in plain JAX, one round after the other.

They are slow, but differentiable to any order and on any device. Derivatives that no kernel
computes are derivatives of them, and platforms without kernels run them.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import jax
import jax.numpy as jnp

from givens._rounds import tables
from givens.jax._setting import Setting

Arrays = tuple[Any, ...]

_tables = lru_cache(maxsize=64)(tables)


def in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Change a function of vectors so that it computes with 16-bit vectors in float32.

    Its first argument after the setting is an array of vectors, and so is its first result.
    """

    @wraps(function)
    def wide(setting: Setting, first: Any, *rest: Any) -> Any:
        dtype = first.dtype
        if dtype.itemsize != 2:
            return function(setting, first, *rest)
        arrays = (a.astype(jnp.float32) if a.dtype == dtype else a for a in (first, *rest))
        out = function(setting, *arrays)
        if isinstance(out, tuple | list):
            return [out[0].astype(dtype), *out[1:]]
        return out.astype(dtype)

    return wide


@in_single
def rotate(setting: Setting, x: Any, *parameters: Any) -> Any:
    """Multiply vectors by U or its inverse.

    In a round every coordinate c becomes ``cos(t) x[c] + w x[partner of c]``, w being
    ``exp(ip) sin(t)`` for the greater coordinate of a pair, ``-exp(-ip) sin(t)`` for the smaller.
    """
    given = setting.named(parameters)
    vectors = x.ndim - given["angles"].ndim  # axes that are neither batch axes nor the coordinates

    def along_vectors(parameter: Any) -> Any:
        batch = parameter.shape[:-1]
        return parameter.reshape(*batch, *(1,) * vectors, parameter.shape[-1])

    t = along_vectors(given["angles"])
    cosine, sine = jnp.cos(t), jnp.sin(t)
    if "phases" in given:
        sine = sine * jnp.exp(1j * along_vectors(given["phases"]))
    factors = None
    if "diagonal" in given:
        factors = jnp.exp(1j * along_vectors(given["diagonal"]))
    elif "signs" in given:
        factors = along_vectors(given["signs"])

    # A coordinate without a partner is rotated by nothing, which comes after the last rotation.
    none = [(0, 0)] * (t.ndim - 1) + [(0, 1)]
    cosine, sine = jnp.pad(cosine, none, constant_values=1), jnp.pad(sine, none)

    def one_round(x: Any, tables: Arrays) -> tuple[Any, None]:
        partner, rotation, is_greater = tables
        w = jnp.take(sine, rotation, axis=-1)
        w = jnp.where(is_greater, w, -jnp.conj(w))
        if setting.inverse:
            w = -w
        return jnp.take(cosine, rotation, axis=-1) * x + w * jnp.take(x, partner, axis=-1), None

    x = jnp.moveaxis(x, setting.axis, -1)
    if factors is not None and setting.inverse:
        x = jnp.conj(factors) * x
    x, _ = jax.lax.scan(one_round, x, _tables(setting.schedule), reverse=setting.inverse)
    if factors is not None and not setting.inverse:
        x = factors * x
    return jnp.moveaxis(x, -1, setting.axis)


def matrix(setting: Setting, *parameters: Any) -> Any:
    """Form the first columns of U."""
    schedule = setting.schedule
    identity = jnp.eye(schedule.n, schedule.columns, dtype=setting.dtype_of_matrix(parameters))
    batch = parameters[0].shape[:-1]
    x = jnp.broadcast_to(identity, (*batch, *identity.shape))
    return rotate(setting.of_columns(), x, *parameters)


@in_single
def rotate_tangent(setting: Setting, y: Any, *arrays: Any) -> Any:
    """Compute the tangent of `rotate` from its output, parameters, dx and their tangents."""
    parameters, (dx, *tangents) = setting.split(arrays)
    x = rotate(setting.inverted(), y, *parameters)
    return jax.jvp(*_differentiable(rotate, setting, (x,), parameters), (dx, *tangents))[1]


def matrix_tangent(setting: Setting, _: Any, *arrays: Any) -> Any:
    """Compute the tangent of `matrix` from parameters and their tangents; U is not needed."""
    parameters, tangents = setting.split(arrays)
    return jax.jvp(*_differentiable(matrix, setting, (), parameters), tuple(tangents))[1]


@in_single
def rotate_vjp(setting: Setting, y: Any, gy: Any, *parameters: Any) -> Arrays:
    """Compute the gradients through `rotate`, as `givens.rotate_vjp`."""
    x = rotate(setting.inverted(), y, *parameters)
    f, primals = _differentiable(rotate, setting, (x,), parameters)
    gx, *gradients = jax.vjp(f, *primals)[1](jnp.conj(gy))
    return jnp.conj(gx), *gradients


@in_single
def rotate_vjp_tangent(setting: Setting, y: Any, gy: Any, *arrays: Any) -> Arrays:
    """Compute the tangent of `rotate_vjp` from parameters, dy, dgy and tangents of parameters."""
    parameters, tangents = setting.split(arrays)
    f, primals = _differentiable(rotate_vjp, setting, (y, gy), parameters)
    return jax.jvp(f, primals, tuple(tangents))[1]  # type: ignore[no-any-return]


def _differentiable(function: Any, setting: Setting, vectors: Arrays, parameters: Arrays) -> Any:
    """Return a function of all but the signs, which have no tangents, and its arguments."""
    count = len(vectors) + setting.num_differentiable
    fixed = parameters[setting.num_differentiable :]

    def f(*primals: Any) -> Any:
        return function(setting, *primals, *fixed)

    primals = (*vectors, *parameters)[:count]
    return f, primals


def matrix_vjp(setting: Setting, U: Any, gU: Any, *parameters: Any) -> Arrays:
    """Compute the gradients through `matrix`, as `givens.matrix_vjp`."""
    return rotate_vjp(setting.of_columns(), U, gU, *parameters)[1:]  # type: ignore[no-any-return]
