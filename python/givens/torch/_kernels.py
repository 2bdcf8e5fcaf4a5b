"""The kernels of the operators: what the functions of `givens` do, on the memory of tensors.

They call the engines themselves, to save small calls a frame and its keywords. That of the CPU
takes NumPy's views, which cost less than exports by DLPack. Gradients of parameters that are absent
are None.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from givens import Schedule, _core, _cuda_transform

MaybeTensor = Tensor | None


def _given(t: MaybeTensor) -> Any:
    """Return the array of a tensor, as the functions of `givens` take it."""
    if t is None:
        return None
    if not t.is_cpu:
        return t.detach()
    try:
        # By force: without its gradient, a copy if it is conjugated or negated when it is read.
        return t.numpy(force=True)
    except TypeError:  # NumPy has no such numbers
        raise TypeError(
            "tensors on the CPU must be float32, float64, complex64 or complex128, "
            f"got {str(t.dtype).removeprefix('torch.')}"
        ) from None


def _taken(array: Any) -> Tensor:
    return array if isinstance(array, Tensor) else torch.from_numpy(array)


def _threads(t: Tensor) -> int | None:
    return min(torch.get_num_threads(), _core.default_num_threads()) if t.is_cpu else None


def _engine(t: Tensor) -> Any:
    """Return the module whose functions take `_given` arrays."""
    return _core if t.is_cpu else _cuda_transform


def _for_each(parameters: Sequence[MaybeTensor], gradients: Sequence[Any]) -> list[Any]:
    """Return the gradients of the parameters that are there, and None for the others."""
    found = iter(gradients)
    return [None if p is None else _taken(next(found)) for p in parameters]


def matrix(
    angles: Tensor, phases: MaybeTensor, diagonal: MaybeTensor, signs: MaybeTensor, schedule: Schedule
) -> Tensor:
    return _taken(
        _engine(angles).matrix(
            _given(angles),
            schedule,
            _given(phases),
            _given(diagonal),
            _given(signs),
            _threads(angles),
        )
    )


def matrix_vjp(
    U: Tensor,
    gU: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: Schedule,
) -> tuple[MaybeTensor, ...]:
    gradients: Any = _engine(U).matrix_vjp(
        _given(U),
        _given(gU),
        _given(angles),
        schedule,
        _given(phases),
        _given(diagonal),
        _given(signs),
        _threads(U),
    )
    if not isinstance(gradients, tuple):
        gradients = (gradients,)
    return tuple(_for_each((angles, phases, diagonal), gradients))


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
    return _taken(
        _engine(x).rotate(
            _given(x),
            _given(angles),
            schedule,
            axis,
            inverse,
            None,
            _given(phases),
            _given(diagonal),
            _given(signs),
            _threads(x),
        )
    )


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
    gx, *gradients = _engine(y).rotate_vjp(
        _given(y),
        _given(gy),
        _given(angles),
        schedule,
        axis,
        inverse,
        _given(phases),
        _given(diagonal),
        _given(signs),
        _threads(y),
    )
    return _taken(gx), *_for_each((angles, phases, diagonal), gradients)


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
    y, dy = _engine(x).rotate_jvp(
        _given(x),
        _given(dx),
        _given(angles),
        _given(dangles),
        schedule,
        axis,
        inverse,
        _given(phases),
        _given(dphases),
        _given(diagonal),
        _given(ddiagonal),
        _given(signs),
        _threads(x),
    )
    return _taken(y), _taken(dy)


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
    both = _engine(y).rotate_vjp_jvp(
        _given(y),
        _given(dy),
        _given(gy),
        _given(dgy),
        _given(angles),
        _given(dangles),
        schedule,
        axis,
        inverse,
        _given(phases),
        _given(dphases),
        _given(diagonal),
        _given(ddiagonal),
        _given(signs),
        _threads(y),
    )
    parameters = (angles, phases, diagonal)
    (gx, *gradients), (dgx, *tangents) = both
    return (
        _taken(gx),
        *_for_each(parameters, gradients),
        _taken(dgx),
        *_for_each(parameters, tangents),
    )
