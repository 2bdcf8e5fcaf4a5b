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

# gphases and gdiagonal are None if phases and diagonal are. The leading axes of angles, phases and
# diagonal are repeated to the shape `batch` first.
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

# Present only if the package was built with jaxlib's headers, of this version. The handlers have
# the names by which jax.ffi registers them.
jaxlib_version: str

def ffi_handlers() -> dict[str, Any]: ...
