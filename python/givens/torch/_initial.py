"""Parameters to start from, drawn by PyTorch on the device where they are."""

import math

import numpy as np
import torch
from torch import Tensor

from givens import Schedule, decompose
from givens.torch._base import q_factor
from givens.torch._distributed import fill_with
from givens.torch._precision import has_numbers
from givens.torch._schedule_names import exact_name

# Angles, phases and diagonal; the latter two are None for orthogonal matrices.
Parameters = tuple[Tensor, Tensor | None, Tensor | None]

KINDS = ("small", "identity", "haar")

_SMALL = 0.01  # radians, as in `givens.initial_parameters`


def check_kind(kind: str, schedule: Schedule, has_base: bool) -> None:
    """Raise ValueError if there are no parameters of this kind."""
    if kind not in KINDS:
        raise ValueError(f"init must be one of {', '.join(KINDS)}, got {kind!r}")
    if kind == "haar" and not has_base and exact_name(schedule) is None:
        raise ValueError(
            "schedule must have the rotations of Schedule.wavefront or Schedule.brickwall for "
            f'init="haar", or there must be a base, got {schedule!r}'
        )


@torch.no_grad()
def fill(parameters: Parameters, kind: str, schedule: Schedule) -> None:
    """Draw parameters in place, which may be divided over processes.

    Parameters
    ----------
    parameters : angles (..., K), phases (..., K) or None, diagonal (..., n) or None
    kind : {"small", "identity", "haar"}
        As in `givens.initial_parameters`.
    schedule : Schedule
        For "haar" it has the rotations of brickwall or wavefront.
    """
    angles, phases, diagonal = parameters
    if kind != "haar":
        for p in (angles, diagonal):
            if p is not None:
                p.normal_(std=_SMALL) if kind == "small" else p.zero_()
        if phases is not None:
            phases.uniform_(-math.pi, math.pi) if kind == "small" else phases.zero_()
    elif not has_numbers(angles):
        return
    elif exact_name(schedule) == "wavefront":
        _fill_wavefront(parameters, schedule)
    else:
        n = schedule.n
        dtype = torch.float64 if phases is None else torch.complex128
        found = decompose_tensor(
            q_factor(torch.randn(*angles.shape[:-1], n, n, dtype=dtype, device=angles.device)),
            schedule,
        )
        for p, values in zip(parameters, found, strict=False):
            if p is not None and values is not None:
                fill_with(p, values)


def _fill_wavefront(parameters: Parameters, schedule: Schedule) -> None:
    """Draw the angles of uniformly distributed frames (see `givens.haar_log_density`).

    With k = n - 2 - i for the pair (i, i + 1), a real angle is that between the first axis and a
    uniformly distributed vector of k + 2 entries, with either sign. In the complex case the square
    of the sine has the distribution function ``b**(k + 1)``.
    """
    angles, phases, diagonal = parameters
    k = torch.from_numpy(schedule.n - 2 - schedule.pairs[:, 0].astype(np.float64))
    k = k.to(device=angles.device, dtype=angles.dtype).expand(angles.shape)
    if phases is None:
        radius = (2 * torch.distributions.Gamma((k + 1) / 2, 1.0).sample()).sqrt()
        sign = torch.rand_like(radius).sub_(0.5).sign_()
        fill_with(angles, torch.atan2(radius * sign, torch.randn_like(radius)))
    else:
        fill_with(angles, torch.asin(torch.rand_like(k) ** (0.5 / (k + 1))))
        for p in (phases, diagonal):
            if p is not None:
                p.uniform_(-math.pi, math.pi)


def decompose_tensor(Q: Tensor, schedule: Schedule) -> tuple[Tensor | None, ...]:
    """Return angles, phases, diagonal and signs that make Q, (..., n, m), in its dtype.

    The schedule is one that `givens.decompose` knows; if it has n columns, Q is square.

    Raises
    ------
    ValueError
        If Q does not have orthonormal columns to its precision.
    """
    found = decompose(Q.detach().cpu().numpy(), schedule=exact_name(schedule))
    return tuple(
        None if p is None else torch.from_numpy(np.ascontiguousarray(p)).to(Q.device)
        for p in (found.angles, found.phases, found.diagonal, found.signs)
    )
