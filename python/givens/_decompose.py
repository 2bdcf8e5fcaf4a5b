"""From a matrix to the parameters that make it, exactly."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from givens import _core
from givens._checks import check_orthonormal
from givens._dispatch.libraries import ForeignArray, exports_dlpack, library_of
from givens._parameters import Parameters


def decompose(
    U: NDArray[Any] | ForeignArray,
    *,
    schedule: Literal["brickwall", "wavefront"] | None = None,
    tolerance: float | None = None,
    nearest: bool = False,
) -> Parameters:
    """Find the parameters that make a given matrix or frame.

    ``givens.matrix(**p._asdict())`` of the result p is U. Entries below the diagonal are rotated to
    zero by rotations of neighbouring rows or columns.

    Parameters
    ----------
    U : array, (*batch, n, m), m <= n, float32, float64, complex64 or complex128
        The columns are orthonormal; a square matrix is orthogonal, or unitary if complex. In the
        CPU's memory. Any strides.
    schedule : {"brickwall", "wavefront"}, optional
        - "brickwall": square matrices only, and the default for them. Entries become zero along the
          antidiagonals from the lower left corner, in turn from the right and from the left, as in
          a Clements mesh (Clements et al., Optica 3, 1460 (2016)).
        - "wavefront": the default for frames, m < n. Entries become zero column by column (Sameh
          and Kuck, J. ACM 25, 81 (1978)). There are as many angles as the manifold of frames has
          dimensions, ``n m - m(m+1)/2``.
    tolerance : float, optional
        The largest ``max|U^T U - I|`` (``U^H`` if complex) that is taken; 32 (n + 1) eps by
        default. That allows for a matrix that `matrix` computed: two columns may each be off by 8
        eps for each round, and most schedules have fewer than 2 n rounds.
    nearest : bool, default False
        Decompose the nearest matrix with orthonormal columns, which is the factor Q of the polar
        decomposition ``U = Q P``, computed in double precision. Any finite U is taken; with a
        tolerance, one that is no further from orthonormal columns than that.

    Returns
    -------
    p : Parameters
        Arrays of the library and precision of U, with its batch axes; ``p.schedule`` is
        ``Schedule.brickwall(n)`` or ``Schedule.wavefront(n, columns=m)``. Real U has angles in
        (-pi, pi]. A square one has signs too, which are all +1 if det U = 1, so that the angles
        alone make U; otherwise one is -1. Complex U has angles in [0, pi/2], and phases and
        diagonal in [-pi, pi]. Zeros are not rotated: a permutation with signs has multiples of pi/2
        as angles, and the identity zeros.

    Raises
    ------
    TypeError
        If U is no array, is in other memory, or has another dtype; integers are not converted.
    ValueError
        If U is not a batch of matrices with n >= m, is not square for "brickwall", has an entry
        that is not finite, or does not have orthonormal columns within the tolerance; the message
        says of which matrix and by how much. Also if schedule or tolerance is none of those above.

    Notes
    -----
    Cost: O(n m**2) for each matrix, in double precision. What `matrix` makes of the parameters is
    off by their rounding, and by the distance of U to the next matrix with orthonormal columns.

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

    A frame, written with four decimals:

    >>> p = givens.decompose(np.round(U[:, :2], 4), nearest=True)
    >>> p.schedule, p.angles.shape
    (Schedule.wavefront(5, columns=2), (7,))
    >>> bool(np.abs(givens.matrix(p.angles, p.schedule) - U[:, :2]).max() < 1e-3)
    True
    """
    if tolerance is not None:
        tolerance = float(tolerance)
    if nearest:
        U = _nearest(U, tolerance)
        tolerance = None
    made, angles, phases, diagonal, signs = _core.decompose(U, schedule, tolerance)
    # The angles alone make a frame.
    return Parameters(made, angles, phases, diagonal, signs if made.columns == made.n else None)


def _nearest(U: Any, tolerance: float | None) -> Any:
    """Return the polar factor of each matrix, as an array of the library of U."""
    if isinstance(U, np.ndarray):
        given = U
    elif exports_dlpack(U):
        library_of(U).check(U, "U")
        given = np.from_dlpack(U)
    else:
        return U  # the core refuses it
    if given.ndim < 2 or given.dtype.kind not in "fc" or given.shape[-1] > given.shape[-2]:
        return U
    if not np.isfinite(given).all():
        return U
    wide = given.astype(np.result_type(given, np.float64))
    if tolerance is not None:
        check_orthonormal(wide, tolerance)
    left, _, right = np.linalg.svd(wide, full_matrices=False)
    polar = (left @ right).astype(given.dtype)
    return polar if isinstance(U, np.ndarray) else library_of(U).from_numpy(polar, U)
