"""Without a GPU: what `givens.cuda` says, and what calls with arrays on a GPU raise."""

import inspect
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import givens
import givens.cuda
from givens import Schedule, _info
from scripts import run

XOR4 = Schedule.xor(4)


class DLPackArray:
    """An array on a device. Nothing more is asked of it before CUDA is there."""

    def __init__(self, device_type: int) -> None:
        self.device_type = device_type

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device_type, 0


class InterfaceArray:
    __cuda_array_interface__ = {}  # noqa: RUF012


ON_GPU = [DLPackArray(2), DLPackArray(13), InterfaceArray()]


ARGUMENTS: dict[str, Any] = {
    "angles": np.zeros(6),
    "dangles": np.zeros(6),
    "schedule": XOR4,
    "x": np.zeros((2, 4)),
    "y": np.zeros((2, 4)),
    "gy": np.zeros((2, 4)),
    "U": np.eye(4),
    "gU": np.eye(4),
    "dx": None,
    "dy": None,
    "dgy": None,
}


def calls(x: object, *functions: Callable[..., Any]) -> list[Callable[[], Any]]:
    """Return calls of the functions with the array as each argument that may be one."""
    out = []
    for function in functions:
        names = inspect.signature(function).parameters
        given = {name: value for name, value in ARGUMENTS.items() if name in names}
        for name in names:
            if name not in {"schedule", "axis", "inverse", "num_threads"}:
                out.append(partial(function, **(given | {name: x})))
    return out


def assert_unavailable(reason: str) -> None:
    message = f"^givens cannot compute on a GPU: {reason}$"
    assert not givens.cuda.is_available()
    assert givens.cuda.unavailable_reason() == reason
    for x in ON_GPU:
        for call in calls(x, givens.matrix, givens.rotate, givens.rotate_vjp, givens.matrix_vjp):
            with pytest.raises(RuntimeError, match=message):
                call()
    with pytest.raises(RuntimeError, match=message):
        givens.cuda.prepare(XOR4)
    assert f"CUDA          {reason}" in _info.describe()


def test_built_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "givens._cuda", None)  # as if there were no such file
    assert_unavailable("built without CUDA")


def test_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("givens._cuda")
    module.unavailable_reason = lambda: "there is no CUDA device"
    monkeypatch.setitem(sys.modules, "givens._cuda", module)
    assert_unavailable("there is no CUDA device")


def test_module_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "givens._cuda":
                raise ImportError("libsomething.so: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "givens._cuda", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert_unavailable("libsomething.so: cannot open shared object file")


def test_tangents_are_not_computed_on_a_gpu() -> None:
    for x in ON_GPU:
        for call in calls(x, givens.matrix_jvp, givens.rotate_jvp, givens.rotate_vjp_jvp):
            with pytest.raises(NotImplementedError, match="takes arrays in the CPU's memory only"):
                call()


def test_arrays_on_other_devices_are_refused() -> None:
    message = "must be in the memory of the CPU, got DLPackArray on device type 10 of DLPack"
    x = DLPackArray(10)
    with pytest.raises(TypeError, match=f"^angles {message}$"):
        givens.matrix(x, XOR4)
    with pytest.raises(TypeError, match=f"^y {message}$"):
        givens.rotate_vjp(x, x, x, XOR4)


def test_an_array_without_a_device_says_so_itself() -> None:
    class Abstract(DLPackArray):
        def __dlpack_device__(self) -> tuple[int, int]:
            raise ValueError("no device")

    with pytest.raises(ValueError, match="no device") as error:
        givens.rotate(Abstract(2), np.zeros(6), XOR4)
    assert error.value.__notes__ == ["This was raised by the array that was given as x."]


def test_importing_and_numpy_arrays_load_nothing_of_cuda() -> None:
    assert (
        run("""
        import sys, numpy as np, givens
        s = givens.Schedule.xor(4)
        U = givens.matrix(np.zeros(6), s)
        givens.rotate(U, np.zeros(6), s, out=U)
        print("givens._cuda" in sys.modules)
    """)
        == "False"
    )
