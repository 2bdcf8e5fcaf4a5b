"""The rotations written in PyTorch's own operations, one round after another.

They are slow, but differentiable to any order and on any device. Derivatives that no engine
computes are derivatives of them.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from givens import Schedule
from givens._rounds import tables
from givens.torch._shapes import MaybeTensor, batch_shape, identity, rotated_shape

_pad = torch.nn.functional.pad


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
    """Multiply vectors by U or its inverse.

    In a round every coordinate c becomes ``cos(t) x[c] + w x[partner of c]``, w being
    ``exp(ip) sin(t)`` for the greater coordinate of a pair, ``-exp(-ip) sin(t)`` for the smaller.
    """
    parameters = (angles, phases, diagonal, signs)
    vectors = (1,) * (x.ndim - 1 - len(batch_shape(*parameters)))  # neither batch nor coordinates

    def along_vectors(p: Tensor) -> Tensor:
        return p.reshape(*p.shape[:-1], *vectors, p.shape[-1])

    # A coordinate without a partner is rotated by nothing, which comes after the last rotation.
    cosine = _pad(along_vectors(angles.cos()), (0, 1), value=1.0)
    sine = along_vectors(angles.sin())
    if phases is not None:
        sine = sine * (1j * along_vectors(phases)).exp()
    sine = _pad(sine, (0, 1))
    factors = None if signs is None else along_vectors(signs)
    if diagonal is not None:
        factors = (1j * along_vectors(diagonal)).exp()

    x = x.expand(rotated_shape(x, *parameters)).movedim(axis, -1)
    if factors is not None and inverse:
        x = factors.conj() * x
    rounds = list(zip(*_tables(schedule, x.device), strict=True))
    for partner, rotation, is_greater in reversed(rounds) if inverse else rounds:
        w = sine.index_select(-1, rotation)
        w = torch.where(is_greater, w, -w.conj())
        if inverse:
            w = -w
        x = cosine.index_select(-1, rotation) * x + w * x.index_select(-1, partner)
    if factors is not None and not inverse:
        x = factors * x
    return x.movedim(-1, axis)


def matrix(*args: Any) -> Tensor:
    """Form the first columns of U."""
    *parameters, schedule = args
    options: Any = (*parameters, schedule, -2, False)
    return rotate(identity(parameters, schedule, schedule.columns), *options)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _tables(schedule: Schedule, device: torch.device) -> tuple[Tensor, ...]:
    return _cached_tables(schedule, device)


@lru_cache(maxsize=8)
def _cached_tables(schedule: Schedule, device: torch.device) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(table).to(device) for table in tables(schedule))


def rotate_vjp(y: Tensor, gy: Tensor, *rest: Any) -> tuple[MaybeTensor, ...]:
    """Compute the gradients through `rotate`, as `givens.rotate_vjp`."""
    *parameters, schedule, axis, inverse = rest
    back: Any = (*parameters, schedule, axis, not inverse)
    x = rotate(y, *back)
    f, primals = _differentiable(rotate, (x, *rest))
    gradients = iter(torch.func.vjp(f, *primals)[1](gy))
    return tuple(None if p is None else next(gradients) for p in (x, *parameters[:3]))


def rotate_jvp(*args: Any) -> tuple[Tensor, Tensor]:
    """Compute `rotate` and its tangent. The tangents come after the parameters."""
    x, *parameters, dx, dangles, dphases, ddiagonal, schedule, axis, inverse = args
    f, primals = _differentiable(rotate, (x, *parameters, schedule, axis, inverse))
    tangents = _tangents((x, *parameters), (dx, dangles, dphases, ddiagonal))
    out: tuple[Tensor, Tensor] = torch.func.jvp(f, primals, tangents)  # type: ignore[assignment]
    return out


def rotate_vjp_jvp(*args: Any) -> tuple[MaybeTensor, ...]:
    """Compute `rotate_vjp` and its tangent. The tangents come after the parameters."""
    values, tangents, constants = args[:6], args[6:11], args[11:]
    absent = [p is None for p in (values[0], *values[2:5])]

    def present(*arguments: Any) -> tuple[Tensor, ...]:
        return tuple(g for g in rotate_vjp(*arguments) if g is not None)

    f, primals = _differentiable(present, (*values, *constants))
    parts = torch.func.jvp(f, primals, _tangents(values, tangents))
    return tuple(None if a else next(p) for p in map(iter, parts) for a in absent)


def _differentiable(function: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Tensor, ...]]:
    """Return a function of the tensors that have derivatives, and these."""
    # The last tensor is the signs, which have none; three constants follow it.
    places = [k for k, t in enumerate(args[:-4]) if t is not None]

    def f(*primals: Tensor) -> Any:
        full = list(args)
        for k, primal in zip(places, primals, strict=True):
            full[k] = primal
        return function(*full)

    return f, tuple(args[k] for k in places)


def _tangents(values: Any, tangents: Any) -> tuple[Tensor, ...]:
    """Return the tangents of the values that are given; an absent one is zero."""
    pairs = zip(values, tangents, strict=False)
    return tuple(torch.zeros_like(v) if t is None else t for v, t in pairs if v is not None)
