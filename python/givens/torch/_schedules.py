"""Schedules as the strings that PyTorch's operators can take."""

import json
from functools import lru_cache

from givens import Schedule


@lru_cache(maxsize=256)
def _described(schedule: Schedule) -> str:
    return json.dumps(schedule.to_dict(), separators=(",", ":"))


def described(schedule: Schedule) -> str:
    """Return the JSON of `Schedule.to_dict`."""
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a givens.Schedule, got {type(schedule).__name__}")
    return _described(schedule)


@lru_cache(maxsize=256)
def schedule_of(description: str) -> Schedule:
    """Return the schedule of a description."""
    return Schedule.from_dict(json.loads(description))
