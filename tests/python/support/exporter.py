"""An array library in the CPU's memory whose arrays do what a test asks of them."""

import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from dlpack_capsules import CODES, COPIED, READ_ONLY, Exports

exports = Exports()


class Bare:
    """An array on the memory of a NumPy array. Tests change the class attributes."""

    version: int | None = 1
    read_only = False
    copied = False
    strides_are_told = True
    byte_offset = 0
    device = (1, 0)
    dtype: tuple[int, int, int] | None = None
    has_deleter = True

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.capsule: object = None

    def having(self, **attributes: object) -> Self:
        """Change attributes."""
        for name, value in attributes.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        return self

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, **keywords: Any) -> object:
        if self.version is None and keywords:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        # On the CPU no stream is named.
        assert keywords == ({} if self.version is None else {"max_version": (1, 0)})
        size = self.values.itemsize
        address = self.values.__array_interface__["data"][0]
        strides = tuple(stride // size for stride in self.values.strides)
        self.capsule = exports.capsule(
            self,
            # Empty arrays may have no memory.
            data=address - self.byte_offset if self.values.size else 0,
            device=self.device,
            dtype=self.dtype or (CODES[self.values.dtype.kind], 8 * size, 1),
            shape=self.values.shape,
            strides=strides if self.strides_are_told else None,
            byte_offset=self.byte_offset,
            version=self.version,
            flags=self.read_only * READ_ONLY + self.copied * COPIED,
            has_deleter=self.has_deleter,
        )
        return self.capsule


class Array(Bare):
    """An array whose library makes new arrays."""

    def __array_namespace__(self) -> Any:
        return sys.modules[__name__]


def from_dlpack(x: np.ndarray) -> Array:
    return Array(x)


def raising(error: Exception) -> Callable[..., object]:
    """Return a method that raises an error."""

    def method(self: object, **_: object) -> object:
        raise error

    return method
