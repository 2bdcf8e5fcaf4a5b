"""The rotations as one would write them for a GPU first: one launch for each round."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import givens
from loops import Array, Parameters

THREADS = 256  # of a block
WARP = 32
# A kernel of rounds.cu, by its name: launch(name, blocks, arguments).
Launch = Callable[[str, int, tuple[Any, ...]], None]


class LaunchLoop:
    """A loop over rounds, in float32, on the rows of arrays (n, columns) of the module `xp`."""

    def __init__(self, schedule: givens.Schedule, xp: Any, launch: Launch) -> None:
        self.xp, self.launch = xp, launch
        self.pairs = xp.asarray(schedule.pairs.astype(np.int32))
        self.rounds = [slice(*ends) for ends in pairwise(schedule.round_offsets.tolist())]

    def rotate(self, x: Array, parameters: Parameters) -> None:
        columns = x.shape[1]
        cosines, sines = self._coefficients(parameters)
        for k in self.rounds:
            count = k.stop - k.start
            self.launch(
                "rotate_round",
                -(-count * columns // THREADS),
                (x, self.pairs[k], cosines[k], sines[k], np.int32(count), np.int32(columns)),
            )

    def vjp(self, y: Array, gy: Array, parameters: Parameters) -> tuple[Array, ...]:
        columns = y.shape[1]
        cosines, sines = self._coefficients(parameters)
        # A few columns for each thread, so that a round has threads enough.
        parts = max(1, columns // (4 * WARP))
        total = len(cosines)
        sums = self.xp.empty((parts, total), np.float32)
        for k in reversed(self.rounds):
            count = k.stop - k.start
            self.launch(
                "vjp_round",
                -(-count * parts * WARP // THREADS),
                (
                    *(y, gy, self.pairs[k], cosines[k], sines[k], sums[:, k.start :]),
                    *map(np.int32, (count, columns, parts, total)),
                ),
            )
        return (sums.sum(axis=0),)

    def _coefficients(self, parameters: Parameters) -> tuple[Array, Array]:
        return self.xp.cos(parameters["angles"]), self.xp.sin(parameters["angles"])
