"""Whether a result is right: errors as multiples of what rounding allows, so that above 1 is wrong.

A vector passes about n rounds or columns on its way into a result, and no sane method loses more
than 8 eps of its length in each. What is right stays far within that, what is wrong far outside.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import givens
from loops import Parameters, oracle

Array = NDArray[Any]


def deviation(n: int, actual: ArrayLike, expected: Array) -> float:
    """Compare by the norm of the difference, relative to the norm of the expected."""
    actual = np.asarray(actual)
    if actual.shape != expected.shape:
        return float("inf")
    return _multiple(n, actual, np.linalg.norm(actual - expected) / np.linalg.norm(expected))


def nonorthogonality(U: ArrayLike) -> float:
    """Judge the largest entry of U^H U - I."""
    U = np.asarray(U)
    wide = U.astype(np.result_type(U, np.float64))
    n = U.shape[-1]
    return _multiple(n, U, np.abs(wide.conj().swapaxes(-1, -2) @ wide - np.eye(n)).max())


def uselessness(gradients: Iterable[ArrayLike]) -> float:
    """Judge gradients that cannot be compared: infinite if one is zero or not finite, else 0."""
    useful = all(np.isfinite(g).all() and np.any(g) for g in map(np.asarray, gradients))
    return 0.0 if useful else float("inf")


def _multiple(n: int, values: Array, error: Any) -> float:
    allowed = 8 * max(n, 16) * float(np.finfo(values.dtype).eps)
    return float(error) / allowed if np.isfinite(error) else float("inf")


class Truth:
    """What the plain loops make, in double precision, of given parameters."""

    def __init__(self, schedule: givens.Schedule, parameters: Parameters) -> None:
        self.n = schedule.n
        self.parameters = {name: p.astype(np.float64) for name, p in parameters.items()}
        self.dtype = np.complex128 if "phases" in parameters else np.float64
        self.loop = oracle(schedule, parameters)

    @cached_property
    def matrix(self) -> Array:
        U = np.eye(self.n, dtype=self.dtype)
        self.loop.rotate(U, self.parameters)
        return U

    def gradients(self, y: Array, gy: Array) -> tuple[Array, ...]:
        """Return the gradients of the parameters from the output (n, columns) and its gradient."""
        y, gy = (np.array(v, self.dtype, order="C") for v in (y, gy))
        return self.loop.vjp(y, gy, self.parameters)

    def deviation(self, actual: Iterable[ArrayLike], expected: Iterable[Array]) -> float:
        return max(deviation(self.n, a, e) for a, e in zip(actual, expected, strict=True))
