"""The kernels of the operators: what the functions of `givens` do.

They call the engines themselves, to save small calls a frame and its keywords. Gradients of
parameters that are absent are None. Tensors must require no gradient or come where none are
recorded, and must not be conjugated or negated when they are read.
"""

from typing import Any

import torch
from torch import Tensor

from givens import Schedule, _core
from givens._dispatch import gpu_functions
from givens.torch import _composed

MaybeTensor = Tensor | None


def _engine(t: Tensor) -> Any:
    return _core if t.is_cpu else gpu_functions


def _threads(t: Tensor) -> int | None:
    return min(torch.get_num_threads(), _core.default_num_threads()) if t.is_cpu else None


def matrix(
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: Schedule,
) -> Tensor:
    U: Tensor = _engine(angles).matrix(angles, schedule, phases, diagonal, signs, _threads(angles))
    return U


def matrix_vjp(
    U: Tensor,
    gU: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: Schedule,
) -> tuple[MaybeTensor, ...]:
    gradients: tuple[MaybeTensor, ...] = _engine(U).matrix_vjp(
        U, gU, angles, schedule, phases, diagonal, signs, _threads(U)
    )
    return gradients


def rotate(
    x: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: Schedule,
    axis: int,
    inverse: bool,
) -> Tensor:
    y: Tensor = _engine(x).rotate(
        x, angles, schedule, axis, inverse, None, phases, diagonal, signs, _threads(x)
    )
    return y


def rotate_vjp(
    y: Tensor,
    gy: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: Schedule,
    axis: int,
    inverse: bool,
) -> tuple[MaybeTensor, ...]:
    gradients: tuple[MaybeTensor, ...] = _engine(y).rotate_vjp(
        y, gy, angles, schedule, axis, inverse, phases, diagonal, signs, _threads(y)
    )
    return gradients


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
    schedule: Schedule,
    axis: int,
    inverse: bool,
) -> tuple[MaybeTensor, ...]:
    if not x.is_cpu:
        return _composed.rotate_jvp(
            x,
            dx,
            angles,
            dangles,
            phases,
            dphases,
            diagonal,
            ddiagonal,
            signs,
            schedule,
            axis,
            inverse,
        )
    y, dy = _engine(x).rotate_jvp(
        x,
        dx,
        angles,
        dangles,
        schedule,
        axis,
        inverse,
        phases,
        dphases,
        diagonal,
        ddiagonal,
        signs,
        _threads(x),
    )
    return y, dy


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
    schedule: Schedule,
    axis: int,
    inverse: bool,
) -> tuple[MaybeTensor, ...]:
    if not y.is_cpu:
        values, derivatives = _composed.rotate_vjp_jvp(
            y,
            dy,
            gy,
            dgy,
            angles,
            dangles,
            phases,
            dphases,
            diagonal,
            ddiagonal,
            signs,
            schedule,
            axis,
            inverse,
        )
        return *values, *derivatives
    gradients, tangents = _engine(y).rotate_vjp_jvp(
        y,
        dy,
        gy,
        dgy,
        angles,
        dangles,
        schedule,
        axis,
        inverse,
        phases,
        dphases,
        diagonal,
        ddiagonal,
        signs,
        _threads(y),
    )
    return *gradients, *tangents
