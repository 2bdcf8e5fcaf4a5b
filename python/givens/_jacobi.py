"""Rotations that make symmetric and Hermitian matrices diagonal, few of them or all."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from givens import _core
from givens._core import Schedule
from givens._dispatch.libraries import ForeignArray
from givens._operator import Operator


class Diagonalisation(NamedTuple):
    """What `jacobi` returns: A is approximately ``U diag(values) U^H``.

    Attributes
    ----------
    values : array, (*batch, n), float32 or float64
        The diagonal of ``U^H A U``, in the order of the coordinates: approximate eigenvalues. For
        several matrices together the matrices ``U^H A U``, (*batch, k, n, n), in the dtype of A.
    operator : Operator
        U. Of a batch whose matrices have different pairs it is a tuple of operators, nested as the
        batch axes are.

    Examples
    --------
    >>> import numpy as np, givens
    >>> A = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> values, operator = givens.jacobi(A)
    >>> U = operator.matrix()
    >>> bool(np.allclose(U @ np.diag(values) @ U.T, A))
    True
    """

    values: Any
    operator: Any


def jacobi(
    A: ForeignArray,
    *,
    rotations: int | None = None,
    tol: float | None = None,
    pairs: Literal["largest"] | Schedule = "largest",
    joint: bool = False,
    max_rounds: int | None = None,
) -> Diagonalisation:
    """Find rotations that make a symmetric or Hermitian matrix diagonal.

    By Jacobi's method: each rotation makes the entry of its pair zero. A few rotations give an
    approximate eigenbasis that is fast to apply, as the fast graph Fourier transforms of Le
    Magoarou, Gribonval and Tremblay (IEEE Trans. Signal Inf. Process. Netw. 4, 407 (2018)). With
    all that `tol` asks for, this is an eigensolver.

    Parameters
    ----------
    A : array, (*batch, n, n), float32, float64, complex64 or complex128
        Symmetric, or Hermitian if complex, to within 32 (n + 1) eps of its largest entry; its mean
        with its adjoint is taken. In the CPU's memory. Any strides.
    rotations : int, optional
        At most this many rotations.
    tol : float, optional
        Stop where the Frobenius norm of the entries off the diagonal is at most this, relative to
        the norm of A. With a schedule that is seen after each time through all its rounds. By
        default 0 if `rotations` or `max_rounds` is given, otherwise 32 eps.
    pairs : "largest" or Schedule, default "largest"
        - "largest": each rotation takes the pair with the largest ``|a_ij|``. In the schedule of
          the operator each is in the earliest round that the order permits.
        - a schedule of n coordinates: all pairs of a round at once, from the last round to the
          first, again and again (Brent and Luk, SIAM J. Sci. Stat. Comput. 6, 69 (1985)). The
          schedule of the operator has the rounds of the given one, repeated; if `rotations` or
          `max_rounds` ends them, the last of these. A batch shares it: matrices that need fewer
          rotations than others have angles 0 in the first.
    joint : bool, default False
        A has shape (*batch, k, n, n), and one U makes k matrices together as nearly diagonal as it
        can: a rotation minimises the sum of the squares of all their entries off the diagonal
        (Cardoso and Souloumiac, SIAM J. Matrix Anal. Appl. 17, 161 (1996)), and the pair that
        lowers it most counts as the largest. Norms are of all k matrices. The method also stops
        where no rotation lowers that sum by more than ``tol**2`` of the sum over all entries.
    max_rounds : int, optional
        At most this many rounds. With "largest" a round then takes the largest disjoint pairs, and
        the rotations, by default n // 2 a round, are spread evenly over the rounds.

    Returns
    -------
    d : Diagonalisation
        A named tuple ``(values, operator)`` in the precision of A, values as an array of its
        library. If A is a batch and pairs are "largest", each matrix has its own operator, as if it
        had been given alone: `operator` is then a tuple of them, nested as the batch axes are.
        Angles are in [-pi/4, pi/4]; of complex matrices in [0, pi/4], with phases.

    Raises
    ------
    TypeError
        If A is no array, is in other memory, or has another dtype, or a number is none.
    ValueError
        If A is not a batch of square matrices, has an entry that is not finite, or is not symmetric
        or Hermitian; if a limit is negative; or if pairs is neither "largest" nor a schedule of n
        coordinates, with all columns, in which all coordinates meet. They need not all meet if
        `rotations` or `max_rounds` is given.
    RuntimeError
        If only `tol` ends the rotations, and 1000 for each pair do not reach it.

    Notes
    -----
    Cost: O(n) for each rotation, O(k n) with `joint`, and O(n**2) once for each matrix, in double
    precision and on one thread. Rotations of one matrix fewer than asked for suffice where it
    becomes diagonal.

    Examples
    --------
    The Laplacian of a ring of 8 nodes, and its eigenvectors by 16 rotations of the 28:

    >>> import numpy as np, givens
    >>> L = 2 * np.eye(8) - np.roll(np.eye(8), 1, axis=0) - np.roll(np.eye(8), -1, axis=0)
    >>> values, operator = givens.jacobi(L, rotations=16)
    >>> operator.schedule.num_rotations
    16
    >>> U = operator.matrix()
    >>> bool(np.linalg.norm(U @ np.diag(values) @ U.T - L) < 0.2 * np.linalg.norm(L))
    True

    All eigenvalues, and a round-robin schedule:

    >>> values, operator = givens.jacobi(L, pairs=givens.Schedule.circle(8))
    >>> bool(np.allclose(np.sort(values), np.linalg.eigvalsh(L)))
    True

    Two matrices with the same eigenvectors:

    >>> matrices, operator = givens.jacobi(np.stack([L, L @ L]), joint=True)
    >>> bool(np.allclose(matrices[1], np.diag(np.diag(matrices[1]))))
    True
    """
    schedule = pairs if isinstance(pairs, Schedule) else None
    if schedule is None and not (isinstance(pairs, str) and pairs == "largest"):
        raise ValueError(f'pairs must be "largest" or a givens.Schedule, got {pairs!r}')
    values, found = _core.jacobi(
        A,
        schedule,
        rotations,
        max_rounds,
        None if tol is None else float(tol),
        joint,
    )
    operators = (Operator(angles, made, phases=phases) for made, angles, phases in found)
    batch = tuple(values.shape)[: -3 if joint else -1]
    return Diagonalisation(values, _nested(operators, batch if schedule is None else ()))


def _nested(operators: Iterator[Operator], shape: tuple[int, ...]) -> Any:
    """Take as many operators as the shape has elements, as tuples nested by its axes."""
    if not shape:
        return next(operators)
    return tuple(_nested(operators, shape[1:]) for _ in range(shape[0]))
