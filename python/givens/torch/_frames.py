"""What layers and parametrizations share: schedules by name, first parameters, matrices."""

import numpy as np
import torch
from torch import Tensor

from givens import Schedule, initial_parameters
from givens.torch._functions import matrix, rotate
from givens.torch._shapes import identity

# Angles, phases and diagonal; the latter two are None for orthogonal matrices.
Parameters = tuple[Tensor, Tensor | None, Tensor | None]

_DTYPES = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.complex64: np.complex64,
    torch.complex128: np.complex128,
}

_WITH_COLUMNS = {"circle": Schedule.circle, "xor": Schedule.xor}
_WITHOUT_COLUMNS = {"brickwall": Schedule.brickwall, "butterfly": Schedule.butterfly}


def schedule_of(schedule: Schedule | str, n: int, columns: int) -> Schedule:
    """Return a schedule for n x columns matrices, which may have all n columns.

    Raises
    ------
    TypeError
        If `schedule` is neither a Schedule nor a name.
    ValueError
        If the name is unknown, or the schedule has another size.
    """
    if isinstance(schedule, Schedule):
        if schedule.n != n or schedule.columns not in (columns, n):
            raise ValueError(
                f"schedule must be one of {n} coordinates and {columns} columns, got {schedule!r}"
            )
        return schedule
    if not isinstance(schedule, str):
        raise TypeError(
            f"schedule must be a givens.Schedule or a name, got {type(schedule).__name__}"
        )
    if schedule in _WITH_COLUMNS:
        return _WITH_COLUMNS[schedule](n, columns=columns)
    if schedule in _WITHOUT_COLUMNS:
        return _WITHOUT_COLUMNS[schedule](n)
    names = ", ".join(sorted(_WITH_COLUMNS | _WITHOUT_COLUMNS))
    raise ValueError(f"schedule must be a givens.Schedule or one of {names}, got {schedule!r}")


def check_dtype(dtype: torch.dtype) -> None:
    """Raise TypeError if there are no matrices of a dtype."""
    if dtype not in _DTYPES:
        got = str(dtype).removeprefix("torch.")
        raise TypeError(f"dtype must be float32, float64, complex64 or complex128, got {got}")


def is_brickwall(schedule: Schedule) -> bool:
    """Whether any matrix can be decomposed into this schedule."""
    return schedule == Schedule.brickwall(schedule.n)


def first_parameters(
    schedule: Schedule,
    init: str,
    batch: tuple[int, ...],
    dtype: torch.dtype,
    device: torch.device | str | None,
) -> Parameters:
    """Draw `givens.initial_parameters` as tensors, from PyTorch's random numbers.

    `dtype` is the dtype of the matrices.
    """
    seed = int(torch.randint(2**62, ()))
    found = initial_parameters(schedule, init, rng=seed, batch=batch, dtype=_DTYPES[dtype])
    angles, phases, diagonal = (
        None if p is None else torch.from_numpy(np.asarray(p)).to(device)
        for p in (found.angles, found.phases, found.diagonal)
    )
    assert angles is not None
    return angles, phases, diagonal


def frame(
    parameters: Parameters, schedule: Schedule, columns: int, signs: Tensor | None = None
) -> Tensor:
    """Form the first columns of U: (*batch, n, columns)."""
    angles, phases, diagonal = parameters
    if schedule.columns == columns:
        return matrix(angles, schedule, phases=phases, diagonal=diagonal, signs=signs)
    # The schedule makes all n columns.
    eye = identity((angles, phases, diagonal, signs), schedule, columns)
    return rotate(eye, angles, schedule, axis=-2, phases=phases, diagonal=diagonal, signs=signs)
