"""The results of the operators without their numbers, for compilation and export."""

from collections.abc import Sequence

import torch
from torch import Tensor

from givens.torch._kernels import MaybeTensor
from givens.torch._schedules import schedule_of

Shape = tuple[int, ...]


def batch_shape(*parameters: MaybeTensor) -> Shape:
    """Return the batch shape of the matrices."""
    return tuple(torch.broadcast_shapes(*(p.shape[:-1] for p in parameters if p is not None)))


def _new(like: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a contiguous tensor, as all results are."""
    return like.new_empty(tuple(shape))


def _fake_gradients(*parameters: MaybeTensor) -> tuple[Tensor, ...]:
    angles = parameters[0]
    assert angles is not None
    return tuple(_new(angles, (0,) if p is None else p.shape) for p in parameters)


def matrix_dtype(angles: Tensor, phases: MaybeTensor, diagonal: MaybeTensor) -> torch.dtype:
    real = phases is None and diagonal is None
    return angles.dtype if real else angles.dtype.to_complex()


def matrix(
    angles: Tensor, phases: MaybeTensor, diagonal: MaybeTensor, signs: MaybeTensor, schedule: str
) -> Tensor:
    s = schedule_of(schedule)
    shape = (*batch_shape(angles, phases, diagonal, signs), s.n, s.columns)
    return angles.new_empty(shape, dtype=matrix_dtype(angles, phases, diagonal))


def matrix_vjp(
    U: Tensor,
    gU: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
) -> tuple[Tensor, ...]:
    return _fake_gradients(angles, phases, diagonal)


def _rotated_shape(x: Tensor, *parameters: MaybeTensor) -> Shape:
    batch = batch_shape(*parameters)
    leading = torch.broadcast_shapes(x.shape[: len(batch)], batch)
    return (*leading, *x.shape[len(batch) :])


def rotate(
    x: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
    axis: int,
    inverse: bool,
) -> Tensor:
    return _new(x, _rotated_shape(x, angles, phases, diagonal, signs))


def rotate_vjp(
    y: Tensor,
    gy: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
    axis: int,
    inverse: bool,
) -> tuple[Tensor, ...]:
    return _new(y, y.shape), *_fake_gradients(angles, phases, diagonal)


def rotate_jvp(
    x: Tensor,
    dx: MaybeTensor,
    angles: Tensor,
    dangles: MaybeTensor,
    phases: MaybeTensor,
    dphases: MaybeTensor,
    diagonal: MaybeTensor,
    ddiagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
    axis: int,
    inverse: bool,
) -> tuple[Tensor, ...]:
    shape = _rotated_shape(x, angles, phases, diagonal, signs)
    return _new(x, shape), _new(x, shape)


def rotate_vjp_jvp(
    y: Tensor,
    dy: MaybeTensor,
    gy: Tensor,
    dgy: MaybeTensor,
    angles: Tensor,
    dangles: MaybeTensor,
    phases: MaybeTensor,
    dphases: MaybeTensor,
    diagonal: MaybeTensor,
    ddiagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
    axis: int,
    inverse: bool,
) -> tuple[Tensor, ...]:
    return (
        _new(y, y.shape),
        *_fake_gradients(angles, phases, diagonal),
        _new(y, y.shape),
        *_fake_gradients(angles, phases, diagonal),
    )
