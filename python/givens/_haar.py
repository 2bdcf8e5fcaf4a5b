"""Uniformly distributed matrices and frames (Haar measure), in angles of the wavefront schedule.

The angles are independent of each other. The density of the angle of the pair (i, i + 1) on
(-pi, pi], with k = n - 2 - i, is proportional to ``|sin t|**k`` for real frames, and to
``|sin t|**(2 k + 1) |cos t|`` for complex ones, whose phases and diagonal are uniform over a turn.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._checks import check_schedule
from givens._core import Schedule
from givens._dispatch.libraries import Standard, library_of
from givens._parameters import Parameters


def haar_log_density(parameters: Any, schedule: Schedule | None = None) -> Any:
    """Compute the log density of parameters whose frames are uniformly distributed.

    If parameters of the wavefront schedule have this density, the matrices that they make are
    distributed by Haar measure: over SO(n) or U(n), or for ``columns=m`` over the n x m frames. It
    is the prior of a model whose parameters are these angles.

    Parameters
    ----------
    parameters : Parameters or array
        The parameters, with angles of shape (*batch, K); or the angles alone, (*batch, K), of real
        matrices. In radians. Arrays of NumPy, PyTorch, JAX or of a library that follows the array
        API standard. With phases or a diagonal the matrices are complex; signs do not count.
    schedule : Schedule, optional
        ``Schedule.wavefront(n)`` or ``Schedule.wavefront(n, columns=m)``; may be left out for
        `Parameters`, which have one.

    Returns
    -------
    array, (*batch,)
        The logarithm of the density with respect to the parameters, each over a turn: angles,
        and phases and diagonal if there are any. It is minus infinity where the density is zero.
        PyTorch and JAX can differentiate it.

    Raises
    ------
    TypeError
        If schedule is not a Schedule.
    ValueError
        If schedule is missing, does not have the rotations of wavefront, or differs from the
        schedule of the parameters, or the angles do not have K entries along the last axis.

    Notes
    -----
    Cost: O(K) for each matrix. The densities follow from the columns of a uniformly distributed
    frame: each is uniform on a sphere, in spherical coordinates.

    Examples
    --------
    >>> import givens
    >>> s = givens.Schedule.wavefront(5, columns=2)
    >>> p = givens.initial_parameters(s, "haar", rng=0, batch=(3,))
    >>> givens.haar_log_density(p).shape
    (3,)
    >>> g = givens.haar_log_density_gradient(p.angles, s)
    >>> g.shape
    (3, 7)
    """
    parameters, schedule = _checked(parameters, schedule)
    is_complex = parameters.phases is not None or parameters.diagonal is not None
    angles = parameters.angles
    xp = _namespace(angles)
    sines, cosines, constant = _exponents(schedule, is_complex)
    total = constant
    if is_complex:
        total -= math.log(2 * math.pi) * (schedule.num_rotations + schedule.n)
    # Exponents of zero are left out, as 0 log 0 would be no number.
    places = np.flatnonzero(sines)
    taken = angles[..., _constant(xp, places, angles, integer=True)]
    exponents = _constant(xp, sines[places], angles)
    log_density = total + (exponents * xp.log(xp.abs(xp.sin(taken)))).sum(-1)
    if cosines:
        log_density = log_density + xp.log(xp.abs(xp.cos(angles))).sum(-1)
    return log_density


def haar_log_density_gradient(parameters: Any, schedule: Schedule | None = None) -> Any:
    """Compute the gradient of `haar_log_density` by the angles.

    The gradients by phases and diagonal are zero.

    Parameters
    ----------
    parameters, schedule
        As in `haar_log_density`.

    Returns
    -------
    array, (*batch, K)
        ``k / tan(t)`` for real matrices, ``(2 k + 1) / tan(t) - tan(t)`` for complex ones, with
        k = n - 2 - i for the pair (i, i + 1). Infinite where the density is zero.

    Raises
    ------
    TypeError, ValueError
        As `haar_log_density`.

    Notes
    -----
    Cost: O(K) for each matrix.

    Examples
    --------
    >>> import numpy as np, givens
    >>> s = givens.Schedule.wavefront(3, columns=1)
    >>> givens.haar_log_density_gradient(np.array([np.pi / 4, 0.3]), s).round(3).tolist()
    [1.0, 0.0]
    """
    parameters, schedule = _checked(parameters, schedule)
    is_complex = parameters.phases is not None or parameters.diagonal is not None
    angles = parameters.angles
    xp = _namespace(angles)
    sines, cosines, _ = _exponents(schedule, is_complex)
    tangent = xp.tan(angles)
    exponents = _constant(xp, sines, angles)
    # An exponent of zero stays zero where the tangent is zero too.
    divisor = xp.where(exponents == 0, xp.ones_like(tangent), tangent)
    gradient = exponents / divisor
    return gradient - tangent if cosines else gradient


def is_wavefront(schedule: Schedule) -> bool:
    """Whether a schedule has the rotations of Schedule.wavefront."""
    if schedule.kind == "wavefront":
        return True
    return schedule == Schedule.wavefront(schedule.n, columns=schedule.columns)


def draw(
    schedule: Schedule, rng: np.random.Generator, batch: tuple[int, ...], is_complex: bool
) -> Parameters:
    """Draw parameters of uniformly distributed frames, in double precision."""
    k = _powers(schedule).astype(float)
    shape = (*batch, schedule.num_rotations)
    negative = rng.integers(0, 2, shape) * 2.0 - 1.0
    if not is_complex:
        # (1 - cos t) / 2 has a beta distribution.
        b = rng.beta((k + 1) / 2, (k + 1) / 2, shape)
        return Parameters(schedule, negative * 2 * np.arcsin(np.sqrt(b)))
    # (sin t)^2 has a beta distribution.
    angles = np.arcsin(np.sqrt(rng.beta(k + 1, 1, shape)))
    angles = np.where(rng.integers(0, 2, shape), angles, np.pi - angles)
    return Parameters(
        schedule,
        negative * angles,
        phases=rng.uniform(-np.pi, np.pi, shape),
        diagonal=rng.uniform(-np.pi, np.pi, (*batch, schedule.n)),
    )


def _powers(schedule: Schedule) -> NDArray[np.int32]:
    """Return k = n - 2 - i for the pair (i, i + 1) of each rotation."""
    k: NDArray[np.int32] = schedule.n - 2 - schedule.pairs[:, 0]
    return k


def _exponents(schedule: Schedule, is_complex: bool) -> tuple[NDArray[np.int32], bool, float]:
    """Return the exponents of |sin t|, whether |cos t| is a factor, and the log of the constant."""
    k = _powers(schedule)
    if is_complex:
        # The integral of |sin t|**(2 k + 1) |cos t| over a turn is 2 / (k + 1).
        return 2 * k + 1, True, float(np.log((k + 1) / 2).sum())
    # The integral of |sin t|**k is 2 B((k + 1) / 2, 1 / 2).
    values, counts = np.unique(k, return_counts=True)
    logs = [
        math.log(2) + math.lgamma((v + 1) / 2) + math.lgamma(0.5) - math.lgamma(v / 2 + 1)
        for v in values.tolist()
    ]
    return k, False, -float(counts @ np.array(logs)) if logs else 0.0


def _checked(parameters: Any, schedule: Schedule | None) -> tuple[Parameters, Schedule]:
    if isinstance(parameters, Parameters):
        if schedule is not None and schedule != parameters.schedule:
            raise ValueError(
                f"schedule must equal the schedule of the parameters, {parameters.schedule!r}, got "
                f"{schedule!r}"
            )
        schedule = parameters.schedule
    elif schedule is None:
        raise ValueError("schedule must be given with an array of angles, got None")
    else:
        parameters = Parameters(schedule, parameters)
    check_schedule(schedule)
    if not is_wavefront(schedule):
        raise ValueError(
            "schedule must have the rotations of Schedule.wavefront, as the density is not known "
            "for others, got "
            f"{schedule!r}"
        )
    shape = np.shape(parameters.angles)
    if shape[-1:] != (schedule.num_rotations,):
        raise ValueError(
            f"angles must have {schedule.num_rotations} entries along the last axis, got shape "
            f"{tuple(shape)}"
        )
    return parameters, schedule


def _namespace(x: Any) -> Any:
    """Return the module with the functions of the library of an array."""
    library = library_of(x)
    if not isinstance(library, Standard):
        raise TypeError(f"angles must be an array, got {type(x).__name__}")
    return library.namespace(x)


def _constant(xp: Any, values: NDArray[Any], like: Any, *, integer: bool = False) -> Any:
    """Return numbers as an array beside another one, in its dtype or as indices."""
    dtype = xp.int64 if integer else like.dtype
    if xp.__name__ == "torch":
        return xp.asarray(values, dtype=dtype, device=like.device)
    return xp.asarray(values) if integer else xp.asarray(values, dtype=dtype)
