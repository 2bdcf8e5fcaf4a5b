from collections.abc import Mapping
from typing import Any

from givens._core import Schedule

class Array:
    @staticmethod
    def from_dlpack(x: object, name: str, stream: int) -> Array: ...
    @staticmethod
    def from_interface(interface: Mapping[str, Any], name: str, stream: int) -> Array: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> int | None: ...
    def release(self) -> None: ...

def unavailable_reason() -> str: ...
def prepare(schedule: Schedule, device: int) -> None: ...
def synchronize(stream: int, device: int) -> None: ...
def matrix_shape(
    angles: Array,
    schedule: Schedule,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
) -> tuple[int, ...]: ...
def rotated_shape(
    x: Array,
    angles: Array,
    schedule: Schedule,
    axis: int,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
) -> tuple[int, ...]: ...
def matrix(
    angles: Array,
    schedule: Schedule,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
    U: Array,
    device: int,
    stream: int,
) -> None: ...
def rotate(
    x: Array,
    angles: Array,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
    y: Array,
    device: int,
    stream: int,
) -> None: ...

# Without gphases and gdiagonal where there are no phases and no diagonal. `batch` is the shape to
# which the leading axes of angles, phases and diagonal are repeated first.
def rotate_vjp(
    y: Array,
    gy: Array,
    angles: Array,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
    batch: tuple[int, ...] | None,
    gx: Array,
    gangles: Array,
    gphases: Array | None,
    gdiagonal: Array | None,
    device: int,
    stream: int,
) -> None: ...
def matrix_vjp(
    U: Array,
    gU: Array,
    angles: Array,
    schedule: Schedule,
    phases: Array | None,
    diagonal: Array | None,
    signs: Array | None,
    batch: tuple[int, ...] | None,
    gangles: Array,
    gphases: Array | None,
    gdiagonal: Array | None,
    device: int,
    stream: int,
) -> None: ...

# Only where the package was built with the headers of jaxlib, of this version: what jax.ffi
# registers, by name.
jaxlib_version: str

def ffi_handlers() -> dict[str, Any]: ...
