"""The rounds of a schedule as tables, for rotations written in a library's own operations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from givens._core import Schedule


def tables(schedule: Schedule) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[Any]]:
    """Return for each round and coordinate its partner, its rotation, and if it is the greater.

    A coordinate without a partner is its own, and its rotation is the number of rotations.
    """
    shape = (schedule.num_rounds, schedule.n)
    partner = np.broadcast_to(np.arange(schedule.n, dtype=np.int32), shape).copy()
    rotation = np.full(shape, schedule.num_rotations, np.int32)
    is_greater = np.zeros(shape, bool)
    k = np.arange(schedule.num_rotations)
    r = np.searchsorted(schedule.round_offsets, k, side="right") - 1
    i, j = schedule.pairs.T
    partner[r, i], partner[r, j] = j, i
    rotation[r, i] = rotation[r, j] = k
    is_greater[r, j] = True
    return partner, rotation, is_greater
