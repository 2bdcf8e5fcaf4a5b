"""What defines a matrix."""

from typing import Any, NamedTuple

from givens._core import Schedule


class Parameters(NamedTuple):
    """A schedule and the parameters that make a matrix with it, by the names `matrix` gives them.

    `decompose`, `fit_angles` and `initial_parameters` return them. Phases and diagonal of an
    orthogonal matrix are None, and so are the signs of a unitary one. To JAX they are a tree with
    the arrays as leaves, once `givens.jax` is imported.

    Attributes
    ----------
    schedule : Schedule
        The rotations.
    angles : array, (*batch, K), float32 or float64
        In radians, in schedule order.
    phases : array, (*batch, K), or None
        In radians.
    diagonal : array, (*batch, n), or None
        In radians.
    signs : array, (*batch, n), or None
        Each +1 or -1.

    Examples
    --------
    >>> import numpy as np, givens
    >>> p = givens.decompose(np.array([[0.6, 0.8], [0.8, -0.6]]))
    >>> p.angles.shape, p.signs.tolist()
    ((1,), [-1.0, 1.0])
    >>> givens.matrix(**p._asdict()).round(3).tolist()
    [[0.6, 0.8], [0.8, -0.6]]
    """

    schedule: Schedule
    angles: Any
    phases: Any = None
    diagonal: Any = None
    signs: Any = None
