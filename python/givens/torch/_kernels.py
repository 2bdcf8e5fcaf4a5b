"""The kernels of the operators: calls of the engines, and of `_rounds` where these have none.

They take the tensors and constants of their operator, and return None for the gradient of an absent
parameter. Tensors must require no gradient or come where none are recorded.
"""

from typing import Any

import torch
from torch import Tensor

from givens import _core
from givens._dispatch import gpu_functions
from givens.torch import _rounds
from givens.torch._shapes import MaybeTensor


def _owned(t: Any) -> MaybeTensor:
    """Return a contiguous copy: results of operators are no views of arguments."""
    return None if t is None else t.clone(memory_format=torch.contiguous_format)


def _engine(t: Tensor) -> Any:
    return _core if t.is_cpu else gpu_functions


def threads_for(t: Tensor) -> int | None:
    """Return how many threads a call with a tensor may use; None on a GPU, which has its own."""
    return min(torch.get_num_threads(), _core.default_num_threads()) if t.is_cpu else None


def matrix(*args: Any) -> Tensor:
    angles, phases, diagonal, signs, schedule = args
    U: Tensor = _engine(angles).matrix(
        angles, schedule, phases, diagonal, signs, threads_for(angles)
    )
    return U


def matrix_vjp(*args: Any) -> tuple[MaybeTensor, ...]:
    U, gU, angles, phases, diagonal, signs, schedule = args
    gradients: tuple[MaybeTensor, ...] = _engine(U).matrix_vjp(
        U, gU, angles, schedule, phases, diagonal, signs, threads_for(U)
    )
    return gradients


def rotate(*args: Any) -> Tensor:
    x, angles, phases, diagonal, signs, schedule, axis, inverse = args
    y: Tensor = _engine(x).rotate(
        x, angles, schedule, axis, inverse, None, phases, diagonal, signs, threads_for(x)
    )
    return y


def rotate_vjp(*args: Any) -> tuple[MaybeTensor, ...]:
    y, gy, angles, phases, diagonal, signs, schedule, axis, inverse = args
    gradients: tuple[MaybeTensor, ...] = _engine(y).rotate_vjp(
        y, gy, angles, schedule, axis, inverse, phases, diagonal, signs, threads_for(y)
    )
    return gradients


def rotate_jvp(*args: Any) -> tuple[MaybeTensor, ...]:
    x, angles, phases, diagonal, signs, dx, dangles, dphases, ddiagonal, *rotation = args
    if not x.is_cpu:
        return tuple(map(_owned, _rounds.rotate_jvp(*args)))
    vectors, options = (x, dx, angles, dangles), (phases, dphases, diagonal, ddiagonal, signs)
    y, dy = _engine(x).rotate_jvp(*vectors, *rotation, *options, threads_for(x))
    return y, dy


def rotate_vjp_jvp(*args: Any) -> tuple[MaybeTensor, ...]:
    y, gy, angles, phases, diagonal, signs, dy, dgy, dangles, dphases, ddiagonal, *rotation = args
    if not y.is_cpu:
        return tuple(map(_owned, _rounds.rotate_vjp_jvp(*args)))
    vectors = (y, dy, gy, dgy, angles, dangles)
    options = (phases, dphases, diagonal, ddiagonal, signs)
    gradients, tangents = _engine(y).rotate_vjp_jvp(*vectors, *rotation, *options, threads_for(y))
    return *gradients, *tangents
