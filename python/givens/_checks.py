"""Checks of arguments that several functions written in Python share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._core import Schedule


def check_schedule(schedule: Any) -> None:
    """Raise TypeError if `schedule` is not a Schedule."""
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a givens.Schedule, got {type(schedule).__name__}")


def check_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Raise TypeError, about the argument `name`, if there are no matrices of a dtype."""
    if dtype not in (np.float32, np.float64, np.complex64, np.complex128):
        raise TypeError(f"{name} must be float32, float64, complex64 or complex128, got {dtype}")


def check_orthonormal(U: NDArray[Any], tolerance: float) -> None:
    """Raise ValueError if the columns of a matrix U (..., n, m) are not orthonormal."""
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.abs(U.conj().swapaxes(-1, -2) @ U - np.eye(U.shape[-1]))
    # Sums of huge numbers overflow, and are NaN if they overflow both ways.
    error = np.where(np.isnan(errors), np.inf, errors).max(initial=0)
    if error > tolerance:
        raise ValueError(
            f"U must have orthonormal columns, with max|U^H U - I| at most {tolerance:.3g}, "
            f"got {error:.3g}"
        )
