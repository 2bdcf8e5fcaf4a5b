"""Parameters to start from: the identity, matrices near it, or uniformly distributed ones."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from givens._checks import check_dtype, check_schedule
from givens._core import Schedule
from givens._decompose import decompose
from givens._haar import draw, is_wavefront
from givens._parameters import Parameters

_KINDS = ("identity", "small", "haar")


def initial_parameters(
    schedule: Schedule,
    kind: str,
    *,
    rng: Any = None,
    batch: tuple[int, ...] = (),
    dtype: DTypeLike = np.float64,
    scale: float = 0.01,
    signs: bool = False,
) -> Parameters:
    """Draw parameters of orthogonal or unitary matrices to start from.

    Parameters
    ----------
    schedule : Schedule
        The rotations.
    kind : {"identity", "small", "haar"}
        - "identity": all are zero.
        - "small": the matrices are near the identity. Angles and diagonal are normally distributed
          with standard deviation `scale`; phases, which do not change how near, are uniform over a
          turn.
        - "haar": the matrices are uniformly distributed (Haar measure) over SO(n), or O(n) with
          `signs`, or U(n), or over the frames of fewer columns. The schedule must have the
          rotations of ``Schedule.wavefront``, whose angles are independent (see
          `haar_log_density`), or of ``Schedule.brickwall(n)``: then matrices are drawn by QR
          decomposition of normally distributed ones (Mezzadri, Notices of the AMS 54, 592 (2007))
          and decomposed. For other schedules the distribution of the angles is not known.
    rng : numpy.random.Generator, int or None
        The source of random numbers, as `numpy.random.default_rng` takes it. None is a new seed
        every time.
    batch : tuple of int, default ()
        The batch shape.
    dtype : dtype, default float64
        The dtype of the matrices: float32 or float64 if they are orthogonal, complex64 or
        complex128 if they are unitary. The parameters have its precision.
    scale : float, default 0.01
        The standard deviation for "small", in radians.
    signs : bool, default False
        Draw signs too, so that matrices have determinant -1 as often as 1; with "haar" and a real
        dtype only.

    Returns
    -------
    p : Parameters
        Angles (*batch, K); phases (*batch, K) and diagonal (*batch, n) if dtype is complex; signs
        (*batch, n) if asked for.

    Raises
    ------
    TypeError
        If schedule is not a Schedule, dtype is none of the four, or rng cannot be one.
    ValueError
        If kind is unknown, or cannot be had with this schedule or these signs.

    Notes
    -----
    Cost: the drawing of random numbers, and for "haar" with brickwall O(n**3) for each matrix.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(8)
    >>> p = givens.initial_parameters(s, "small", rng=0, batch=(3,), dtype=np.float32)
    >>> U = givens.matrix(p.angles, s)
    >>> U.shape, U.dtype, bool(np.abs(U - np.eye(8)).max() < 0.1)
    ((3, 8, 8), dtype('float32'), True)
    >>> p = givens.initial_parameters(givens.Schedule.brickwall(8), "haar", rng=0)
    >>> U = givens.matrix(**p._asdict())
    """
    check_schedule(schedule)
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}, got {kind!r}")
    made = np.dtype(dtype)
    check_dtype(made, "dtype")
    is_complex = made.kind == "c"
    if signs and (kind != "haar" or is_complex):
        raise ValueError(f'signs must come with "haar" and a real dtype, got {kind!r} and {made}')
    generator = np.random.default_rng(rng)
    if kind == "haar":
        if is_wavefront(schedule):
            found = draw(schedule, generator, batch, is_complex)
            if signs:
                found = found._replace(signs=_random_determinants(schedule, generator, batch))
        else:
            found = _brickwall(schedule, generator, batch, is_complex)
        if not signs:
            # Without its signs the matrix is uniform over SO(n): it is a matrix of O(n) times one
            # that depends on the determinant only.
            found = found._replace(signs=None)
    else:
        spread = scale if kind == "small" else 0.0
        turn = np.pi if kind == "small" else 0.0
        of_rotations = (*batch, schedule.num_rotations)
        found = Parameters(schedule, spread * generator.standard_normal(of_rotations))
        if is_complex:
            found = found._replace(
                phases=generator.uniform(-turn, turn, of_rotations),
                diagonal=spread * generator.standard_normal((*batch, schedule.n)),
            )
    real = np.finfo(made).dtype
    given = {
        name: a.astype(real) for name, a in found._asdict().items() if isinstance(a, np.ndarray)
    }
    return Parameters(schedule, **given)


def _random_determinants(
    schedule: Schedule, rng: np.random.Generator, batch: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return signs whose product is -1 as often as 1."""
    signs = np.ones((*batch, schedule.n))
    signs[..., -1:] = rng.integers(0, 2, (*batch, min(schedule.n, 1))) * 2.0 - 1.0
    return signs


def _brickwall(
    schedule: Schedule, rng: np.random.Generator, batch: tuple[int, ...], is_complex: bool
) -> Parameters:
    """Decompose uniformly distributed matrices, in double precision."""
    n = schedule.n
    if schedule.columns < n or not np.array_equal(schedule.pairs, Schedule.brickwall(n).pairs):
        raise ValueError(
            "schedule must have the rotations of Schedule.wavefront or Schedule.brickwall(n) for "
            '"haar", as the angles of uniformly distributed matrices are not known for others, '
            f"got {schedule!r}"
        )
    X = rng.standard_normal((*batch, n, n))
    if is_complex:
        X = X + 1j * rng.standard_normal((*batch, n, n))
    Q, R = np.linalg.qr(X)
    # If the diagonal of R is made positive, Q depends on X alone, not on how it was computed.
    diagonal = np.diagonal(R, axis1=-2, axis2=-1)
    return decompose(Q * (diagonal / np.abs(diagonal))[..., None, :])
