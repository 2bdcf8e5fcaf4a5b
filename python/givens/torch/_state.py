"""What a checkpoint says of a schedule, so that another schedule's angles are not taken for it."""

import json
from typing import Any

import torch
from torch import Tensor

from givens import Schedule
from givens.torch._precision import has_numbers, name

_FORMAT = 1


def described(
    schedule: Schedule, shape: tuple[int, ...], has_base: bool, dtype: torch.dtype
) -> Tensor:
    """Return a description as a tensor of bytes, which every format of checkpoints can hold."""
    state = {
        "format": _FORMAT,
        "schedule": schedule.to_dict(),
        "shape": shape,
        "base": has_base,
        "dtype": name(dtype),
    }
    data = json.dumps(state, separators=(",", ":")).encode()
    return torch.tensor(list(data), dtype=torch.uint8, device="cpu")


def check(state: Any, schedule: Schedule, shape: tuple[int, ...], has_base: bool) -> None:
    """Raise ValueError if a description does not fit these parameters.

    Parameters
    ----------
    state : Tensor
        What `described` returned. Without numbers, as on the meta device, it agrees with all.
    schedule, shape, has_base
        What the module has into which a state is loaded.
    """
    if not has_numbers(state):
        return
    saved = _read(state)
    if saved["format"] != _FORMAT:
        raise ValueError(
            f"the state must have format {_FORMAT}, which this version of givens reads, got format "
            f"{saved['format']}"
        )
    saved_schedule = Schedule.from_dict(saved["schedule"])
    if saved_schedule != schedule:
        raise ValueError(
            f"the state must be of the module's schedule {schedule!r}, got one of "
            f"{saved_schedule!r}: its angles would make another matrix"
        )
    for what, own, other in (
        ("shape", list(shape), saved["shape"]),
        ("base", has_base, saved["base"]),
    ):
        if own != other:
            raise ValueError(f"the state must have {what} {own} as the module, got {other}")


def dtype_of(state: Any, default: torch.dtype) -> torch.dtype:
    """Return the dtype of the matrices of a state, or the default if it has no numbers."""
    if not has_numbers(state):
        return default
    dtype: torch.dtype = getattr(torch, _read(state)["dtype"])
    return dtype


def is_assigned(metadata: dict[str, Any]) -> bool:
    """Whether a state's tensors are taken as they are: ``load_state_dict(..., assign=True)``."""
    return bool(metadata.get("assign_to_params_buffers", False))


def _read(state: Tensor) -> dict[str, Any]:
    saved: dict[str, Any] = json.loads(bytes(state.tolist()))
    return saved
