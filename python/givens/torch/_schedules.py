"""Schedules as the strings that PyTorch's operators can take.

A call must hardly take longer for a schedule of more rotations, but PyTorch copies the string
several times in each. So rounds are listed in compressed form, after a digest by which later calls
find the schedule.
"""

import json
import zlib
from base64 import b64decode, b64encode
from functools import lru_cache

import numpy as np

from givens import Schedule
from givens._descriptions import digest_of, text_of

_DIGEST = 64  # characters
_MOST = 256
_known: dict[str, Schedule] = {}


@lru_cache(maxsize=_MOST)
def _described(schedule: Schedule) -> str:
    if schedule.kind != "rounds":
        return text_of(schedule)
    header = [schedule.n, schedule.columns, schedule.num_rounds]
    # Regular rounds have equal differences, which compress well.
    sizes, steps = np.diff(schedule.round_offsets), np.diff(schedule.pairs.ravel(), prepend=0)
    numbers = np.concatenate([header, sizes, steps]).astype("<i4")
    return digest_of(schedule) + b64encode(zlib.compress(numbers.tobytes(), 9)).decode()


def described(schedule: Schedule) -> str:
    """Return the JSON of `Schedule.to_dict`, or a digest and rounds in compressed form."""
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a givens.Schedule, got {type(schedule).__name__}")
    return _described(schedule)


def schedule_of(description: str) -> Schedule:
    """Return the schedule of a description: the same object as before, if it is still known.

    Raises
    ------
    ValueError
        If the digest is not the schedule's.
    """
    is_plain = description.startswith("{")
    key = description if is_plain else description[:_DIGEST]
    found = _known.get(key)
    if found is None:
        if is_plain:
            found = Schedule.from_dict(json.loads(description))
        else:
            found = _with_rounds(description[_DIGEST:])
            if digest_of(found) != key:
                raise ValueError(f"schedule must start with the digest of its rounds, got {key}")
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = found
    return found


def _with_rounds(compressed: str) -> Schedule:
    numbers = np.frombuffer(zlib.decompress(b64decode(compressed)), "<i4")
    n, columns, num_rounds = numbers[:3]
    sizes, steps = np.split(numbers[3:], [num_rounds])
    pairs = np.cumsum(steps).reshape(-1, 2)
    return Schedule.from_rounds(n, np.split(pairs, np.cumsum(sizes))[:-1], columns)
