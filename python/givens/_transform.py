"""The public functions on arrays. `_dispatch.engine_of` says which module does the work.

To ask it takes up to 0.1 us of a call that may take 1 us. So calls with nothing but the required
arrays, if these are NumPy's, do not.
"""

from typing import Any, TypeVar, overload

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from givens import _core
from givens._core import Schedule
from givens._dispatch import engine_of
from givens._dispatch.libraries import ForeignArray
from givens._gradients import MatrixGradients, RotateGradients

# Arrays of vectors and of parameters: NumPy's, or of another library.
V = TypeVar("V", bound=ForeignArray)
P = TypeVar("P", bound=ForeignArray)
R = TypeVar("R", np.float32, np.float64)


@overload
def matrix(
    angles: NDArray[R],
    schedule: Schedule,
    *,
    signs: NDArray[R] | None = None,
    out: NDArray[R] | None = None,
    num_threads: int | None = None,
) -> NDArray[R]: ...
@overload
def matrix(
    angles: NDArray[R],
    schedule: Schedule,
    *,
    phases: NDArray[R] | None = None,
    diagonal: NDArray[R] | None = None,
    signs: NDArray[R] | None = None,
    out: NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def matrix(
    angles: P,
    schedule: Schedule,
    *,
    phases: P | None = None,
    diagonal: P | None = None,
    signs: P | None = None,
    out: P | None = None,
    num_threads: int | None = None,
) -> P: ...
def matrix(
    angles: Any,
    schedule: Schedule,
    *,
    phases: Any = None,
    diagonal: Any = None,
    signs: Any = None,
    out: Any = None,
    num_threads: int | None = None,
) -> Any:
    """Form the orthogonal or unitary matrix of the given angles.

    Rotation k of the schedule, in the plane (i, j) with i < j, has entries
    ``G[i, i] = G[j, j] = cos t``, ``G[i, j] = -exp(-ip) sin t`` and ``G[j, i] = exp(ip) sin t``,
    t its angle and p its phase (0 without `phases`). ``U = D @ G[K-1] @ ... @ G[0]``, where D is
    ``diag(exp(1j * diagonal))`` or ``diag(signs)`` or the identity. (arXiv:2106.00003, section 2.)

    Parameters
    ----------
    angles : array, (..., K), float32 or float64
        In radians, in schedule order; K = ``schedule.num_rotations``. Leading axes are batch axes.
    schedule : Schedule
        The rotations, on n coordinates.
    phases : array, (..., K), optional
        In radians, dtype of angles. Makes U complex.
    diagonal : array, (..., n), optional
        In radians, dtype of angles. Makes U complex. With angles and phases these are n**2 real
        parameters, enough for every unitary matrix.
    signs : array, (..., n), optional
        Each +1 or -1, dtype of angles: rows of U with -1 change their sign, so that an odd number
        gives determinant -1. Not together with `diagonal`.
    out : array, optional
        Where to put the result: shape and dtype of the result, any strides; it must not overlap an
        input. JAX's arrays cannot be written and are refused.
    num_threads : int, optional
        At most this many threads; by default `get_num_threads` says how many. The result is bitwise
        the same for any number. Not with arrays on a GPU.

    Returns
    -------
    array of the caller's library, (*batch, n, columns)
        U, or its first ``schedule.columns`` columns; `out` if it was given. float32 or float64 as
        angles are; complex64 or complex128 with phases or diagonal. The batch shape is the
        parameters' leading axes, broadcast as NumPy does.

    Raises
    ------
    TypeError
        If an argument is no array, has a wrong dtype (integers are not converted), is in other
        memory or of another library than the rest, or is a PyTorch tensor that requires a gradient.
    ValueError
        If a shape does not fit, a sign is neither +1 nor -1 (not checked on a GPU), or `out` cannot
        be written.
    RuntimeError
        If an array is on a GPU and that cannot be used; `givens.cuda` says more.

    Notes
    -----
    Cost: K rotations of each column, 4 multiplications and 2 additions each.

    Examples
    --------
    >>> import numpy as np, givens
    >>> U = givens.matrix(np.array([np.pi / 2]), givens.Schedule.xor(2))
    >>> U.round(3) + 0.0
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    is_plain = type(angles) is ndarray and out is phases is diagonal is signs is None
    engine = _core if is_plain else engine_of(angles, phases, diagonal, signs, out)
    return engine.matrix(angles, schedule, phases, diagonal, signs, num_threads, out)


def rotate(
    x: V,
    angles: P,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    out: V | None = None,
    phases: P | None = None,
    diagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> V:
    """Multiply vectors by U, or by its inverse, without forming it.

    For a vector x this is ``U @ x``, for rows (batch, n) ``x @ U.T``, and with ``axis=-2`` it is
    ``U @ x``, U as in `matrix` (with all its n columns, whatever ``schedule.columns``).

    Parameters
    ----------
    x : array, (*batch, ..., n)
        The vectors; their n coordinates lie along `axis`. float16, bfloat16, float32 or complex64
        with float32 angles, float64 or complex128 with float64 angles; complex if there are phases
        or a diagonal. Any strides. The leading axes match the batch shape of the parameters, and an
        axis of size 1 on either side is repeated.
    angles, schedule, phases, diagonal, signs
        As in `matrix`.
    axis : int, default -1
        The axis of x to rotate; not a batch axis.
    inverse : bool, default False
        Multiply by the inverse (transposed, or conjugate transposed) of U instead.
    out : array, optional
        Where to put the result: shape of the result, dtype of x, any strides. JAX's arrays cannot
        be written and are refused. It may be x itself. If it overlaps an input in another way, a
        temporary array is used; on a GPU such an array is refused.
    num_threads : int, optional
        As in `matrix`.

    Returns
    -------
    array of the caller's library, the shape of x with the batch axes in full
        The rotated vectors, in the dtype of x; `out` if it was given. With vectors of 16 bits all
        arithmetic is in float32, and the result is rounded once, to nearest.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape or the axis does not fit, or `out` cannot be written.
    RuntimeError
        As for `matrix`.

    Notes
    -----
    Cost: K rotations a vector. NaN and infinities spread to what depends on them.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.circle(5)
    >>> angles = np.linspace(-1.0, 1.0, s.num_rotations)
    >>> x = np.arange(10.0).reshape(2, 5)
    >>> y = givens.rotate(x, angles, s)
    >>> bool(np.allclose(y, x @ givens.matrix(angles, s).T))
    True
    >>> bool(np.allclose(givens.rotate(y, angles, s, inverse=True), x))
    True
    """
    is_plain = type(x) is type(angles) is ndarray and out is phases is diagonal is signs is None
    engine = _core if is_plain else engine_of(x, angles, out, phases, diagonal, signs)
    rotated: V = engine.rotate(
        x, angles, schedule, axis, inverse, out, phases, diagonal, signs, num_threads
    )
    return rotated


def rotate_vjp(
    y: V,
    gy: V,
    angles: P,
    schedule: Schedule,
    *,
    axis: int = -1,
    inverse: bool = False,
    out: V | None = None,
    phases: P | None = None,
    diagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> RotateGradients[V, P]:
    """Compute the gradients of a real loss through `rotate`, from its output alone.

    The rotations are undone from last to first, so that nothing but the output has to be kept
    (arXiv:2106.00003, section 4).

    Parameters
    ----------
    y : array, (*batch, ..., n)
        What `rotate` returned, with the batch axes in full.
    gy : array, the shape and dtype of y
        The gradient of the loss L with respect to y; for complex y with the convention
        ``dL = Re(sum(conj(gy) * dy))``.
    angles, schedule, axis, inverse, phases, diagonal, signs
        As they were given to `rotate`.
    out : array, optional
        Where to put the gradient with respect to x, called gx in messages: shape and dtype of y,
        any strides. JAX's arrays cannot be written and are refused.
    num_threads : int, optional
        As in `matrix`.

    Returns
    -------
    gradients : RotateGradients
        A named tuple ``(x, angles, phases, diagonal)``. The gradient with respect to x has the
        shape and dtype of y; where an axis of x was repeated, sum over it. The gradients with
        respect to the parameters have the shapes and dtype of these: they are sums over vectors,
        and over matrices that share a parameter. Phases and diagonal are None if the call had none.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape or the axis does not fit, or `out` cannot be written.
    RuntimeError
        As for `matrix`.

    Notes
    -----
    Cost: about three times as much as `rotate`; no memory but for the results.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(2)
    >>> y = givens.rotate(np.array([1.0, 0.0]), np.array([0.0]), s)
    >>> gradients = givens.rotate_vjp(y, np.array([0.0, 3.0]), np.array([0.0]), s)
    >>> gradients.x, gradients.angles
    (array([0., 3.]), array([3.]))
    """
    is_plain = type(y) is type(gy) is type(angles) is ndarray
    is_plain = is_plain and out is phases is diagonal is signs is None
    engine = _core if is_plain else engine_of(y, gy, angles, phases, diagonal, signs, out)
    gradients: RotateGradients[V, P] = engine.rotate_vjp(
        y, gy, angles, schedule, axis, inverse, phases, diagonal, signs, num_threads, out
    )
    return gradients


def matrix_vjp(
    U: V,
    gU: V,
    angles: P,
    schedule: Schedule,
    *,
    phases: P | None = None,
    diagonal: P | None = None,
    signs: P | None = None,
    num_threads: int | None = None,
) -> MatrixGradients[P]:
    """Compute the gradients of a real loss through `matrix`.

    Parameters
    ----------
    U : array, (*batch, n, columns)
        What `matrix` returned for the same parameters. Entries that are known to be zero in it are
        skipped, so that another matrix needs `rotate_vjp` with ``axis=-2``.
    gU : array, the shape and dtype of U
        The gradient of the loss L with respect to U; for complex U with the convention
        ``dL = Re(sum(conj(gU) * dU))``.
    angles, schedule, phases, diagonal, signs
        As they were given to `matrix`.
    num_threads : int, optional
        As in `matrix`.

    Returns
    -------
    gradients : MatrixGradients
        A named tuple ``(angles, phases, diagonal)`` of the gradients with respect to the
        parameters, in their shapes and dtype. Phases and diagonal are None if the call had none.

    Raises
    ------
    TypeError
        As for `matrix`.
    ValueError
        If a shape does not fit.
    RuntimeError
        As for `matrix`.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(2)
    >>> angles = np.array([0.0])
    >>> U = givens.matrix(angles, s)
    >>> givens.matrix_vjp(U, np.array([[0.0, -1.0], [1.0, 0.0]]), angles, s).angles
    array([2.])
    """
    is_plain = (
        type(U) is type(gU) is type(angles) is ndarray and phases is diagonal is signs is None
    )
    engine = _core if is_plain else engine_of(U, gU, angles, phases, diagonal, signs)
    gradients: MatrixGradients[P] = engine.matrix_vjp(
        U, gU, angles, schedule, phases, diagonal, signs, num_threads
    )
    return gradients
