"""The libraries that arrays come from: how to view, make, place and sum their arrays.

No library is imported here: a caller who has an array of a library has imported it.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from types import ModuleType
from typing import Any, Protocol

from numpy.typing import NDArray

# DLPack's number of the stream, which is also CUDA's handle of it.
LEGACY_DEFAULT_STREAM = 1

# DLPack's types of devices: CUDA's own memory and its managed memory.
_CUDA_DEVICES = (2, 13)


class ForeignArray(Protocol):
    """An array of another library, as DLPack passes it."""

    def __dlpack_device__(self) -> tuple[Any, int]: ...
    def __dlpack__(self, *, stream: int | None = None) -> Any: ...


class Library:
    """A library that is known by its arrays alone. It has no way to make new ones."""

    # Whether `stream` returns the stream that the library itself works on. If not, a call waits
    # until its results are there.
    knows_stream = False

    # What the refusal of an object of the library that is no array adds.
    hint = ""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_on_gpu(self, x: Any) -> bool:
        """Whether an object of the library is an array in a GPU's memory."""
        if isinstance(x, type):
            return False
        if exports_dlpack(x):
            try:
                return x.__dlpack_device__()[0] in _CUDA_DEVICES
            except Exception:  # DLPack can name no memory of it, so it is on no GPU
                return False
        return hasattr(x, "__cuda_array_interface__")

    def check(self, x: Any, name: str) -> None:
        """Refuse the argument `name` if its memory does not hold its values."""

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        """Make an array on the device of another one, and of its dtype if none is named."""
        raise self._makes_no_arrays()

    def _makes_no_arrays(self) -> TypeError:
        return TypeError(
            f"arrays of {self.name} have no __array_namespace__, so that no new one can be made "
            "for the result"
        )

    # --- Arrays in the CPU's memory: givens._core asks this ---

    # Whether arrays can be written.
    writeable = True

    def from_numpy(self, x: NDArray[Any], like: Any) -> Any:
        """Return an array of the library of `like` on the memory of a NumPy array."""
        raise self._makes_no_arrays()

    # --- Arrays on a GPU: gpu_call asks this ---

    def on(self, device: int) -> AbstractContextManager[Any]:
        """Make a device the library's current one, which the methods below require."""
        return nullcontext()

    def stream(self, device: int) -> int:
        """Return the stream of the library's current work on a device."""
        return LEGACY_DEFAULT_STREAM

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        """Sum an array over some axes."""
        raise NotImplementedError  # no call gets here without a new array


class Standard(Library):
    """A library that follows the array API standard."""

    def namespace(self, x: Any) -> Any:
        """Return the module with the library's functions."""
        return x.__array_namespace__()

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        namespace = self.namespace(like)
        make = getattr(namespace, "empty", None) or namespace.zeros
        return make(shape, dtype=self._dtype(like, dtype), device=like.device)

    def from_numpy(self, x: NDArray[Any], like: Any) -> Any:
        return self.namespace(like).from_dlpack(x)

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        # Some libraries sum in another dtype if none is named.
        return self.namespace(x).sum(x, axis=axes, dtype=x.dtype, keepdims=keepdims)

    def _dtype(self, like: Any, dtype: str | None) -> object:
        return like.dtype if dtype is None else getattr(self.namespace(like), dtype)


class Known(Standard):
    """A library that the package knows by the name of its module."""

    def __init__(self, name: str, module: ModuleType) -> None:
        super().__init__(name)
        self.module: Any = module

    def namespace(self, x: Any) -> Any:
        return self.module


class CuPy(Known):
    """CuPy, which makes arrays on the current device."""

    knows_stream = True

    def on(self, device: int) -> AbstractContextManager[Any]:
        return self.module.cuda.Device(device)  # type: ignore[no-any-return]

    def stream(self, device: int) -> int:
        # CuPy's 0 is the legacy default stream too.
        return self.module.cuda.get_current_stream().ptr or LEGACY_DEFAULT_STREAM

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        return self.module.empty(shape, dtype=self._dtype(like, dtype))


class Torch(Known):
    """PyTorch, which exports arrays of the current device only."""

    knows_stream = True

    def __init__(self, name: str, module: ModuleType) -> None:
        super().__init__(name, module)
        # Whether PyTorch records gradients of what is computed now.
        self.records_gradients: Callable[[], bool] = module.is_grad_enabled

    def is_on_gpu(self, x: Any) -> bool:
        return getattr(x, "is_cuda", False) is True

    def check(self, x: Any, name: str) -> None:
        if x.is_conj() or x.is_neg():
            raise TypeError(
                f"{name} must be a tensor whose memory holds its values, got one that is "
                "conjugated or negated when it is read: resolve_conj() and resolve_neg() copy it"
            )
        if x.requires_grad:
            raise TypeError(
                f"{name} must be a tensor that requires no gradient: givens.torch computes "
                f"gradients, and {name}.detach() is without"
            )

    def on(self, device: int) -> AbstractContextManager[Any]:
        return self.module.cuda.device(device)  # type: ignore[no-any-return]

    def stream(self, device: int) -> int:
        return self.module.cuda.current_stream(device).cuda_stream or LEGACY_DEFAULT_STREAM

    def sum(self, x: Any, axes: tuple[int, ...], *, keepdims: bool) -> Any:
        return self.module.sum(x, dim=axes, keepdim=keepdims)


class Jax(Known):
    """JAX, whose arrays cannot be written."""

    writeable = False
    hint = ": use givens.jax inside of JAX's jit, grad and vmap"

    def check(self, x: Any, name: str) -> None:
        # JAX may still be computing it.
        x.block_until_ready()

    def empty(self, shape: tuple[int, ...], like: Any, dtype: str | None = None) -> Any:
        raise TypeError("arrays of jax on a GPU cannot be written: use givens.jax")

    def namespace(self, x: Any) -> Any:
        return self.module.numpy

    def from_numpy(self, x: NDArray[Any], like: Any) -> Any:
        if x.dtype.kind == "f" or x.dtype.itemsize != 2:
            return super().from_numpy(x, like)
        # NumPy cannot export bfloat16 by DLPack.
        bits = super().from_numpy(x.view("uint16"), like)
        return self.module.lax.bitcast_convert_type(bits, like.dtype)


# The package of an array's class, to the package that has its functions and the class for it.
_KNOWN: dict[str, tuple[str, type[Known]]] = {
    "cupy": ("cupy", CuPy),
    "jax": ("jax", Jax),
    "jaxlib": ("jax", Jax),
    "torch": ("torch", Torch),
}


def exports_dlpack(x: object) -> bool:
    """Whether an object is an array that DLPack can pass."""
    return hasattr(type(x), "__dlpack_device__")


def is_on_gpu(x: object) -> bool:
    """Whether an object is an array in a GPU's memory."""
    return library_of(x).is_on_gpu(x)


def library_of(x: object) -> Library:
    """Return the library of an array, by its class or the first base class of a known library."""
    return library_of_class(type(x))  # type: ignore[arg-type]  # mypy thinks no class has a hash


@lru_cache(64)
def library_of_class(kind: type) -> Library:
    """Return the library of a class of arrays; `givens._core` asks this."""
    for base in kind.__mro__:
        name, known = _KNOWN.get(_package(base), ("", Known))
        module = sys.modules.get(name)
        if module is not None:
            return known(name, module)
    name = _package(kind)
    return Standard(name) if hasattr(kind, "__array_namespace__") else Library(name)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
