"""From a matrix to the parameters that make it, exactly."""

from typing import Any

from numpy.typing import NDArray

from givens import _core
from givens._core import Schedule
from givens._dispatch.libraries import ForeignArray
from givens._parameters import Parameters


def decompose(U: NDArray[Any] | ForeignArray) -> Parameters:
    """Find the parameters with which the brickwall schedule makes a given matrix.

    ``givens.matrix(p.angles, p.schedule, phases=p.phases, diagonal=p.diagonal, signs=p.signs)`` of
    the result p is U. Entries below the diagonal are rotated to zero along the antidiagonals from
    the lower left corner, in turn from the right and from the left, as in a Clements mesh (Clements
    et al., Optica 3, 1460 (2016)). ``Schedule.brickwall(n)`` has these rotations.

    Parameters
    ----------
    U : array, (*batch, n, n), float32, float64, complex64 or complex128
        Orthogonal, or unitary if complex, in the CPU's memory. Any strides.

    Returns
    -------
    p : Parameters
        Arrays of the library and precision of U, with its batch axes. Real U has angles in
        (-pi, pi] and signs, which are all +1 if det U = 1, so that the angles alone make U;
        otherwise one is -1. Complex U has angles in [0, pi/2], and phases and diagonal in
        [-pi, pi]. Zeros are not rotated: a permutation with signs has multiples of pi/2 as angles,
        and the identity zeros.

    Raises
    ------
    TypeError
        If U is no array, is in other memory, or has another dtype; integers are not converted.
    ValueError
        If U is not a batch of square matrices, has an entry that is not finite, or is not
        orthogonal: ``max|U^T U - I|`` (``U^H`` if complex) of a matrix is above 32 (n + 1) eps. The
        message says of which matrix and how large it is. The bound allows for a matrix that
        `matrix` computed: two columns may each be off by 8 eps for each round, and most schedules
        have fewer than 2 n rounds.

    Notes
    -----
    Cost: O(n**3) for each matrix, in double precision. What `matrix` makes of the parameters is off
    by their rounding, and by the distance of U to the next orthogonal matrix.

    Examples
    --------
    >>> import numpy as np, givens
    >>> rng = np.random.default_rng(0)
    >>> U, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    >>> p = givens.decompose(U)
    >>> p.schedule
    Schedule.brickwall(5)
    >>> bool(np.allclose(givens.matrix(p.angles, p.schedule, signs=p.signs), U))
    True

    A unitary matrix:

    >>> V, _ = np.linalg.qr(rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)))
    >>> q = givens.decompose(V)
    >>> W = givens.matrix(q.angles, q.schedule, phases=q.phases, diagonal=q.diagonal)
    >>> bool(np.allclose(W, V))
    True
    """
    angles, phases, diagonal, signs = _core.decompose(U)
    n: int = (diagonal if signs is None else signs).shape[-1]
    return Parameters(Schedule.brickwall(n), angles, phases, diagonal, signs)
