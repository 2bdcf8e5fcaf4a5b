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

    def for_rounds(p: Tensor, absent: float) -> Tensor:
        """Arrange values of the rotations by round and coordinate: (..., rounds, n)."""
        # A coordinate without a partner is rotated by nothing, which comes after the last rotation.
        chosen = _pad(along_vectors(p), (0, 1), value=absent).index_select(-1, rotation.flatten())
        return chosen.reshape(*chosen.shape[:-1], *rotation.shape)

    partner, rotation, is_greater = _tables(schedule, x.device)
    cosine, w = for_rounds(angles.cos(), 1.0), for_rounds(angles.sin(), 0.0)
    if phases is not None:
        w = w * for_rounds(_turn(phases), 0.0)
    w = torch.where(is_greater, w, -w.conj())
    factors = None if signs is None else along_vectors(signs)
    if diagonal is not None:
        factors = along_vectors(_turn(diagonal))

    x = x.expand(rotated_shape(x, *parameters)).transpose(axis, -1)
    if inverse:
        w = -w
        if factors is not None:
            x = factors.conj() * x
    rounds = range(schedule.num_rounds)
    for r in reversed(rounds) if inverse else rounds:
        x = cosine[..., r, :] * x + w[..., r, :] * x.index_select(-1, partner[r])
    if factors is not None and not inverse:
        x = factors * x
    return x.transpose(axis, -1)


def _turn(p: Tensor) -> Tensor:
    """Return ``exp(ip)``."""
    return torch.complex(p.cos(), p.sin())


def matrix(*args: Any) -> Tensor:
    """Form the first columns of U."""
    *parameters, schedule = args
    options: Any = (*parameters, schedule, -2, False)
    return rotate(identity(parameters, schedule, schedule.columns), *options)


def _tables(schedule: Schedule, device: torch.device) -> tuple[Any, Tensor, Tensor]:
    if torch.compiler.is_compiling():
        from givens.torch import _compiled

        return _compiled.tables(schedule, device)  # type: ignore[no-any-return]
    return tables_on(schedule, device)


def tables_on(schedule: Schedule, device: torch.device) -> tuple[Any, Tensor, Tensor]:
    """Return the tables of `givens._rounds`, the first of them as its rows.

    They are made anew, as a transform may wrap tensors that are made while it is active.
    """
    partner, rotation, is_greater = _cached_tables(schedule)
    rows = tuple(torch.from_numpy(row).to(device) for row in partner)
    return rows, torch.from_numpy(rotation).to(device), torch.from_numpy(is_greater).to(device)


_cached_tables = lru_cache(maxsize=8)(tables)


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
