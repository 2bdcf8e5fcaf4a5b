"""Orthogonal and unitary matrices as differentiable functions of JAX.

`matrix` and `rotate` do what `givens.matrix` and `givens.rotate` do, on JAX arrays, under ``jit``,
``grad``, ``vmap``, ``jvp`` and each other, to any order. For derivatives a rotation keeps nothing
but its output. Importing this module makes `givens.Schedule` static data of JAX's trees, so that
`givens.Parameters` go through its transformations. docs/jax.md says what runs where.

Examples
--------
>>> import jax, jax.numpy as jnp, givens, givens.jax
>>> s = givens.Schedule.xor(4)
>>> x = jnp.arange(8.0).reshape(2, 4)
>>> loss = lambda angles: jnp.sum(givens.jax.rotate(x, angles, s) ** 4)
>>> jax.jit(jax.grad(loss))(jnp.zeros(s.num_rotations)).shape
(6,)
"""

import operator
from typing import Any

try:
    import jax
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"givens.jax needs JAX ({error}): run `pip install givens[jax]`", name=error.name
    ) from error

from givens import _core
from givens._core import Schedule
from givens.jax import _primitives, _trees  # noqa: F401
from givens.jax._arguments import (
    checked_shape,
    in_one_batch_shape,
    repeated,
    to_array,
    to_parameters,
)
from givens.jax._setting import Setting

__all__ = ["matrix", "rotate"]


def matrix(
    angles: Any,
    schedule: Schedule,
    *,
    phases: Any = None,
    diagonal: Any = None,
    signs: Any = None,
    num_threads: int | None = None,
) -> jax.Array:
    """Form the orthogonal or unitary matrix of the given angles, as `givens.matrix`.

    Parameters
    ----------
    angles, phases, diagonal, signs : array
        Arrays of JAX or NumPy, or objects with ``__jax_array__``; shapes and dtypes as for
        `givens.matrix`. Sizes of batch axes may be symbols of `jax.export`. Signs have no gradient.
    schedule : Schedule
        The rotations: static data, also as an argument of a function that is compiled.
    num_threads : int, optional
        At most this many threads, on the CPU; by default ``GIVENS_NUM_THREADS``, or as many as
        there are processors. `givens.set_num_threads` has no effect, since XLA calls from its own
        threads.

    Returns
    -------
    jax.Array, (*batch, n, columns)
        As `givens.matrix`. Its gradients follow JAX's convention for complex numbers.

    Raises
    ------
    TypeError, ValueError
        As `givens.matrix`, when traced. A sign that is neither +1 nor -1 raises ValueError or
        ``jax.errors.JaxRuntimeError`` when the compiled program runs on the CPU; elsewhere signs
        are not checked.

    Notes
    -----
    Cost: see `givens.matrix`, `givens.matrix_vjp`.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, givens, givens.jax
    >>> s = givens.Schedule.circle(3)
    >>> U = givens.jax.matrix(jnp.array([0.1, 0.2, 0.3]), s)
    >>> bool(jnp.allclose(U.T @ U, jnp.eye(3), atol=1e-6))
    True
    >>> jax.jacobian(givens.jax.matrix)(jnp.zeros(3), s).shape
    (3, 3, 3)
    """
    given = to_parameters(angles, phases, diagonal, signs)
    options = map(given.get, ("phases", "diagonal", "signs"))
    checked_shape(_core.matrix_shape, given["angles"], schedule, *options, num_threads)
    setting = Setting(schedule, tuple(given)[1:], num_threads=num_threads)
    return _primitives.matrix(setting, *in_one_batch_shape([*given.values()]))


def rotate(
    x: Any,
    angles: Any,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    phases: Any = None,
    diagonal: Any = None,
    signs: Any = None,
    num_threads: int | None = None,
) -> jax.Array:
    """Multiply vectors by U, or by its inverse, without forming it, as `givens.rotate`.

    Parameters
    ----------
    x : array, (*batch, ..., n)
        As for `givens.rotate`, of the kinds that `matrix` takes. All sizes but n may be symbols.
    angles, schedule, phases, diagonal, signs, num_threads
        As in `matrix`.
    axis : int, default -1
        The axis of x to rotate; not a batch axis.
    inverse : bool, default False
        Multiply by the inverse of U instead.

    Returns
    -------
    jax.Array, the shape of x with the batch axes in full
        The rotated vectors.

    Raises
    ------
    TypeError, ValueError
        As for `matrix`.

    Notes
    -----
    Cost: see `givens.rotate`, `givens.rotate_vjp`.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, givens, givens.jax
    >>> s = givens.Schedule.xor(4)
    >>> x, angles = jnp.ones((10, 4)), jnp.full(6, 0.1)
    >>> y = givens.jax.rotate(x, angles, s)
    >>> bool(jnp.allclose(y, x @ givens.jax.matrix(angles, s).T, atol=1e-6))
    True
    >>> one_matrix_each = jax.vmap(lambda x, angles: givens.jax.rotate(x, angles, s))
    >>> one_matrix_each(x, jnp.zeros((10, 6))).shape
    (10, 4)
    """
    given = to_parameters(angles, phases, diagonal, signs)
    options = map(given.get, ("phases", "diagonal", "signs"))
    x = to_array("x", x)
    shape = checked_shape(
        _core.rotated_shape, x, given["angles"], schedule, axis, inverse, *options, num_threads
    )
    from_end = operator.index(axis) - (x.ndim if axis >= 0 else 0)
    setting = Setting(schedule, tuple(given)[1:], from_end, inverse, num_threads)
    parameters = [*given.values()]
    vectors = repeated(x, shape, parameters)
    return _primitives.rotate(setting, vectors, *in_one_batch_shape(parameters))
