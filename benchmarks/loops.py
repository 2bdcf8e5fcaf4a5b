"""The rotations as one would write them in Python: by rounds in NumPy, one by one with Numba.

They work in place on the rows of x (n, columns), C-ordered. They are contenders, and in double
precision the oracles of the others; only the first knows phases and diagonal.
"""

from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import givens

numba: Any
try:
    import numba
except ModuleNotFoundError:
    numba = None

Array = NDArray[Any]
# Arguments of the givens functions by name: angles; for complex matrices also phases and diagonal.
Parameters = dict[str, Any]


class Loop(Protocol):
    def rotate(self, x: Array, parameters: Parameters) -> None:
        """Replace x by U x."""

    def vjp(self, y: Array, gy: Array, parameters: Parameters) -> tuple[Array, ...]:
        """Replace y by x and gy by gx, and return the gradients of the parameters."""


class NumpyLoop:
    """All rotations of a round at once: x becomes c x + s x[partner], c and s one for each row."""

    def __init__(self, schedule: givens.Schedule) -> None:
        shape = schedule.num_rounds, schedule.n
        self.offsets = schedule.round_offsets
        self.pairs = schedule.pairs.astype(np.intp)
        # For each round and row; a row at rest is its own partner, its angle a zero at the end.
        self.partner = np.broadcast_to(np.arange(schedule.n), shape).copy()
        self.rotation = np.full(shape, schedule.num_rotations)
        self.sign = np.zeros(shape, np.int8)
        for r, (start, stop) in enumerate(pairwise(self.offsets)):
            i, j = self.pairs[start:stop].T
            self.partner[r, i], self.partner[r, j] = j, i
            self.rotation[r, i] = self.rotation[r, j] = np.arange(start, stop)
            self.sign[r, i], self.sign[r, j] = -1, 1

    def rotate(self, x: Array, parameters: Parameters) -> None:
        cosines, sines = self._coefficients(parameters)
        for partner, c, s in zip(self.partner, cosines, sines, strict=True):
            other = x[partner]
            other *= s
            x *= c
            x += other
        if "diagonal" in parameters:
            x *= np.exp(1j * parameters["diagonal"])[:, None]

    def vjp(self, y: Array, gy: Array, parameters: Parameters) -> tuple[Array, ...]:
        if "diagonal" in parameters:
            gdiagonal = np.vecdot(y, gy).imag
            y *= np.exp(-1j * parameters["diagonal"])[:, None]
            gy *= np.exp(-1j * parameters["diagonal"])[:, None]
        cosines, sines = self._coefficients(parameters)
        gradients = np.empty((2, *parameters["angles"].shape), cosines.dtype)
        for r in range(len(self.partner) - 1, -1, -1):
            k = slice(self.offsets[r], self.offsets[r + 1])
            i, j = self.pairs[k].T
            other, gother = y[self.partner[r]], gy[self.partner[r]]
            across = np.vecdot(other, gy)
            z = across[j] - across[i].conj()
            if "phases" in parameters:
                z *= np.exp(-1j * parameters["phases"][k])
                along = np.vecdot(y, gy).imag
                cosine, sine = np.cos(parameters["angles"][k]), np.sin(parameters["angles"][k])
                gradients[1, k] = sine * cosine * z.imag + sine**2 * (along[j] - along[i])
            gradients[0, k] = z.real
            for x, its_other in ((y, other), (gy, gother)):
                its_other *= sines[r]
                x *= cosines[r]
                x -= its_other
        return (*gradients, gdiagonal) if "phases" in parameters else (gradients[0],)

    def _coefficients(self, parameters: Parameters) -> tuple[Array, Array]:
        angles = np.pad(parameters["angles"], (0, 1))
        cosines, sines = np.cos(angles)[self.rotation], np.sin(angles)[self.rotation] * self.sign
        if "phases" in parameters:
            phases = np.pad(parameters["phases"], (0, 1))[self.rotation]
            sines = sines * np.exp(1j * self.sign * phases)
        return cosines[..., None], sines[..., None]


class NumbaLoop:
    """One rotation after the other, on as many columns at a time as stay in the cache."""

    def __init__(self, schedule: givens.Schedule) -> None:
        self.pairs = schedule.pairs
        self.tile = max(64, 2**17 // schedule.n)  # 512 KiB in float32

    def rotate(self, x: Array, parameters: Parameters) -> None:
        angles = parameters["angles"]
        _rotate(x, np.cos(angles), np.sin(angles), self.pairs, self.tile)

    def vjp(self, y: Array, gy: Array, parameters: Parameters) -> tuple[Array, ...]:
        angles = parameters["angles"]
        gangles = np.zeros_like(angles)
        _vjp(y, gy, np.cos(angles), np.sin(angles), self.pairs, self.tile, gangles)
        return (gangles,)


def oracle(schedule: givens.Schedule, parameters: Parameters) -> Loop:
    """Return the fastest that is installed."""
    return NumbaLoop(schedule) if numba and "phases" not in parameters else NumpyLoop(schedule)


if numba:
    # A copy of the columns has contiguous rows, over which the inner loop is vectorised.
    @numba.njit(fastmath=True)
    def _rotate(x: Any, cosines: Any, sines: Any, pairs: Any, tile: int) -> None:
        for start in range(0, x.shape[1], tile):
            panel = x[:, start : start + tile].copy()
            for k in range(len(pairs)):
                c, s = cosines[k], sines[k]
                xi, xj = panel[pairs[k, 0]], panel[pairs[k, 1]]
                for column in range(xi.size):
                    a, b = xi[column], xj[column]
                    xi[column] = c * a - s * b
                    xj[column] = s * a + c * b
            x[:, start : start + tile] = panel

    @numba.njit(fastmath=True)
    def _vjp(
        y: Any, gy: Any, cosines: Any, sines: Any, pairs: Any, tile: int, gangles: Any
    ) -> None:
        for start in range(0, y.shape[1], tile):
            panel, gpanel = y[:, start : start + tile].copy(), gy[:, start : start + tile].copy()
            for k in range(len(pairs) - 1, -1, -1):
                c, s = cosines[k], sines[k]
                i, j = pairs[k]
                yi, yj, gi, gj = panel[i], panel[j], gpanel[i], gpanel[j]
                total = c * 0
                for column in range(yi.size):
                    total += gj[column] * yi[column] - gi[column] * yj[column]
                for column in range(yi.size):
                    a, b = yi[column], yj[column]
                    yi[column] = c * a + s * b
                    yj[column] = c * b - s * a
                for column in range(gi.size):
                    a, b = gi[column], gj[column]
                    gi[column] = c * a + s * b
                    gj[column] = c * b - s * a
                gangles[k] += total
            y[:, start : start + tile] = panel
            gy[:, start : start + tile] = gpanel
