"""The shapes and dtypes of results, for compilation and export, where tensors have no numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from givens import Schedule

MaybeTensor = Tensor | None
Shape = tuple[int, ...]


def batch_shape(*parameters: MaybeTensor) -> Shape:
    """Return the batch shape of the matrices."""
    return tuple(torch.broadcast_shapes(*(p.shape[:-1] for p in parameters if p is not None)))


def rotated_shape(x: Tensor, *parameters: MaybeTensor) -> Shape:
    """Return the shape of x with its batch axes in full."""
    batch = batch_shape(*parameters)
    leading = torch.broadcast_shapes(x.shape[: len(batch)], batch)
    return (*leading, *x.shape[len(batch) :])


def matrix_dtype(angles: Tensor, phases: MaybeTensor, diagonal: MaybeTensor) -> torch.dtype:
    """Return the dtype of U; complex numbers of 16 bits there are none."""
    if phases is None and diagonal is None:
        return angles.dtype
    return torch.complex128 if angles.dtype == torch.float64 else torch.complex64


def identity(parameters: Sequence[Any], schedule: Schedule, columns: int) -> Tensor:
    """Return columns of the identity that broadcast with the matrices: (1, ..., n, columns)."""
    dtype = matrix_dtype(*parameters[:3])
    batch = (1,) * len(batch_shape(*parameters))
    eye = torch.eye(schedule.n, columns, dtype=dtype, device=parameters[0].device)
    return eye.reshape(*batch, schedule.n, columns)


# --- The results of the operators, which take their arguments -------------------------------------


def matrix(*args: Any) -> Tensor:
    *parameters, schedule = args
    shape = (*batch_shape(*parameters), schedule.n, schedule.columns)
    angles: Tensor = parameters[0]
    return angles.new_empty(shape, dtype=matrix_dtype(*parameters[:3]))


def matrix_vjp(U: Tensor, gU: Tensor, *rest: Any) -> tuple[MaybeTensor, ...]:
    return tuple(None if p is None else _like(p) for p in rest[:3])


def rotate(x: Tensor, *rest: Any) -> Tensor:
    return x.new_empty(rotated_shape(x, *rest[:4]))


def rotate_vjp(y: Tensor, gy: Tensor, *rest: Any) -> tuple[MaybeTensor, ...]:
    return _like(y), *matrix_vjp(y, gy, *rest)


def rotate_jvp(x: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    return rotate(x, *rest), rotate(x, *rest)


def rotate_vjp_jvp(y: Tensor, gy: Tensor, *rest: Any) -> tuple[MaybeTensor, ...]:
    return *rotate_vjp(y, gy, *rest), *rotate_vjp(y, gy, *rest)


def _like(t: Tensor) -> Tensor:
    """Return a contiguous tensor, as all results are."""
    return t.new_empty(t.shape)
