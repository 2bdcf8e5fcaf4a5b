"""Parameters of any schedule for a given matrix, by least squares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._checks import check_dtype, check_orthonormal, check_schedule
from givens._core import Schedule
from givens._initial import initial_parameters
from givens._parameters import Parameters
from givens._transform import matrix, matrix_vjp


class FitError(RuntimeError):
    """`fit_angles` has found no parameters that make the matrix.

    Attributes
    ----------
    residual : float
        The largest absolute difference between the entries of the closest matrix found and of the
        given one.
    parameters : Parameters
        The parameters of the closest matrix found.

    Examples
    --------
    >>> import numpy as np, givens
    >>> U = np.eye(4)[[1, 2, 3, 0]]
    >>> U[0] *= -1
    >>> try:
    ...     givens.fit_angles(U, givens.Schedule.from_rounds(4, [[(0, 1)]]))
    ... except givens.FitError as error:
    ...     print(round(error.residual, 3))
    1.0
    """

    def __init__(self, message: str, residual: float, parameters: Parameters) -> None:
        super().__init__(message)
        self.residual = residual
        self.parameters = parameters


def fit_angles(
    U: NDArray[Any], schedule: Schedule, *, rng: Any = 0, attempts: int = 10
) -> Parameters:
    """Find parameters with which a given schedule makes a given matrix.

    `decompose` does so exactly and faster, for the brickwall schedule. For others no direct method
    is known: `fit_angles` minimises the sum of squared differences by SciPy's Levenberg-Marquardt
    method, with the gradients of `matrix`, and starts again elsewhere when it gets stuck. It starts
    near the identity. Later starts are near matrices with some angles of pi, where all angles turn
    the matrix in different directions.

    Parameters
    ----------
    U : array, (n, columns), float32, float64, complex64 or complex128
        With orthonormal columns.
    schedule : Schedule
        It must have n coordinates and the columns of U.
    rng : numpy.random.Generator, int or None, default 0
        The source of random numbers, as `numpy.random.default_rng` takes it.
    attempts : int, default 10
        The largest number of starts.

    Returns
    -------
    p : Parameters
        One of many solutions, in the precision of U. Real U has angles and signs, which are +1 but
        for a -1 in the last row if det U = -1; complex U has angles, phases and diagonal. No entry
        of ``givens.matrix(**p._asdict())`` is off by more than 32 (n + 1) eps.

    Raises
    ------
    TypeError
        If U is not a NumPy array of these dtypes, or schedule not a Schedule.
    ValueError
        If a shape does not fit, attempts is less than 1, or ``max|U^T U - I|`` is above
        32 (n + 1) eps.
    FitError
        If no attempt came as close as that; the error holds the closest parameters found. Schedules
        that are not complete cannot make every matrix.
    ImportError
        If SciPy is not installed: ``pip install givens[fit]``.

    Notes
    -----
    Cost: each step solves n**2 equations for the K parameters, in O(n**6). An attempt takes up to
    10 n + 40 steps, and if U is far from the identity about every second attempt gets stuck: for
    n = 16 a fit takes about a second, for n = 32 minutes. For U near the identity a few steps
    suffice.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.xor(4)
    >>> U, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    >>> p = givens.fit_angles(U, s)
    >>> bool(np.allclose(givens.matrix(p.angles, s, signs=p.signs), U))
    True
    """
    tolerance = _check(U, schedule, attempts)
    try:
        from scipy.optimize import least_squares
    except ImportError as error:
        raise ImportError("fit_angles needs SciPy: pip install 'givens[fit]'") from error
    generator = np.random.default_rng(rng)
    n, K = schedule.n, schedule.num_rotations
    is_complex = np.iscomplexobj(U)
    target = U.astype(np.complex128 if is_complex else np.float64)
    signs = None
    if not is_complex:
        signs = np.ones(n)
        if n == schedule.columns and np.linalg.det(target) < 0:
            signs[-1] = -1

    def unpacked(x: NDArray[Any]) -> Parameters:
        if is_complex:
            return Parameters(schedule, x[:K], phases=x[K : 2 * K], diagonal=x[2 * K :])
        return Parameters(schedule, x, signs=signs)

    best = (np.inf, unpacked(np.zeros(2 * K + n if is_complex else K)))
    for attempt in range(attempts):
        # Phases have no effect at angles of 0, so that a unitary matrix needs a start beside them.
        start = initial_parameters(
            schedule, "small", rng=generator, dtype=target.dtype, scale=0.3 if is_complex else 0.0
        )
        x = np.concatenate(
            [a for a in (start.angles, start.phases, start.diagonal) if a is not None]
        )
        if attempt > 0:
            x[:K] += np.pi * generator.integers(0, 2, K)
        if x.size:
            x = least_squares(
                lambda x: _real(matrix(**unpacked(x)._asdict()) - target),
                x,
                lambda x: _jacobian(unpacked(x)),
                method="lm" if target.size * (1 + is_complex) >= x.size else "trf",
                xtol=1e-13,
                ftol=1e-13,
                gtol=1e-13,
                max_nfev=40 + 10 * n,
            ).x
        found = _rounded(unpacked(x), U.dtype)
        residual = float(np.abs(matrix(**found._asdict()) - target).max(initial=0))
        if residual <= tolerance:
            return found
        best = min(best, (residual, found), key=lambda pair: pair[0])
    raise FitError(
        f"no parameters of {schedule!r} were found that make U in {attempts} attempts: the closest "
        f"differ by {best[0]:.3g}, more than {tolerance:.3g}",
        *best,
    )


def _check(U: Any, schedule: Any, attempts: int) -> float:
    """Check the arguments, and return how far matrices may differ."""
    if not isinstance(U, np.ndarray):
        way_out = ": np.asarray(U, dtype=...) makes one" if isinstance(U, (list, tuple)) else ""
        raise TypeError(f"U must be a NumPy array, got {type(U).__name__}{way_out}")
    check_dtype(U.dtype, "U")
    check_schedule(schedule)
    if U.shape != (schedule.n, schedule.columns):
        raise ValueError(f"U must have shape {(schedule.n, schedule.columns)}, got shape {U.shape}")
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, got {attempts}")
    if not np.isfinite(U).all():
        raise ValueError("U must be finite, got an entry that is not")
    wide = U.astype(np.result_type(U, np.float64))
    tolerance = float(32 * (schedule.n + 1) * np.finfo(U.dtype).eps)
    check_orthonormal(wide, tolerance)
    return tolerance


def _real(x: NDArray[Any]) -> NDArray[np.float64]:
    """Return all entries in one row; of complex ones the real parts, then the imaginary parts."""
    return np.concatenate([x.real.ravel(), x.imag.ravel()]) if np.iscomplexobj(x) else x.ravel()


def _jacobian(p: Parameters) -> NDArray[np.float64]:
    """Differentiate `_real` of the matrix by angles, phases and diagonal; one row for each entry.

    A row is the gradient of its entry alone. The entries of a row of the matrix are one batch.
    """
    s = p.schedule
    U: NDArray[Any] = matrix(**p._asdict())
    units = [1, 1j] if np.iscomplexobj(U) else [1]
    given = {name: a for name, a in p._asdict().items() if isinstance(a, np.ndarray)}
    repeated: dict[str, Any] = {
        name: np.broadcast_to(a, (s.columns, a.size)) for name, a in given.items()
    }
    rows = []
    for unit in units:
        for i in range(s.n):
            gU = np.zeros((s.columns, *U.shape), U.dtype)
            gU[:, i] = unit * np.eye(s.columns)
            gradients = matrix_vjp(np.broadcast_to(U, gU.shape), gU, schedule=s, **repeated)
            rows.append(np.concatenate([g for g in gradients if g is not None], axis=1))
    return np.concatenate(rows)


def _rounded(p: Parameters, dtype: np.dtype[Any]) -> Parameters:
    """Bring angles within half a turn, and all parameters into the precision of a dtype."""
    real = np.finfo(dtype).dtype
    rounded = {
        name: (a if name == "signs" else np.remainder(a + np.pi, 2 * np.pi) - np.pi).astype(real)
        for name, a in p._asdict().items()
        if isinstance(a, np.ndarray)
    }
    return Parameters(p.schedule, **rounded)
