"""An array library on the emulator of CUDA: what a library such as CuPy does, and it keeps count.

`cuda` and `emulator` are the modules of the file that GIVENS_CUDA_MODULE names (see `make
test-cuda-python`), or None without it.
"""

import copy
import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader
from types import ModuleType
from typing import Any, Self

import numpy as np

from dlpack_capsules import CODES, Exports


def _load(name: str, path: str) -> ModuleType:
    loader = ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


cuda: Any = None
emulator: Any = None
if _path := os.environ.get("GIVENS_CUDA_MODULE"):
    import givens  # noqa: F401 (givens._core, before)

    cuda = sys.modules["givens._cuda"] = _load("givens._cuda", _path)
    emulator = _load("_emulator", _path)

# --- Arrays --------------------------------------------------------------------------------------


exports = Exports()

# The streams that consumers asked for.
streams: list[int] = []

# A dtype that NumPy does not have.
bfloat16 = object()


class Memory:
    """Bytes on a device."""

    def __init__(self, device: int, size: int) -> None:
        self.data = emulator.allocate(device, max(size, 1))
        self.size = size

    def __del__(self) -> None:
        emulator.free(self.data)


class Base:
    """An array on a device, laid out there as `mirror`, a view of `base`, is in the host's memory.

    Tests change the class attributes; views take them over.
    """

    read_only = False
    strides_are_told = True

    def __init__(self, memory: Memory, base: np.ndarray, mirror: np.ndarray, ordinal: int) -> None:
        self.memory, self.base, self.mirror, self.ordinal = memory, base, mirror, ordinal

    @classmethod
    def of(cls, values: np.ndarray, ordinal: int = 0) -> Self:
        """Copy values to a device."""
        base = np.ascontiguousarray(values).reshape(values.shape)
        memory = Memory(ordinal, base.nbytes)
        emulator.write(memory.data, base.tobytes())
        return cls(memory, base, base, ordinal)

    def view(self, of: Callable[[np.ndarray], np.ndarray]) -> Self:
        """Make the view that a function makes of a NumPy array."""
        array = copy.copy(self)
        array.mirror = of(self.mirror)
        return array

    def values(self) -> np.ndarray:
        """Copy the values back."""
        data = emulator.read(self.memory.data, self.memory.size)
        return np.ndarray(
            self.shape, self.mirror.dtype, data, self._offset(), self.mirror.strides
        ).copy()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mirror.shape

    @property
    def dtype(self) -> Any:
        return self.mirror.dtype

    @property
    def device(self) -> str:
        return f"emulated:{self.ordinal}"

    def __array_namespace__(self) -> Any:
        return sys.modules[__name__]

    def _offset(self) -> int:
        start = self.base.__array_interface__["data"][0]
        return self.mirror.__array_interface__["data"][0] - start if self.mirror.size else 0

    def _data(self) -> int:
        return self.memory.data + self._offset() if self.mirror.size else 0


class Array(Base):
    """An array that DLPack passes."""

    dlpack_version: int | None = 1
    device_type = 2
    copied = False
    byte_offset = 0
    lanes = 1

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device_type, self.ordinal

    def __dlpack__(self, *, stream: int | None = None, **keywords: Any) -> object:
        if self.dlpack_version is None and keywords:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        assert stream is not None
        assert stream != 0
        streams.append(stream)
        assert self.dlpack_version is None or keywords == {"max_version": (1, 0)}
        strides = tuple(stride // self.mirror.itemsize for stride in self.mirror.strides)
        return exports.capsule(
            self,
            data=self._data() - self.byte_offset,
            device=self.__dlpack_device__(),
            dtype=self._dlpack_dtype(),
            shape=self.shape,
            strides=strides if self.strides_are_told else None,
            byte_offset=self.byte_offset,
            version=self.dlpack_version,
            flags=self.read_only * 1 + self.copied * 2,
        )

    def _dlpack_dtype(self) -> tuple[int, int, int]:
        return CODES[self.mirror.dtype.kind], 8 * self.mirror.itemsize, self.lanes


class BFloat16Array(Array):
    """An array of a dtype that NumPy lacks; its mirror holds the bits."""

    @property
    def dtype(self) -> Any:
        return bfloat16

    def _dlpack_dtype(self) -> tuple[int, int, int]:
        return 4, 16, 1


class InterfaceArray(Base):
    """An array that has `__cuda_array_interface__` alone."""

    interface: dict[str, Any] = {}  # noqa: RUF012 (what a test changes)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self._data(), self.read_only),
            "strides": self.mirror.strides if self.strides_are_told else None,
            "version": 3,
            **self.interface,
        }


# --- The library's namespace ---------------------------------------------------------------------

complex64 = np.dtype(np.complex64)
complex128 = np.dtype(np.complex128)


def empty(shape: tuple[int, ...], *, dtype: Any, device: str) -> Array:
    kind = BFloat16Array if dtype is bfloat16 else Array
    base = np.zeros(shape, np.uint16 if dtype is bfloat16 else dtype)
    ordinal = int(device.removeprefix("emulated:"))
    return kind(Memory(ordinal, base.nbytes), base, base, ordinal)


def sum(x: Array, *, axis: tuple[int, ...], dtype: Any, keepdims: bool) -> Array:
    return Array.of(x.values().sum(axis=axis, dtype=dtype, keepdims=keepdims), x.ordinal)
