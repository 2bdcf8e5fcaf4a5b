"""The kernels of the operators: the functions of `givens` on the memory of tensors.

Those of the CPU take NumPy's views, which cost less than exports by DLPack; others the tensors.
Gradients of parameters that are absent are None.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import givens
from givens.torch._schedules import schedule_of

MaybeTensor = Tensor | None


def _given(t: MaybeTensor) -> Any:
    """Return the array of a tensor, as the functions of `givens` take it."""
    if t is None:
        return None
    if not t.is_cpu:
        return t.detach()
    try:
        return t.numpy()
    except RuntimeError:  # differentiated, or conjugated or negated when it is read
        return t.detach().resolve_conj().resolve_neg().numpy()
    except TypeError:  # NumPy has no such numbers
        raise TypeError(
            "tensors on the CPU must be float32, float64, complex64 or complex128, "
            f"got {str(t.dtype).removeprefix('torch.')}"
        ) from None


def _taken(array: Any) -> Tensor:
    return array if isinstance(array, Tensor) else torch.from_numpy(array)


def _threads(t: Tensor) -> int | None:
    return min(torch.get_num_threads(), givens.get_num_threads()) if t.is_cpu else None


def _for_each(parameters: Sequence[MaybeTensor], gradients: Sequence[Any]) -> list[Any]:
    """Return the gradients of the parameters that are there, and None for the others."""
    found = iter(gradients)
    return [None if p is None else _taken(next(found)) for p in parameters]


def matrix(
    angles: Tensor, phases: MaybeTensor, diagonal: MaybeTensor, signs: MaybeTensor, schedule: str
) -> Tensor:
    return _taken(
        givens.matrix(
            _given(angles),
            schedule_of(schedule),
            phases=_given(phases),
            diagonal=_given(diagonal),
            signs=_given(signs),
            num_threads=_threads(angles),
        )
    )


def matrix_vjp(
    U: Tensor,
    gU: Tensor,
    angles: Tensor,
    phases: MaybeTensor,
    diagonal: MaybeTensor,
    signs: MaybeTensor,
    schedule: str,
) -> tuple[MaybeTensor, ...]:
    gradients: Any = givens.matrix_vjp(
        _given(U),
        _given(gU),
        _given(angles),
        schedule_of(schedule),
        phases=_given(phases),
        diagonal=_given(diagonal),
        signs=_given(signs),
        num_threads=_threads(U),
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
    schedule: str,
    axis: int,
    inverse: bool,
) -> Tensor:
    return _taken(
        givens.rotate(
            _given(x),
            _given(angles),
            schedule_of(schedule),
            axis=axis,
            inverse=inverse,
            phases=_given(phases),
            diagonal=_given(diagonal),
            signs=_given(signs),
            num_threads=_threads(x),
        )
    )


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
) -> tuple[MaybeTensor, ...]:
    gx, *gradients = givens.rotate_vjp(
        _given(y),
        _given(gy),
        _given(angles),
        schedule_of(schedule),
        axis=axis,
        inverse=inverse,
        phases=_given(phases),
        diagonal=_given(diagonal),
        signs=_given(signs),
        num_threads=_threads(y),
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
    schedule: str,
    axis: int,
    inverse: bool,
) -> tuple[MaybeTensor, ...]:
    y, dy = givens.rotate_jvp(
        _given(x),
        _given(dx),
        _given(angles),
        _given(dangles),
        schedule_of(schedule),
        axis=axis,
        inverse=inverse,
        phases=_given(phases),
        dphases=_given(dphases),
        diagonal=_given(diagonal),
        ddiagonal=_given(ddiagonal),
        signs=_given(signs),
        num_threads=_threads(x),
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
    schedule: str,
    axis: int,
    inverse: bool,
) -> tuple[MaybeTensor, ...]:
    both = givens.rotate_vjp_jvp(
        _given(y),
        _given(dy),
        _given(gy),
        _given(dgy),
        _given(angles),
        _given(dangles),
        schedule_of(schedule),
        axis=axis,
        inverse=inverse,
        phases=_given(phases),
        dphases=_given(dphases),
        diagonal=_given(diagonal),
        ddiagonal=_given(ddiagonal),
        signs=_given(signs),
        num_threads=_threads(y),
    )
    parameters = (angles, phases, diagonal)
    (gx, *gradients), (dgx, *tangents) = both
    return (
        _taken(gx),
        *_for_each(parameters, gradients),
        _taken(dgx),
        *_for_each(parameters, tangents),
    )
