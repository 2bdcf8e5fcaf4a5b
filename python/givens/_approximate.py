"""Few rotations for a given orthogonal or unitary matrix."""

from typing import NamedTuple

from givens import _core
from givens._dispatch.libraries import ForeignArray
from givens._operator import Operator


class Approximation(NamedTuple):
    """What `approximate` returns.

    Attributes
    ----------
    operator : Operator
        The product of the rotations. It has signs if U is real and they are not all +1, phases and
        a diagonal if U is complex.
    error : float
        The Frobenius norm of its difference to U, relative to the norm of U.

    Examples
    --------
    >>> import numpy as np, givens
    >>> operator, error = givens.approximate(np.array([[0.6, 0.8], [0.8, -0.6]]), rotations=1)
    >>> operator.matrix().round(3).tolist(), error < 1e-15
    ([[0.6, 0.8], [0.8, -0.6]], True)
    """

    operator: Operator
    error: float


def approximate(
    U: ForeignArray, *, rotations: int, max_rounds: int | None = None, sweeps: int = 1
) -> Approximation:
    """Approximate an orthogonal or unitary matrix by few rotations.

    Each new rotation takes the pair with which it lowers the error most; its angle and phase are
    known in closed form. In between, all angles and phases are refined one after the other, each as
    is best with the others as they are. `decompose` finds all rotations of U, without an error.

    Parameters
    ----------
    U : array, (n, n), float32, float64, complex64 or complex128
        Orthogonal, or unitary if complex, with ``max|U^H U - I|`` at most 32 (n + 1) eps. In the
        CPU's memory. Any strides.
    rotations : int
        At most this many rotations: fewer if they make U to all digits.
    max_rounds : int, optional
        At most this many rounds, over which the rotations are spread evenly: a round takes the best
        disjoint pairs. By default each rotation is in the earliest round that the order permits.
    sweeps : int, default 1
        How often all angles are refined, each time that the number of rotations has grown by 1/32.
        With 0 they stay as they were first chosen, which is faster and worse.

    Returns
    -------
    a : Approximation
        A named tuple ``(operator, error)``; the operator has the precision of U, and its signs
        have the determinant of U. Without `max_rounds` the error never grows with the number of
        rotations, but for rounding.

    Raises
    ------
    TypeError
        If U is no array, is in other memory, or has another dtype, or a number is no integer.
    ValueError
        If U is not square, has an entry that is not finite, or is not orthogonal or unitary, or a
        number is negative.

    Notes
    -----
    Cost: about 500 n `sweeps` operations for each rotation, and O(n**3) once, in double precision
    and on one thread. A matrix that is known to be a product of that many rotations is not always
    found exactly: to choose the pairs is a search, and this one does not look ahead.

    Examples
    --------
    The eigenvectors of a path of 16 nodes, of which there are 120 angles:

    >>> import numpy as np, givens
    >>> L = 2 * np.eye(16) - np.eye(16, k=1) - np.eye(16, k=-1)
    >>> _, U = np.linalg.eigh(L)
    >>> [round(givens.approximate(U, rotations=J).error, 1) for J in (10, 40, 80)]
    [1.0, 0.4, 0.0]
    """
    made, angles, phases, diagonal, signs, error = _core.approximate(
        U, rotations, max_rounds, sweeps
    )
    return Approximation(
        Operator(angles, made, phases=phases, diagonal=diagonal, signs=signs), error
    )
