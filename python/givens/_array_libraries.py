"""What is asked of the library that arrays on a GPU come from: its stream, new arrays and sums.

No library is imported here: who has an array of one has imported it.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

# As DLPack numbers them, which are also CUDA's own handles.
LEGACY_DEFAULT_STREAM = 1


class Library:
    """One that is known by nothing but its arrays. It has no way to make new ones."""

    # Whether `stream` is the one that the library itself is working on. Where it is not, a call has
    # to wait until its results are there.
    knows_stream = False

    def __init__(self, name: str) -> None:
        self.name = name

    def on(self, device: int) -> AbstractContextManager[Any]:
        """Make a device the library's current one, as all that follows needs."""
        return nullcontext()

    def stream(self, device: int) -> int:
        """Return the stream of the library's current work on a device."""
        return LEGACY_DEFAULT_STREAM

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        """Make a new array on the device of another; of its dtype, if none is named."""
        raise TypeError(
            f"arrays of {self.name} have no __array_namespace__, so that no new one can be made "
            "for the result"
        )

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        """Sum an array over some axes."""
        raise NotImplementedError  # no call gets here without a new array


class Standard(Library):
    """One that keeps to the array API standard."""

    def __init__(self, name: str, namespace: Any) -> None:
        super().__init__(name)
        self.namespace = namespace

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        make = getattr(self.namespace, "empty", None) or self.namespace.zeros
        return make(shape, dtype=self._dtype(like, dtype), device=like.device)

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        # Without a dtype some sum in another.
        return self.namespace.sum(x, axis=axes, dtype=x.dtype, keepdims=keepdims)

    def _dtype(self, like: Any, dtype: str | None) -> object:
        return like.dtype if dtype is None else getattr(self.namespace, dtype)


class CuPy(Standard):
    """CuPy, which makes arrays on the current device."""

    knows_stream = True

    def on(self, device: int) -> AbstractContextManager[Any]:
        return self.namespace.cuda.Device(device)  # type: ignore[no-any-return]

    def stream(self, device: int) -> int:
        # 0 is the legacy default stream too.
        return self.namespace.cuda.get_current_stream().ptr or LEGACY_DEFAULT_STREAM

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        return self.namespace.empty(shape, dtype=self._dtype(like, dtype))


class Torch(Standard):
    """PyTorch, which exports arrays of the current device only."""

    knows_stream = True

    def on(self, device: int) -> AbstractContextManager[Any]:
        return self.namespace.cuda.device(device)  # type: ignore[no-any-return]

    def stream(self, device: int) -> int:
        return self.namespace.cuda.current_stream(device).cuda_stream or LEGACY_DEFAULT_STREAM

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        return self.namespace.sum(x, dim=axes, keepdim=keepdims)


_KNOWN: dict[str, type[Standard]] = {"cupy": CuPy, "torch": Torch}


def library_of(x: Any) -> Library:
    """Return the library of an array, by its class or the first base class of a known library."""
    for kind in type(x).__mro__:
        name = _package(kind)
        module: ModuleType | None = sys.modules.get(name)
        if name in _KNOWN and module is not None:
            return _KNOWN[name](name, module)
    name = _package(type(x))
    if hasattr(x, "__array_namespace__"):
        return Standard(name, x.__array_namespace__())
    return Library(name)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
