"""Schedules by name, and for which of them exact angles of a matrix are known."""

from typing import Literal

from givens import Schedule
from givens._haar import is_wavefront

_WITH_COLUMNS = {
    "circle": Schedule.circle,
    "wavefront": Schedule.wavefront,
    "xor": Schedule.xor,
}
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


def exact_name(schedule: Schedule) -> Literal["brickwall", "wavefront"] | None:
    """Return the name by which `givens.decompose` finds the angles of a schedule, if it does."""
    if schedule.kind == "brickwall" or schedule == Schedule.brickwall(schedule.n):
        return "brickwall"
    return "wavefront" if is_wavefront(schedule) else None
