"""Forward-mode and second-order derivatives, on the CPU."""

from typing import Any, TypeVar

from givens._core import Schedule
from givens._dispatch import engine_of
from givens._dispatch.libraries import ForeignArray
from givens._gradients import RotateGradients

# Arrays of vectors and of parameters: NumPy's, or of another library.
V = TypeVar("V", bound=ForeignArray)
P = TypeVar("P", bound=ForeignArray)


def matrix_jvp(
    angles: P,
    dangles: P | None,
    schedule: Schedule,
    *,
    phases: P | None = None,
    dphases: P | None = None,
    diagonal: P | None = None,
    ddiagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> tuple[Any, Any]:
    """Form `matrix` and its tangent: how it changes as the parameters do.

    Parameters
    ----------
    angles, schedule, phases, diagonal, signs, num_threads
        As in `matrix`.
    dangles, dphases, ddiagonal : array or None
        The tangents of the parameters, each of the shape and dtype of its parameter; None is zero.

    Returns
    -------
    U : array, (*batch, n, columns)
        What `matrix` returns.
    dU : array, the shape and dtype of U
        The derivative of ``U(angles + e * dangles, ...)`` by e at e = 0.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape does not fit, or a tangent comes without its parameter.
    NotImplementedError
        If an array is in the memory of a GPU.

    Notes
    -----
    Cost: K rotations of each column in dual numbers, 12 multiplications and 8 additions each.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(2)
    >>> U, dU = givens.matrix_jvp(np.array([0.0]), np.array([2.0]), s)
    >>> dU + 0.0
    array([[ 0., -2.],
           [ 2.,  0.]])
    """
    options = (phases, dphases, diagonal, ddiagonal, signs)
    engine = engine_of(angles, dangles, *options)
    U, dU = engine.matrix_jvp(angles, dangles, schedule, *options, num_threads)
    return U, dU


def rotate_jvp(
    x: V,
    dx: V | None,
    angles: P,
    dangles: P | None,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    phases: P | None = None,
    dphases: P | None = None,
    diagonal: P | None = None,
    ddiagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> tuple[V, V]:
    """Compute `rotate` and its tangent: how the result changes as vectors and parameters do.

    Parameters
    ----------
    x, angles, schedule, axis, inverse, phases, diagonal, signs, num_threads
        As in `rotate`.
    dx : array or None, the shape and dtype of x
        The tangent of x; None is zero.
    dangles, dphases, ddiagonal : array or None
        The tangents of the parameters, each of the shape and dtype of its parameter; None is zero.

    Returns
    -------
    y : array, the shape of x with the batch axes in full
        What `rotate` returns.
    dy : array, the shape and dtype of y
        The derivative of the result for ``x + e * dx``, ``angles + e * dangles`` and so on by e at
        e = 0.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape or the axis does not fit, or a tangent comes without its parameter.
    NotImplementedError
        If an array is in the memory of a GPU.

    Notes
    -----
    Cost: K rotations of each vector in dual numbers, as in `matrix_jvp`.

    Examples
    --------
    The adjoint of `rotate_vjp`:

    >>> import numpy as np, givens
    >>> s = givens.Schedule.circle(5)
    >>> rng = np.random.default_rng(0)
    >>> angles, dangles = rng.normal(size=(2, s.num_rotations))
    >>> x, dx, gy = rng.normal(size=(3, 7, 5))
    >>> y, dy = givens.rotate_jvp(x, dx, angles, dangles, s)
    >>> g = givens.rotate_vjp(y, gy, angles, s)
    >>> bool(np.isclose(np.sum(gy * dy), np.sum(g.x * dx) + g.angles @ dangles))
    True
    """
    vectors, options = (x, dx, angles, dangles), (phases, dphases, diagonal, ddiagonal, signs)
    engine = engine_of(*vectors, *options)
    y, dy = engine.rotate_jvp(*vectors, schedule, axis, inverse, *options, num_threads)
    return y, dy


def rotate_vjp_jvp(
    y: V,
    dy: V | None,
    gy: V,
    dgy: V | None,
    angles: P,
    dangles: P | None,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    phases: P | None = None,
    dphases: P | None = None,
    diagonal: P | None = None,
    ddiagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> tuple[RotateGradients[V, P], RotateGradients[V, P]]:
    """Compute `rotate_vjp` and its tangent: second derivatives.

    With dy from `rotate_jvp` and dgy the change of the loss's own gradient, this is the product of
    the loss's Hessian and a vector.

    Parameters
    ----------
    y, gy, angles, schedule, axis, inverse, phases, diagonal, signs, num_threads
        As in `rotate_vjp`.
    dy, dgy : array or None, the shape and dtype of y
        The tangents of y and gy; None is zero.
    dangles, dphases, ddiagonal : array or None
        The tangents of the parameters, each of the shape and dtype of its parameter; None is zero.

    Returns
    -------
    gradients : RotateGradients
        What `rotate_vjp` returns.
    tangents : RotateGradients
        The derivatives of the gradients along the given tangents, by the same names.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape or the axis does not fit, or a tangent comes without its parameter.
    NotImplementedError
        If an array is in the memory of a GPU.

    Notes
    -----
    Cost: about three times as much as `rotate_jvp`. For `matrix_vjp` give U and
    its gradient as y and gy, with ``axis=-2``.

    Examples
    --------
    The second derivative of ``L = sum(rotate(x, angles)**3)`` along dangles:

    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(2)
    >>> x, angles, dangles = np.array([1.0, 0.0]), np.array([0.0]), np.array([1.0])
    >>> y, dy = givens.rotate_jvp(x, None, angles, dangles, s)
    >>> _, tangents = givens.rotate_vjp_jvp(y, dy, 3 * y**2, 6 * y * dy, angles, dangles, s)
    >>> tangents.angles  # L = cos(t)**3 + sin(t)**3
    array([-3.])
    """
    vectors = (y, dy, gy, dgy, angles, dangles)
    options = (phases, dphases, diagonal, ddiagonal, signs)
    engine = engine_of(*vectors, *options)
    gradients, tangents = engine.rotate_vjp_jvp(
        *vectors, schedule, axis, inverse, *options, num_threads
    )
    return gradients, tangents
