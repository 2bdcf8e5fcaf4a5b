"""Which dtype is computed in: single precision for 16 bits, and complex for unitary matrices."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

SIXTEEN_BITS = (torch.float16, torch.bfloat16)
# Compiled functions know tables, but not the methods of dtypes.
_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_REAL = {made: dtype for dtype, made in _COMPLEX.items()}
_DTYPES = (*SIXTEEN_BITS, torch.float32, torch.float64, torch.complex64, torch.complex128)


def name(dtype: torch.dtype) -> str:
    """Return the name of a dtype without its module."""
    return str(dtype).removeprefix("torch.")


def check_dtype(dtype: torch.dtype) -> None:
    """Raise TypeError if there are no matrices of a dtype."""
    if dtype not in _DTYPES:
        names = ", ".join(map(name, _DTYPES[:-1]))
        raise TypeError(f"dtype must be {names} or {name(_DTYPES[-1])}, got {name(dtype)}")


def is_16_bit(dtype: torch.dtype) -> bool:
    """Whether the dtype is float16 or bfloat16."""
    return dtype in SIXTEEN_BITS


def computed(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which matrices and vectors of a dtype are computed."""
    return torch.float32 if dtype in SIXTEEN_BITS else dtype


def widened(t: Any) -> Any:
    """Return a tensor in the dtype in which it is computed with, and anything else as it is."""
    return t.float() if isinstance(t, Tensor) and t.dtype in SIXTEEN_BITS else t


def real(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of the parameters of a matrix before it is rounded to 16 bits."""
    return _REAL.get(dtype, computed(dtype))


def complex_of(dtype: torch.dtype) -> torch.dtype:
    """Return the complex dtype of a precision, float32 or float64."""
    return _COMPLEX[dtype]


def is_autocast(t: Tensor) -> bool:
    """Whether autocast is on for the device of a tensor."""
    if t.is_cpu:
        return torch.is_autocast_enabled("cpu")
    device = t.device.type
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def without_autocast(t: Tensor) -> Any:
    """Keep matrix products on the device of a tensor in the precision of their factors."""
    if is_autocast(t):
        return torch.autocast(t.device.type, enabled=False)
    return nullcontext()


def has_numbers(t: Tensor) -> bool:
    """Whether a tensor has values: those on the meta device and fake tensors have none."""
    return not t.is_meta and not hasattr(t, "fake_mode")


def converted_dtype(dtype: torch.dtype, convert: Callable[[Tensor], Tensor]) -> torch.dtype:
    """Return the dtype of a module's matrices after a conversion, as `Module.to` makes one."""
    plain = _REAL.get(dtype, dtype)
    made = convert(torch.empty(0, dtype=plain)).dtype
    if dtype.is_complex:
        return complex_of(real(made))
    return _REAL.get(made, made)


def keeping_precision(convert: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Change a conversion of tensors, as `Module.to` makes one, for parameters of matrices.

    Where it would give them 16 bits, they get single precision. Angles stay real in a conversion to
    a complex dtype, and matrices complex in one to a real dtype.
    """

    def converted(t: Tensor) -> Tensor:
        before = _REAL.get(t.dtype, t.dtype)
        probe = convert(torch.empty(0, dtype=before, device=t.device))
        if probe.dtype == before:
            return convert(t)
        after = real(probe.dtype)
        return t.to(device=probe.device, dtype=complex_of(after) if t.is_complex() else after)

    return converted
