"""Schedules as texts, for compilers and files that take nothing else."""

import hashlib
import json
from functools import lru_cache

from givens._core import Schedule


@lru_cache(maxsize=256)
def text_of(schedule: Schedule) -> str:
    """Return the JSON of `Schedule.to_dict`."""
    return json.dumps(schedule.to_dict(), separators=(",", ":"))


@lru_cache(maxsize=256)
def digest_of(schedule: Schedule) -> str:
    """Return 64 characters that tell a schedule from every other one: SHA-256 of its text."""
    return hashlib.sha256(text_of(schedule).encode()).hexdigest()
