"""What the functions for gradients return."""

from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")
P = TypeVar("P")


class RotateGradients(NamedTuple, Generic[V, P]):
    """The gradients of a real loss through `rotate`, by the names of its arguments.

    Attributes
    ----------
    x : array, the shape and dtype of the rotated vectors
        The gradient with respect to the vectors.
    angles : array, the shape and dtype of angles
        The gradient with respect to the angles.
    phases, diagonal : array, or None
        The gradients with respect to phases and diagonal; None where the call had no such argument.

    Examples
    --------
    >>> import numpy as np, givens
    >>> y = np.array([1.0, 0.0])
    >>> g = givens.rotate_vjp(y, np.array([0.0, 3.0]), np.array([0.0]), givens.Schedule.xor(2))
    >>> g.angles, g.phases
    (array([3.]), None)
    """

    x: V
    angles: P
    phases: P | None
    diagonal: P | None


class MatrixGradients(NamedTuple, Generic[P]):
    """The gradients of a real loss through `matrix`, by the names of its arguments.

    Attributes
    ----------
    angles : array, the shape and dtype of angles
        The gradient with respect to the angles.
    phases, diagonal : array, or None
        The gradients with respect to phases and diagonal; None where the call had no such argument.

    Examples
    --------
    >>> import numpy as np, givens
    >>> U = np.eye(2)
    >>> givens.matrix_vjp(U, np.ones((2, 2)), np.array([0.0]), givens.Schedule.xor(2)).diagonal
    """

    angles: P
    phases: P | None
    diagonal: P | None
