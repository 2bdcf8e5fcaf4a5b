from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from givens._dispatch.libraries import ForeignArray
from givens._gradients import MatrixGradients, RotateGradients

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Array = NDArray[Any]

_ForeignArray = TypeVar("_ForeignArray", bound=ForeignArray)

__version__: str

class Schedule:
    @staticmethod
    def circle(n: int, columns: int | None = None) -> Schedule: ...
    @staticmethod
    def xor(n: int, columns: int | None = None) -> Schedule: ...
    @staticmethod
    def team(n: int, size: int, columns: int | None = None) -> Schedule: ...
    @staticmethod
    def brickwall(n: int) -> Schedule: ...
    @staticmethod
    def butterfly(n: int) -> Schedule: ...
    @staticmethod
    def from_rounds(
        n: int,
        rounds: Iterable[Sequence[tuple[int, int]] | ArrayLike],
        columns: int | None = None,
    ) -> Schedule: ...
    @staticmethod
    def from_dict(description: Mapping[str, Any]) -> Schedule: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def kind(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def num_rotations(self) -> int: ...
    @property
    def num_rounds(self) -> int: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def pairs(self) -> NDArray[np.int32]: ...
    @property
    def round_offsets(self) -> NDArray[np.int64]: ...
    @property
    def triangular_index(self) -> NDArray[np.int64]: ...
    def round(self, r: int) -> NDArray[np.int32]: ...
    @overload
    def to_triangular(self, angles: NDArray[_Scalar]) -> NDArray[_Scalar]: ...
    @overload
    def to_triangular(self, angles: _ForeignArray) -> _ForeignArray: ...
    @overload
    def from_triangular(self, angles: NDArray[_Scalar]) -> NDArray[_Scalar]: ...
    @overload
    def from_triangular(self, angles: _ForeignArray) -> _ForeignArray: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

def build_info() -> dict[str, str]: ...
def backends() -> list[str]: ...
def backend() -> str: ...
def default_num_threads() -> int: ...
def set_default_num_threads(num_threads: int | None) -> None: ...

# Arguments are checked at run time, and typed exactly in _transform.py and _jvp.py.
def matrix(
    angles: _Array,
    schedule: Schedule,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> _Array: ...
def rotate(
    x: _Array,
    angles: _Array,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    out: _Array | None,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> _Array: ...
def rotate_vjp(
    y: _Array,
    gy: _Array,
    angles: _Array,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> RotateGradients[_Array, _Array]: ...
def matrix_vjp(
    U: _Array,
    gU: _Array,
    angles: _Array,
    schedule: Schedule,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> MatrixGradients[_Array]: ...
def rotate_jvp(
    x: _Array,
    dx: _Array | None,
    angles: _Array,
    dangles: _Array | None,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: _Array | None,
    dphases: _Array | None,
    diagonal: _Array | None,
    ddiagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> tuple[_Array, _Array]: ...
def matrix_jvp(
    angles: _Array,
    dangles: _Array | None,
    schedule: Schedule,
    phases: _Array | None,
    dphases: _Array | None,
    diagonal: _Array | None,
    ddiagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> tuple[_Array, _Array]: ...
def rotate_vjp_jvp(
    y: _Array,
    dy: _Array | None,
    gy: _Array,
    dgy: _Array | None,
    angles: _Array,
    dangles: _Array | None,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: _Array | None,
    dphases: _Array | None,
    diagonal: _Array | None,
    ddiagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> tuple[RotateGradients[_Array, _Array], RotateGradients[_Array, _Array]]: ...

# Returns angles, phases, diagonal and signs; the absent ones are None.
def decompose(U: Any) -> tuple[Any, Any, Any, Any]: ...

# These check the arguments of `rotate` and `matrix`, and return the shapes of their results.
def rotated_shape(
    x: _Array,
    angles: _Array,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> tuple[int, ...]: ...
def matrix_shape(
    angles: _Array,
    schedule: Schedule,
    phases: _Array | None,
    diagonal: _Array | None,
    signs: _Array | None,
    num_threads: int | None,
) -> tuple[int, ...]: ...

# Present only if the package was built with jaxlib's headers, of this version. The handlers have
# the names by which jax.ffi registers them.
jaxlib_version: str

def ffi_handlers() -> dict[str, Any]: ...
