"""Parameters of any schedule for a given matrix, by least squares."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._checks import check_dtype, check_orthonormal, check_schedule
from givens._core import Schedule
from givens._initial import initial_parameters
from givens._parameters import Parameters
from givens._transform import matrix


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
    is known: `fit_angles` minimises the sum of squared differences by the method of Levenberg and
    Marquardt, with the exact derivatives, and starts again elsewhere when it gets stuck. It starts
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

    Notes
    -----
    The derivatives are taken in the tangent space of the group at the matrix that the parameters
    make, where each rotation k is a plane of the rotations before it: ``U^H dU/dt = P^H A P``, with
    P their product and A the generator of rotation k. So no derivative costs more than its entries.

    Cost: each step solves as many equations as there are parameters, n (n - 1) / 2 angles or n**2
    in all, in O(n**6). An attempt takes up to 400 steps: of 0.2 ms at n = 8, 8 ms at n = 32 and
    0.4 s at n = 64, for real matrices on one thread. At n = 32 most attempts succeed for brickwall
    and about every third for circle, but few for xor and team. For U near the identity a few steps
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
        x = _minimise(x, unpacked, target, tolerance / 8)
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


def _minimise(
    x: NDArray[np.float64],
    unpacked: Callable[[NDArray[np.float64]], Parameters],
    target: NDArray[Any],
    tolerance: float,
) -> NDArray[np.float64]:
    """Lower the sum of squared differences until no entry differs by more than `tolerance`.

    It ends also after 400 steps, where no step lowers the sum, and where a hundred steps do not
    halve it.
    """

    def difference(x: NDArray[np.float64]) -> tuple[float, float]:
        off = np.abs(matrix(**unpacked(x)._asdict()) - target)
        return float(np.vdot(off, off)), float(off.max(initial=0))

    total, largest = difference(x)
    damping = 1e-3
    halved, before = 0, total
    for step in range(400):
        if largest <= tolerance or step >= halved + 100 or x.size == 0:
            break
        derivatives, wanted = _tangents(unpacked(x), target)
        gradient = derivatives @ wanted
        products = derivatives @ derivatives.T
        while True:
            damped = products.copy()
            damped[np.diag_indices_from(damped)] += damping
            moved = x + np.linalg.solve(damped, gradient)
            lower, largest_there = difference(moved)
            if lower < total:
                break
            damping *= 4
            if damping > 1e8:
                return x
        x, total, largest = moved, lower, largest_there
        damping = max(damping / 5, 1e-12)
        if total <= before / 2:
            halved, before = step, total
    return x


def _tangents(
    p: Parameters, target: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return directions Q^H dQ of all parameters, a row each, and that from Q to the target.

    The coordinates are the entries below the diagonal of the anti-Hermitian matrices, and for
    complex ones the diagonal too: those in the columns of Q. Entries that appear twice in these
    have a factor of sqrt(2).
    """
    schedule = p.schedule
    n, columns = schedule.n, schedule.columns
    a, b = np.tril_indices(n, -1, columns)
    twice = np.where(a < columns, np.sqrt(2.0), 1.0)
    on_diagonal = np.arange(columns)

    def coordinates(entry: Callable[[Any, Any], NDArray[Any]]) -> NDArray[np.float64]:
        parts = [twice * entry(a, b).real]
        if p.phases is not None:
            parts += [twice * entry(a, b).imag, entry(on_diagonal, on_diagonal).imag]
        return np.concatenate(parts, axis=-1)

    def of_pairs(left: NDArray[Any], right: NDArray[Any]) -> Callable[..., NDArray[Any]]:
        """Entries of left^H right - right^H left for each row of both."""
        return lambda a, b: (
            left[..., a].conj() * right[..., b] - right[..., a].conj() * left[..., b]
        )

    P = np.eye(n, dtype=target.dtype)  # the product of the rotations so far
    by_angles, by_phases = [], []
    for r in range(schedule.num_rounds):
        k = slice(schedule.round_offsets[r], schedule.round_offsets[r + 1])
        i, j = schedule.round(r).T
        x, y = P[i], P[j]
        c, s = np.cos(p.angles[k])[:, None], np.sin(p.angles[k])[:, None]
        turn = 1.0 if p.phases is None else np.exp(1j * p.phases[k])[:, None]
        # e^{ip} y^H x - e^{-ip} x^H y
        by_angles.append(coordinates(of_pairs(y * np.conj(turn), x)))
        P[i], P[j] = c * x - np.conj(turn) * s * y, turn * s * x + c * y
        if p.phases is not None:
            # i y'^H y' - i y^H y, where y' is the row after the rotation
            after, before = of_pairs(P[j], 0.5j * P[j]), of_pairs(y, 0.5j * y)
            by_phases.append(coordinates(after) - coordinates(before))
    rows = [*by_angles, *by_phases]
    if p.diagonal is not None:
        rows.append(coordinates(of_pairs(P, 0.5j * P)))
        P = np.exp(1j * p.diagonal)[:, None] * P
    else:
        P = p.signs[:, None] * P
    R = P.conj().T @ target
    R[:columns] = (R[:columns] - R[:columns].conj().T) / 2
    wanted = coordinates(lambda a, b: R[a, b])
    return np.concatenate(rows), wanted


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


def _rounded(p: Parameters, dtype: np.dtype[Any]) -> Parameters:
    """Bring angles within half a turn, and all parameters into the precision of a dtype."""
    real = np.finfo(dtype).dtype
    rounded = {
        name: (a if name == "signs" else np.remainder(a + np.pi, 2 * np.pi) - np.pi).astype(real)
        for name, a in p._asdict().items()
        if isinstance(a, np.ndarray)
    }
    return Parameters(p.schedule, **rounded)
