"""Parameters that are divided over processes (DTensor), beside tensors that are whole in each."""

from typing import Any

from torch import Tensor


def beside(t: Tensor, parameter: Tensor) -> Tensor:
    """Return a tensor that is whole in every process, so that it computes with a parameter."""
    if not _is_divided(parameter) or _is_divided(t):
        return t
    from torch.distributed.tensor import DTensor, Replicate

    mesh: Any = parameter.device_mesh  # type: ignore[attr-defined]
    return DTensor.from_local(t, mesh, [Replicate()] * mesh.ndim, run_check=False)


def fill_with(parameter: Any, values: Tensor) -> None:
    """Copy the first process's values into a parameter."""
    if _is_divided(parameter):
        values = values.to(parameter.device, parameter.dtype)
        values = _distributed(values, parameter, parameter.placements)
    parameter.copy_(values)


def common(t: Tensor, parameter: Any) -> Tensor:
    """Return the first process's tensor in all processes over which a parameter is divided."""
    if not _is_divided(parameter):
        return t
    from torch.distributed.tensor import Replicate

    whole = [Replicate()] * parameter.device_mesh.ndim
    made: Tensor = _distributed(t, parameter, whole).to_local()
    return made


def _distributed(t: Tensor, parameter: Any, placements: Any) -> Any:
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(t, parameter.device_mesh, placements)


def _is_divided(t: Tensor) -> bool:
    return hasattr(t, "device_mesh")
