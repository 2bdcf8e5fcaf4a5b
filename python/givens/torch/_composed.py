"""Tangents of rotations and of their gradients, composed of PyTorch's own operations.

For tensors on devices whose engine has none: round by round, in dual numbers. What is computed is
said in `givens.rotate_jvp` and `givens.rotate_vjp_jvp`.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from givens import Schedule

MaybeTensor = Tensor | None

# A value and its tangent.
Dual = tuple[Tensor, Tensor]


def _dual(x: Tensor, dx: MaybeTensor) -> Dual:
    return x, torch.zeros_like(x) if dx is None else dx


def _times(a: Dual, b: Dual) -> Dual:
    return a[0] * b[0], a[0] * b[1] + a[1] * b[0]


def _plus(a: Dual, b: Dual) -> Dual:
    return a[0] + b[0], a[1] + b[1]


def _linear(f: Callable[[Tensor], Tensor], a: Dual) -> Dual:
    return f(a[0]), f(a[1])


def _scaled(factor: Tensor | complex, a: Dual) -> Dual:
    return factor * a[0], factor * a[1]


def _unit(angle: Dual) -> Dual:
    """Return exp(i angle)."""
    unit = torch.polar(torch.ones_like(angle[0]), angle[0])
    return unit, 1j * angle[1] * unit


def _rate(g: Dual, a: Dual) -> Dual:
    """Return Re(conj(g) a): how fast a loss with gradient g grows along a."""
    product = _times(_linear(torch.conj, g), a)
    return _linear(torch.real, product) if product[0].is_complex() else product


class _Round(NamedTuple):
    """One round: entry k of the result is ``cosine * x[k] + sine * x[partner]``."""

    partner: Tensor  # (n,), of every coordinate; its own where it is in no pair
    rotation: Tensor  # (n,), the number of every coordinate's rotation, K where it is in no pair
    cosine: Dual  # (..., n)
    sine: Dual  # with the sign and the phase of its entry
    direction: Dual  # the sign and the phase alone; the sign is that of sin t, not of sin -t
    sign: Tensor  # (n,), of the sine: 0 where it is in no pair

    def of(self, x: Dual) -> Dual:
        return _plus(_times(self.cosine, x), _times(self.sine, self.partners(x)))

    def partners(self, x: Dual) -> Dual:
        return _linear(lambda t: t.index_select(-1, self.partner), x)


@lru_cache(maxsize=8)
def _tables(schedule: Schedule, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the partners, numbers of rotations and signs of `_Round`, (rounds, n) each."""
    n, offsets = schedule.n, schedule.round_offsets
    partner = torch.arange(n).repeat(schedule.num_rounds, 1)
    rotation = torch.full_like(partner, schedule.num_rotations)
    sign = torch.zeros_like(partner)
    pairs = torch.from_numpy(schedule.pairs).long()
    for r in range(schedule.num_rounds):
        numbers = torch.arange(offsets[r], offsets[r + 1])
        i, j = pairs[numbers].T
        partner[r, i], partner[r, j] = j, i
        rotation[r, i] = rotation[r, j] = numbers
        sign[r, i], sign[r, j] = -1, 1
    return partner.to(device), rotation.to(device), sign.to(device)


class _Rotations:
    """The rotations, and the diagonal or signs, of one call on vectors along the last axis."""

    def __init__(
        self,
        x: Tensor,
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
    ) -> None:
        self.schedule, self.axis, self.inverse = schedule, axis, inverse
        given = [p for p in (angles, phases, diagonal, signs) if p is not None]
        self.batch = torch.broadcast_shapes(*(p.shape[:-1] for p in given))
        # Axes of vectors that are no batch axes; those of parameters are put before them.
        self.between = (1,) * (x.ndim - 1 - len(self.batch))
        self.batch = torch.broadcast_shapes(self.batch, x.shape[: len(self.batch)])
        self.angles = self.aligned(angles, dangles)
        self.phases = None if phases is None else self.aligned(phases, dphases)
        self.scale = None  # of the rows of U
        if diagonal is not None:
            self.scale = _unit(self.aligned(diagonal, ddiagonal))
        elif signs is not None:
            self.scale = self.aligned(signs, None)

    def aligned(self, p: Tensor, dp: MaybeTensor) -> Dual:
        shape = (*p.shape[:-1], *self.between, p.shape[-1])
        return _linear(lambda t: t.reshape(shape), _dual(p, dp))

    def vectors(self, x: Tensor, dx: MaybeTensor) -> Dual:
        """Return vectors along the last axis, with their batch axes in full."""
        full = (*self.batch, *x.shape[len(self.batch) :])
        return _linear(lambda t: t.expand(full).movedim(self.axis, -1), _dual(x, dx))

    def back(self, x: Dual) -> Dual:
        # A copy, even if nothing has been done: results of operators are no views of arguments.
        return _linear(
            lambda t: t.movedim(-1, self.axis).clone(memory_format=torch.contiguous_format), x
        )

    def rounds(self, *, undone: bool = False) -> Iterator[_Round]:
        """Yield the rounds in the order of the product, or last to first and inverted."""
        backwards = self.inverse != undone
        tables = _tables(self.schedule, self.angles[0].device)
        for r in range(self.schedule.num_rounds)[:: -1 if backwards else 1]:
            partner, rotation, sign = (table[r] for table in tables)
            pick = self.picked(rotation)
            t = _linear(pick, self.angles)
            cosine = t[0].cos(), -t[0].sin() * t[1]
            sine = t[0].sin(), t[0].cos() * t[1]
            real = sign.to(t[0].dtype)
            direction: Dual = (real, torch.zeros_like(real))
            if self.phases is not None:
                phase = _scaled(real, _linear(pick, self.phases))
                direction = _scaled(real, _unit(phase))
            if backwards:
                sine = _linear(torch.neg, sine)
            yield _Round(partner, rotation, cosine, _times(direction, sine), direction, sign)

    @staticmethod
    def picked(rotation: Tensor) -> Callable[[Tensor], Tensor]:
        """Return a function that takes a parameter of each rotation to the coordinates."""
        return lambda p: torch.nn.functional.pad(p, (0, 1)).index_select(-1, rotation)

    def scaled(self, x: Dual, *, undone: bool = False) -> Dual:
        if self.scale is None:
            return x
        backwards = self.inverse != undone
        return _times(_linear(torch.conj, self.scale) if backwards else self.scale, x)

    def summed(self, rates: Dual, batch: tuple[int, ...]) -> Dual:
        """Sum (*batch, *between, entries) to the batch axes of a parameter."""

        def sum_of(t: Tensor) -> Tensor:
            axes = tuple(range(t.ndim - 1 - len(self.between), t.ndim - 1))
            return (t.sum(axes) if axes else t).sum_to_size(*batch, t.shape[-1]).contiguous()

        return _linear(sum_of, rates)

    def by_rotation(self, terms: list[tuple[Tensor, Dual]], batch: tuple[int, ...]) -> Dual:
        """Sum what comes with the numbers of its rotations: to (*batch, K)."""
        K = self.schedule.num_rotations
        if not terms:
            nothing = self.angles[0].new_zeros(*batch, K)
            return nothing, nothing.clone()
        values, tangents = zip(*(rate for _, rate in terms), strict=True)
        rates = self.summed((torch.cat(values, -1), torch.cat(tangents, -1)), batch)
        rotations = torch.cat([rotation for rotation, _ in terms])
        # The last one is for coordinates in no pair.
        return _linear(
            lambda t: t.new_zeros(*batch, K + 1).index_add(-1, rotations, t)[..., :K].contiguous(),
            rates,
        )


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
) -> Dual:
    """Return y and dy."""
    u = _Rotations(
        x, angles, dangles, phases, dphases, diagonal, ddiagonal, signs, schedule, axis, inverse
    )
    z = u.vectors(x, dx)
    if inverse:
        z = u.scaled(z)
    for r in u.rounds():
        z = r.of(z)
    if not inverse:
        z = u.scaled(z)
    return u.back(z)


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
) -> tuple[tuple[MaybeTensor, ...], ...]:
    """Return (gx, gangles, gphases, gdiagonal) and their tangents; None for absent parameters."""
    u = _Rotations(
        y, angles, dangles, phases, dphases, diagonal, ddiagonal, signs, schedule, axis, inverse
    )
    z, g = u.vectors(y, dy), u.vectors(gy, dgy)
    by_diagonal = None

    def unscaled() -> None:
        nonlocal z, g, by_diagonal
        if diagonal is not None:
            turned = -1j if inverse else 1j
            by_diagonal = _rate(g, _scaled(turned, z))
        z, g = u.scaled(z, undone=True), u.scaled(g, undone=True)

    if not inverse:
        unscaled()
    by_angle, by_phase = [], []
    for r in u.rounds(undone=True):
        along = _times(r.direction, r.partners(z))
        by_angle.append((r.rotation, _rate(g, _linear(torch.neg, along) if inverse else along)))
        z = r.of(z)
        if phases is not None:
            # r's sine is minus that of the round that it undoes.
            turned = _times(r.sine, r.partners(z))
            along = _scaled(-1j * r.sign, turned)
            by_phase.append((r.rotation, _rate(g, along)))
        g = r.of(g)
    if inverse:
        unscaled()
    gradients = (
        u.back(g),
        u.by_rotation(by_angle, angles.shape[:-1]),
        None if phases is None else u.by_rotation(by_phase, phases.shape[:-1]),
        None
        if by_diagonal is None or diagonal is None
        else u.summed(by_diagonal, diagonal.shape[:-1]),
    )
    return tuple(tuple(None if d is None else d[k] for d in gradients) for k in (0, 1))
