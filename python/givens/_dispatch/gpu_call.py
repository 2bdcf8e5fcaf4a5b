"""The arrays of one call on a GPU."""

from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from givens._dispatch import cuda_module
from givens._dispatch.libraries import exports_dlpack, is_on_gpu, library_of

if TYPE_CHECKING:
    from givens import _cuda

# A call may do without these arguments.
_OPTIONAL = ("phases", "diagonal", "signs", "out")


class Call:
    """The arrays of one call, which must be on one device and of one library.

    The call holds them for the work that is queued in the ``with`` block, and gives them back to
    their library at its end.

    Parameters
    ----------
    **arguments
        The arrays by the names of the arguments, at least one of them on a GPU.

    Attributes
    ----------
    core : module
        `givens._cuda`.
    library : Library
        The library of all arrays.
    device, stream : int
        Where the call's work goes.

    Raises
    ------
    RuntimeError
        If no GPU can be used here; with the reason.
    TypeError
        If an array is of another library or on another device than the first, or of a wrong dtype.
    """

    def __init__(self, **arguments: Any) -> None:
        self.core = cuda_module.load()
        given = {name: x for name, x in arguments.items() if x is not None or name not in _OPTIONAL}
        self._given = given
        self._first = next(name for name, x in given.items() if is_on_gpu(x))
        self.library = library_of(given[self._first])
        for name, x in given.items():
            self._check_library(name, x)
        self.device = next((d for d in map(_told_device, given.values()) if d is not None), -1)
        self._held: dict[str, _cuda.Array] = {}
        with self.library.on(self.device):
            self.stream = self.library.stream(self.device)
            try:
                for name, x in given.items():
                    self._hold(name, x)
            except BaseException:
                self._release()
                raise

    def __enter__(self) -> "Call":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and not self.library.knows_stream:
                self.core.synchronize(self.stream, self.device)
        finally:
            self._release()

    def __getitem__(self, name: str) -> "_cuda.Array":
        """Return an array that was given."""
        return self._held[name]

    def get(self, *names: str) -> list["_cuda.Array | None"]:
        """Return arrays, with None for an absent one."""
        return [self._held.get(name) for name in names]

    def new(self, name: str, shape: tuple[int, ...], *, like: str, dtype: str | None = None) -> Any:
        """Make an array of the caller's library for a result, and hold it by a name.

        It has the dtype of the argument `like`, if none is named.
        """
        with self.library.on(self.device):
            array = self.library.empty(shape, self._given[like], dtype)
            self._hold(name, array)
        return array

    def _hold(self, name: str, x: Any) -> None:
        told = _told_device(x)
        if told is not None:
            self._check_device(name, told)
            self.library.check(x, name)
            array = self.core.Array.from_dlpack(x, name, self.stream)
        else:
            array = self.core.Array.from_interface(x.__cuda_array_interface__, name, self.stream)
        self._held[name] = array
        if array.device is not None:
            self._check_device(name, array.device)

    def _release(self) -> None:
        for array in self._held.values():
            array.release()

    def _check_library(self, name: str, x: Any) -> None:
        wanted = self.library.name
        if isinstance(x, np.ndarray):
            got = "a NumPy array"
        elif not is_on_gpu(x):
            in_other = " in other memory" if exports_dlpack(x) else library_of(x).hint
            got = type(x).__name__ + in_other
        else:
            other = library_of(x).name
            if other == wanted:
                return
            got = f"an array of {other}"
        raise TypeError(
            f"{name} must be an array of {wanted} on a GPU as {self._first} is, got {got}"
        )

    def _check_device(self, name: str, device: int) -> None:
        if self.device < 0:
            self.device = device
        if device != self.device:
            raise TypeError(
                f"{name} must be on CUDA device {self.device} as {self._first} is, "
                f"got CUDA device {device}"
            )


def _told_device(x: Any) -> int | None:
    """Return the number of an array's device, if DLPack tells it."""
    return int(x.__dlpack_device__()[1]) if exports_dlpack(x) else None
