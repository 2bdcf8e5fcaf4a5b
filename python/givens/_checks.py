"""Checks of arguments that several functions written in Python share."""

from typing import Any

import numpy as np

from givens._core import Schedule


def check_schedule(schedule: Any) -> None:
    """Raise TypeError if `schedule` is not a Schedule."""
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a givens.Schedule, got {type(schedule).__name__}")


def check_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Raise TypeError, about the argument `name`, if there are no matrices of a dtype."""
    if dtype not in (np.float32, np.float64, np.complex64, np.complex128):
        raise TypeError(f"{name} must be float32, float64, complex64 or complex128, got {dtype}")
