"""Arrays on a GPU, on the emulator of CUDA: values, and which device, stream and owner they have.

`make test-cuda-python` builds the extension module that these tests need.
"""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import emulated_array
import givens
import givens.cuda
import oracles
from cases import (
    EACH_DTYPE,
    OPTIONS,
    REAL_OPTIONS,
    VIEWS,
    Case,
    exactly,
    random_angles,
    random_vectors,
)
from emulated_array import Array, BFloat16Array, InterfaceArray, bfloat16, emulator, exports
from emulated_array import streams as streams_asked
from givens import Schedule
from oracles import assert_vectors_close, present

if emulated_array.cuda is None:
    pytest.skip(
        "needs the module on the emulator of CUDA: make test-cuda-python", allow_module_level=True
    )

SCHEDULE = Schedule.xor(8)
K = SCHEDULE.num_rotations


@pytest.fixture(autouse=True)
def _everything_is_given_back():
    gc.freeze()  # only what the test makes is looked through, not all libraries
    yield
    # Errors hold on to arrays by their tracebacks.
    gc.collect()
    gc.unfreeze()
    emulator.reset_devices()
    emulator.free_plans()
    assert emulator.take_reports() == ""
    assert emulator.allocation_count() == 0
    assert emulator.current_device() == 0
    assert exports.made == exports.deleted


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def real_of(dtype) -> np.dtype:
    return np.zeros(0, dtype).real.dtype


def on_device(c: Case) -> dict[str, Any]:
    """Return the arguments that all functions have in common, with arrays on the first device."""
    arrays = {name: Array.of(values) for name, values in c.parameters.items()}
    return {"schedule": c.schedule, **arrays}


def assert_results_close(actual, expected, size) -> None:
    """Compare arrays on the device with arrays on the CPU, whose errors are as large."""
    assert [a is None for a in actual] == [b is None for b in expected]
    for a, b in zip(present(actual), present(expected), strict=True):
        assert isinstance(a, Array)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert np.abs(a.values() - b).max(initial=0) <= 2 * size


def gradient_size(schedule: Schedule, y: np.ndarray, gy: np.ndarray) -> float:
    """Bound the error of every entry of the gradients, of gx too."""
    bound = oracles.gradient_rounding(schedule, y.dtype, max(y.size, 1))
    return bound * max(1, float(np.linalg.norm(y))) * float(np.linalg.norm(gy))


def assert_rotated(on_gpu: Array, x: np.ndarray, angles: np.ndarray) -> None:
    """Assert that an array on the device has the vectors x, rotated."""
    size = 2 * oracles.rounding(SCHEDULE, np.float64) * np.linalg.norm(x, axis=-1)
    assert_vectors_close(on_gpu.values(), givens.rotate(x, angles, SCHEDULE), size)


# --- Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "schedule",
    [SCHEDULE, Schedule.circle(7), Schedule.xor(9, columns=4)],
    ids=["xor", "circle", "columns"],
)
def test_matrix_and_its_gradient(schedule: Schedule, dtype: str, kind: str) -> None:
    c = Case.of(schedule, kind, (schedule.n,), dtype=dtype)
    U = givens.matrix(**c.given)
    on_gpu = givens.matrix(**on_device(c))
    assert on_gpu.dtype == U.dtype
    assert_vectors_close(on_gpu.values(), U, 2 * oracles.rounding(schedule, dtype), axis=0)

    gU = random_vectors(random(), U.shape, U.dtype)
    expected = givens.matrix_vjp(U, gU, **c.given)
    actual = givens.matrix_vjp(Array.of(U), Array.of(gU), **on_device(c))
    assert_results_close(actual, expected, gradient_size(schedule, U, gU))


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("axis", [-1, -2])
@EACH_DTYPE
def test_rotate_and_its_gradient(dtype: str, axis: int, inverse: bool) -> None:
    is_complex = dtype.startswith("complex")
    kind = "phases and diagonal" if is_complex else "signs"
    c = Case.of(SCHEDULE, kind, (3, 5, 8), dtype=real_of(dtype), complex_vectors=is_complex)
    x, gy = (np.moveaxis(v, -1, axis).copy() for v in (c.x, c.gy))
    how = {"axis": axis, "inverse": inverse}
    y = givens.rotate(x, **how, **c.given)
    on_gpu = givens.rotate(Array.of(x), **how, **on_device(c))
    assert on_gpu.dtype == y.dtype
    size = 2 * oracles.rounding(SCHEDULE, dtype) * np.linalg.norm(x, axis=axis)
    assert_vectors_close(on_gpu.values(), y, size, axis)

    expected = givens.rotate_vjp(y, gy, **how, **c.given)
    actual = givens.rotate_vjp(Array.of(y), Array.of(gy), **how, **on_device(c))
    assert_results_close(actual, expected, gradient_size(SCHEDULE, y, gy))


@pytest.mark.parametrize("kind", ["signs", "phases and diagonal"])
def test_operators(kind: str) -> None:
    c = Case.of(SCHEDULE, kind, (3, 8), dtype="float64", complex_vectors=kind != "signs")
    kept, on_gpu = givens.Operator(**c.given), givens.Operator(**on_device(c))
    assert on_gpu.shape == kept.shape
    assert on_gpu.dtype == kept.dtype
    assert repr(on_gpu) == repr(kept)
    size = 2 * oracles.rounding(SCHEDULE, np.float64) * np.linalg.norm(c.x, axis=-1)
    for mine, its in ((kept, on_gpu), (kept.H, on_gpu.H)):
        assert_vectors_close(its.rotate(Array.of(c.x)).values(), mine.rotate(c.x), size)
        y, gy = mine.rotate(c.x), c.gy
        expected = mine.vjp(y, gy)
        actual = its.vjp(Array.of(y), Array.of(gy))
        assert_results_close(actual, expected, gradient_size(SCHEDULE, y, gy))
    error = 2 * oracles.rounding(SCHEDULE, np.float64)
    assert_vectors_close(on_gpu.matrix().values(), kept.matrix(), error, axis=0)
    with pytest.raises(TypeError, match="an operator on a GPU cannot be saved"):
        on_gpu.save("nowhere.npz")
    with pytest.raises(ValueError, match="angles"):
        givens.Operator(Array.of(np.zeros(K + 1)), SCHEDULE)
    with pytest.raises(ValueError, match="as many columns as rows"):
        givens.Operator(Array.of(np.zeros(13)), Schedule.xor(8, columns=2)).matrix()


def to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Cut float32 to the bits of bfloat16; an input may have any value."""
    return (np.ascontiguousarray(x, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_vectors_with_single_precision_angles(name: str) -> None:
    rng = random(2)
    angles = random_angles(rng, SCHEDULE, np.float32)
    values = rng.standard_normal((2, 4, 8))
    if name == "float16":
        stored, of, back, eps = values.astype(np.float16), Array.of, np.float32, 2.0**-11
    else:
        stored, of, back, eps = to_bfloat16(values), BFloat16Array.of, from_bfloat16, 2.0**-8
    x, g = back(stored)
    # Half an ulp of the stored result, on top of single precision.
    y = givens.rotate(x, angles, SCHEDULE)
    on_gpu = givens.rotate(of(stored[0]), Array.of(angles), SCHEDULE)
    assert on_gpu.dtype is bfloat16 if name == "bfloat16" else on_gpu.dtype == np.float16
    size = (eps + 2 * oracles.rounding(SCHEDULE, np.float32)) * np.linalg.norm(x, axis=-1)
    assert_vectors_close(back(on_gpu.values()), y, size)

    expected = givens.rotate_vjp(x, g, angles, SCHEDULE)
    actual = givens.rotate_vjp(of(stored[0]), of(stored[1]), Array.of(angles), SCHEDULE)
    size = (eps + 2 * oracles.rounding(SCHEDULE, np.float32)) * np.linalg.norm(g, axis=-1)
    assert_vectors_close(back(actual.x.values()), expected.x, size)
    assert_results_close(actual[1:], expected[1:], gradient_size(SCHEDULE, x, g))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("version", [None, 1])
def test_strides(view: str, version: int | None) -> None:
    rng = random(3)
    angles, base = random_angles(rng, SCHEDULE), rng.standard_normal((4, 6, 8))
    x = VIEWS[view](base)
    on_gpu = Array.of(base).view(VIEWS[view])
    on_gpu.dlpack_version = version
    y = givens.rotate(on_gpu, Array.of(angles), SCHEDULE)
    assert_rotated(y, x, angles)


def test_out_with_strides() -> None:
    rng = random(4)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    whole = Array.of(np.zeros((8, 6)))
    out = whole.view(lambda a: a[:, ::2].T)
    assert givens.rotate(Array.of(x), Array.of(angles), SCHEDULE, out=out) is out
    assert_rotated(out, x, angles)
    assert not whole.values()[:, 1::2].any()


def test_out_may_be_x_but_not_overlap_it() -> None:
    rng = random(5)
    angles, values = random_angles(rng, SCHEDULE), rng.standard_normal((4, 8))
    x = Array.of(values)
    assert givens.rotate(x, Array.of(angles), SCHEDULE, out=x) is x
    assert_rotated(x, values, angles)
    with pytest.raises(ValueError, match="must not overlap an input"):
        givens.rotate(
            x.view(lambda a: a[1:]), Array.of(angles), SCHEDULE, out=x.view(lambda a: a[:-1])
        )


# --- Batches -------------------------------------------------------------------------------------

# The leading axes of angles, of the other parameters, and of x before its own axis.
BATCHES = [
    ((), (), (4,)),
    ((3,), (3,), (3, 4)),
    ((3,), (), (3, 4)),
    ((), (3,), (3,)),
    ((1,), (3,), (3, 2)),
    ((3, 1), (2,), (3, 2, 4)),
    ((1, 2), (3, 1), (3, 2)),
    ((1,), (1,), (5, 2)),
    ((1, 1), (), (2, 3)),
    ((0,), (1,), (0, 4)),
    ((2,), (2,), (2, 0)),
]


@pytest.mark.parametrize("kind", [*REAL_OPTIONS, "phases and diagonal"])
@pytest.mark.parametrize(("of_angles", "of_others", "of_x"), BATCHES)
def test_matrices_that_share_parameters(kind: str, of_angles, of_others, of_x) -> None:
    c = Case.of(SCHEDULE, kind, (*of_x, 8), batches=(of_angles, of_others))
    y = givens.rotate(c.x, **c.given)
    gy = random_vectors(random(), y.shape, y.dtype)
    of_x_alone = givens.rotate(Array.of(c.x), **on_device(c))
    assert_results_close([of_x_alone], [y], oracles.rounding(SCHEDULE, y.dtype) * 8 * 8)
    expected = givens.rotate_vjp(y, gy, **c.given)
    actual = givens.rotate_vjp(Array.of(y), Array.of(gy), **on_device(c))
    assert_results_close(actual, expected, gradient_size(SCHEDULE, y, gy))

    U = givens.matrix(**c.given)
    gU = random_vectors(random(), U.shape, U.dtype)
    expected_of_matrix = givens.matrix_vjp(U, gU, **c.given)
    actual = givens.matrix_vjp(Array.of(U), Array.of(gU), **on_device(c))
    assert_results_close(actual, expected_of_matrix, gradient_size(SCHEDULE, U, gU))


@pytest.mark.parametrize("n", [1, 2])
def test_smallest_schedules(n: int) -> None:
    schedule = Schedule.xor(n)
    angles = np.full(schedule.num_rotations, 0.5)
    U = givens.matrix(angles, schedule)
    assert_results_close(
        [givens.matrix(Array.of(angles), schedule)], [U], oracles.rounding(schedule, np.float64)
    )
    gradients = givens.matrix_vjp(Array.of(U), Array.of(U), Array.of(angles), schedule)
    assert gradients.angles.shape == angles.shape


@pytest.mark.parametrize("kind", ["angles alone", "phases and diagonal"])
@pytest.mark.parametrize("n", [0, 1])
def test_batches_of_parameters_without_entries(n: int, kind: str) -> None:
    schedule = Schedule.xor(n)
    assert schedule.num_rotations == 0
    c = Case.of(schedule, kind, (3, 2, n), batches=((3,), (3,)))
    expected = givens.rotate_vjp(c.x, c.gy, **c.given)
    actual = givens.rotate_vjp(Array.of(c.x), Array.of(c.gy), **on_device(c))
    assert_results_close(actual, expected, gradient_size(schedule, c.x, c.gy))


# --- Devices, streams and owners -----------------------------------------------------------------


def test_arrays_of_the_second_device_are_computed_there() -> None:
    rng = random(7)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    before = emulator.current_device()
    y = givens.rotate(Array.of(x, 1), Array.of(angles, 1), SCHEDULE)
    # The emulator's kernels can touch memory of their own device only.
    assert y.ordinal == 1
    assert emulator.current_device() == before
    assert_rotated(y, x, angles)


def test_the_legacy_default_stream_where_the_library_tells_none() -> None:
    streams_asked.clear()
    givens.matrix(Array.of(np.zeros(K)), SCHEDULE)
    assert streams_asked == [1, 1]  # angles and U


class FakeDevice:
    """`cupy.cuda.Device` and `torch.cuda.device`: the one of a ``with`` block is current."""

    current = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> None:
        self.before, FakeDevice.current = FakeDevice.current, self.number

    def __exit__(self, *_: object) -> None:
        FakeDevice.current = self.before


def library_like(name: str) -> tuple[ModuleType, type[Array]]:
    """Make a module and its class of arrays, which it exports while their device is current."""

    class LibraryArray(Array):
        def __array_namespace__(self) -> Any:
            raise AssertionError(f"{name} is known")

        def __dlpack__(self, **keywords: Any) -> object:
            if self.ordinal != FakeDevice.current:
                raise BufferError("on another device than the current one")
            return super().__dlpack__(**keywords)

    LibraryArray.__module__ = f"{name}._core"
    module = ModuleType(name)
    module.complex128 = np.dtype(np.complex128)
    return module, LibraryArray


def cupy_like(streams: list[int]) -> tuple[ModuleType, type[Array]]:
    """Make what the package uses of CuPy, with these current streams of the devices."""
    module, array = library_like("cupy")

    def empty(shape, dtype) -> Array:
        return array.of(np.zeros(shape, dtype), FakeDevice.current)

    def total(x, *, axis, dtype, keepdims) -> Array:
        assert x.ordinal == FakeDevice.current
        return array.of(x.values().sum(axis, dtype, keepdims=keepdims), x.ordinal)

    module.cuda = SimpleNamespace(
        Device=FakeDevice,
        get_current_stream=lambda: SimpleNamespace(ptr=streams[FakeDevice.current]),
    )
    module.empty, module.sum = empty, total
    return module, array


def torch_like(streams: list[int]) -> tuple[ModuleType, type[Array]]:
    """Make what the package uses of PyTorch, and a class derived from its tensors."""
    module, tensor = library_like("torch")
    tensor.requires_grad = False
    tensor.is_cuda = True
    tensor.is_conj = tensor.is_neg = lambda self: False

    class Parameter(tensor):
        pass

    def empty(shape, *, dtype, device) -> Array:
        return tensor.of(np.zeros(shape, dtype), int(device.removeprefix("emulated:")))

    def total(x, *, dim, keepdim) -> Array:
        return tensor.of(x.values().sum(dim, keepdims=keepdim), x.ordinal)

    module.cuda = SimpleNamespace(
        device=FakeDevice,
        current_stream=lambda device: SimpleNamespace(cuda_stream=streams[device]),
    )
    module.empty, module.sum = empty, total
    module.is_grad_enabled = lambda: True
    return module, Parameter


@pytest.mark.parametrize("library", [cupy_like, torch_like])
@pytest.mark.parametrize("ordinal", [0, 1])
def test_the_current_stream_of_known_libraries(
    library, ordinal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = [emulator.create_stream(device) for device in range(2)]
    module, array = library(streams)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    rng = random(8)
    angles, phases = random_angles(rng, SCHEDULE), random_angles(rng, SCHEDULE, batch=(3,))
    on_gpu = array.of(angles, ordinal), array.of(phases, ordinal)
    streams_asked.clear()
    U = givens.matrix(on_gpu[0], SCHEDULE, phases=on_gpu[1])
    assert U.ordinal == ordinal
    # angles is shared by three matrices.
    gangles, gphases, _ = givens.matrix_vjp(U, U, on_gpu[0], SCHEDULE, phases=on_gpu[1])
    assert {*streams_asked} == {streams[ordinal]}
    expected = givens.matrix(angles, SCHEDULE, phases=phases)
    assert_results_close([U], [expected], oracles.rounding(SCHEDULE, np.float64))
    assert (gangles.shape, gphases.shape) == (angles.shape, phases.shape)

    # The kernels are given to that stream: one that is none fails. 0 is the default one.
    for stream in streams:
        emulator.destroy_stream(stream)
    with pytest.raises(RuntimeError, match="cudaError"):
        givens.matrix(on_gpu[0], SCHEDULE)
    streams[:] = 0, 0
    streams_asked.clear()
    givens.matrix(on_gpu[0], SCHEDULE)
    assert {*streams_asked} == {1}
    # The thread's default stream has a number of its own.
    streams[:] = 2, 2
    streams_asked.clear()
    givens.matrix(on_gpu[0], SCHEDULE)
    assert {*streams_asked} == {2}


def test_only_libraries_of_unknown_streams_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[tuple[int, int]] = []
    core = SimpleNamespace(**vars(emulated_array.cuda))
    core.synchronize = lambda *of: waited.append(of)
    monkeypatch.setitem(sys.modules, "givens._cuda", core)
    givens.matrix(Array.of(np.zeros(K), 1), SCHEDULE)
    assert waited == [(1, 1)]
    module, array = cupy_like([0, 0])
    monkeypatch.setitem(sys.modules, "cupy", module)
    givens.matrix(array.of(np.zeros(K)), SCHEDULE)
    assert len(waited) == 1


def test_calls_from_many_threads() -> None:
    rng = random(11)
    schedules = [Schedule.xor(8), Schedule.circle(8), Schedule.brickwall(8)]
    problems = [(s, random_angles(rng, s), k % 2) for k, s in enumerate(4 * schedules)]
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda p: givens.matrix(Array.of(p[1], p[2]), p[0]), problems))
    for (schedule, angles, ordinal), U in zip(problems, results, strict=True):
        assert U.ordinal == ordinal
        expected = givens.matrix(angles, schedule)
        assert_results_close([U], [expected], oracles.rounding(schedule, np.float64))


def test_every_array_is_given_back_once() -> None:
    made, deleted = exports.made, exports.deleted
    x, angles = Array.of(np.zeros((2, 8))), Array.of(np.zeros(K))
    givens.rotate(x, angles, SCHEDULE)
    assert (exports.made - made, exports.deleted - deleted) == (3, 3)
    # Also when the arguments are refused, while the error is still there.
    with pytest.raises(ValueError, match="x must have 9 entries") as error:
        givens.rotate(x, Array.of(np.zeros(36)), Schedule.xor(9))
    assert error.traceback
    assert (exports.made - made, exports.deleted - deleted) == (5, 5)


@pytest.mark.parametrize("error", [BufferError, TypeError])
def test_an_exporter_that_raises(error: type[Exception]) -> None:
    class Refusing(Array):
        def __dlpack__(self, **_: object) -> object:
            raise error("sparse")

    Refusing.__module__ = Array.__module__
    deleted = exports.deleted
    with pytest.raises(error, match="sparse"):
        givens.rotate(Array.of(np.zeros((2, 8))), Refusing.of(np.zeros(K)), SCHEDULE)
    assert exports.deleted == deleted + 1


@pytest.mark.parametrize("version", [None, 1])
def test_byte_offset_and_strides_that_are_not_told(version: int | None) -> None:
    rng = random(9)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    on_gpu = Array.of(x)
    on_gpu.dlpack_version, on_gpu.byte_offset, on_gpu.strides_are_told = version, 64, False
    y = givens.rotate(on_gpu, Array.of(angles), SCHEDULE)
    assert_rotated(y, x, angles)


def test_managed_memory() -> None:
    angles = Array.of(np.zeros(K))
    angles.device_type = 13
    assert np.array_equal(givens.matrix(angles, SCHEDULE).values(), np.eye(8))


def test_read_only_inputs_are_fine_and_outputs_refused() -> None:
    x, angles = Array.of(np.ones((2, 8))), Array.of(np.zeros(K))
    x.read_only = angles.read_only = True
    assert np.array_equal(givens.rotate(x, angles, SCHEDULE).values(), np.ones((2, 8)))
    launches = emulator.launch_count()
    with pytest.raises(ValueError, match=exactly("out must be writeable, got a read-only array")):
        givens.rotate(x, angles, SCHEDULE, out=x)
    copied = Array.of(np.ones((2, 8)))
    copied.copied = True
    with pytest.raises(
        ValueError, match=exactly("out must be exported by its library without a copy")
    ):
        givens.rotate(x, angles, SCHEDULE, out=copied)
    assert emulator.launch_count() == launches


# --- `__cuda_array_interface__` ------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_cuda_array_interface(view: str) -> None:
    rng = random(10)
    angles, base = random_angles(rng, SCHEDULE), rng.standard_normal((4, 6, 8))
    x = VIEWS[view](base)
    on_gpu = InterfaceArray.of(base, 1).view(VIEWS[view])
    y = givens.rotate(on_gpu, InterfaceArray.of(angles, 1), SCHEDULE)
    assert y.ordinal == 1
    assert_rotated(y, x, angles)


def test_cuda_array_interface_of_a_library_that_makes_no_arrays() -> None:
    class Plain:
        def __init__(self, array: InterfaceArray) -> None:
            self.array = array
            self.__cuda_array_interface__ = array.__cuda_array_interface__

    x, angles, out = (Plain(InterfaceArray.of(np.ones(shape))) for shape in [(2, 8), K, (2, 8)])
    assert givens.rotate(x, angles, SCHEDULE, out=out) is out
    expected = givens.rotate(np.ones((2, 8)), np.ones(K), SCHEDULE)
    size = 8 * 2 * oracles.rounding(SCHEDULE, np.float64)
    assert np.abs(out.array.values() - expected).max() <= size
    message = (
        "arrays of test_cuda_arrays have no __array_namespace__, so that no new one can be made "
        "for the result"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(x, angles, SCHEDULE)


def interface_array(shape, **interface: object) -> InterfaceArray:
    array = InterfaceArray.of(np.zeros(shape))
    array.interface = interface
    return array


def test_cuda_array_interface_with_a_stream() -> None:
    stream = emulator.create_stream(0)
    for told in (None, 1, 2, stream):
        givens.matrix(interface_array(K, stream=told), SCHEDULE)
    with pytest.raises(ValueError, match="angles must not have stream 0"):
        givens.matrix(interface_array(K, stream=0), SCHEDULE)
    emulator.destroy_stream(stream)
    # It is waited for: one that is none fails.
    with pytest.raises(RuntimeError, match="cudaEventRecord"):
        givens.matrix(interface_array(K, stream=stream), SCHEDULE)


@pytest.mark.parametrize(
    ("interface", "error", "message"),
    [
        ({"mask": object()}, TypeError, "angles must not have a mask"),
        ({"typestr": ">f8"}, TypeError, "got >f8"),
        ({"typestr": "<i8"}, TypeError, "got <i8"),
        ({"strides": (4,)}, ValueError, "angles must be aligned, with strides that are multiples"),
    ],
)
def test_cuda_array_interfaces_that_are_refused(
    interface: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        givens.matrix(interface_array(K, **interface), SCHEDULE)


def test_cuda_array_interface_of_other_memory() -> None:
    host = np.zeros(K)
    address = host.__array_interface__["data"]
    with pytest.raises(TypeError, match="angles must be in the memory of a CUDA device"):
        givens.matrix(interface_array(K, data=address), SCHEDULE)


def test_read_only_cuda_array_interface() -> None:
    out = InterfaceArray.of(np.zeros((2, 8)))
    out.read_only = True
    with pytest.raises(ValueError, match="out must be writeable"):
        givens.rotate(
            InterfaceArray.of(np.zeros((2, 8))), InterfaceArray.of(np.zeros(K)), SCHEDULE, out=out
        )


# --- Refusals ------------------------------------------------------------------------------------


class OtherLibrary(Array):
    pass


def test_arrays_of_different_places_are_refused() -> None:
    x, angles = np.zeros((2, 8)), np.zeros(K)
    wanted = "must be an array of emulated_array on a GPU as {} is, got {}"
    elsewhere = Array.of(angles)
    elsewhere.device_type = 1
    for wrong, got in [
        (angles, "a NumPy array"),
        ([0.0] * K, "list"),
        (None, "NoneType"),
        (OtherLibrary.of(angles), "an array of test_cuda_arrays"),
        (elsewhere, "Array in other memory"),
    ]:
        with pytest.raises(TypeError, match=exactly(f"angles {wanted.format('x', got)}")):
            givens.rotate(Array.of(x), wrong, SCHEDULE)
    for name in ("phases", "diagonal", "signs", "out"):
        message = f"{name} {wanted.format('x', 'a NumPy array')}"
        with pytest.raises(TypeError, match=exactly(message)):
            givens.rotate(Array.of(x), Array.of(angles), SCHEDULE, **{name: angles})
    # The first on a GPU says what is wanted.
    with pytest.raises(TypeError, match=exactly(f"x {wanted.format('angles', 'a NumPy array')}")):
        givens.rotate(x, Array.of(angles), SCHEDULE)


@pytest.mark.parametrize("kind", [Array, InterfaceArray])
def test_arrays_of_different_devices_are_refused(kind: type) -> None:
    message = "angles must be on CUDA device 1 as x is, got CUDA device 0"
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(kind.of(np.zeros((2, 8)), 1), kind.of(np.zeros(K)), SCHEDULE)


def vectors(dtype: str, *shape: int) -> Array:
    return Array.of(np.zeros(shape or (2, 8), dtype))


def angles_of(dtype: str = "float64", *batch: int) -> Array:
    return vectors(dtype, *batch, K)


WITH_DOUBLES = "x must be float64 or complex128 with float64 angles, got"
WITH_SINGLES = "x must be float16, bfloat16, float32 or complex64 with float32 angles, got"


@pytest.mark.parametrize(
    ("message", "function", "arguments"),
    [
        ("angles must be float32 or", "matrix", lambda: {"angles": angles_of("complex64")}),
        ("angles must be float32 or", "matrix", lambda: {"angles": angles_of("float16")}),
        ("complex64 or complex128", "matrix", lambda: {"angles": angles_of("int32")}),
        (
            "phases must be float64 as angles are, got float32",
            "matrix",
            lambda: {"phases": angles_of("float32")},
        ),
        (f"{WITH_DOUBLES} float32", "rotate", lambda: {"x": vectors("float32")}),
        (f"{WITH_SINGLES} float64", "rotate", lambda: {"angles": angles_of("float32")}),
        (f"{WITH_DOUBLES} float16", "rotate", lambda: {"x": vectors("float16")}),
        (
            "x must be complex128 with float64 phases or diagonal, got float64",
            "rotate",
            lambda: {"phases": angles_of()},
        ),
        ("out must be float64 as x is, got", "rotate", lambda: {"out": vectors("complex128")}),
        ("gy must be float64 as y is, got", "rotate_vjp", lambda: {"gy": vectors("complex128")}),
        (
            "U must be float64, as matrix returned it, got float32",
            "matrix_vjp",
            lambda: dict.fromkeys(["U", "gU"], vectors("float32", 8, 8)),
        ),
        ("schedule must be a givens.Schedule, got str", "rotate", lambda: {"schedule": "xor"}),
        ("axis must be an integer, got float", "rotate", lambda: {"axis": 1.0}),
        ("inverse must be a bool, got int", "rotate", lambda: {"inverse": 1}),
    ],
)
def test_wrong_types_are_refused(message: str, function: str, arguments) -> None:
    assert_refused(TypeError, message, function, arguments())


@pytest.mark.parametrize(
    ("message", "function", "arguments"),
    [
        ("angles must have 28 entries", "matrix", lambda: {"angles": vectors("float64", 5)}),
        ("angles must have 28 entries", "matrix", lambda: {"angles": Array.of(np.zeros(()))}),
        ("axis must be between", "rotate", lambda: {"axis": 2}),
        ("y must have 8", "rotate_vjp", lambda: dict.fromkeys(["y", "gy"], vectors("f8", 2, 7))),
        ("gy must have shape", "rotate_vjp", lambda: {"gy": vectors("float64", 3, 8)}),
        ("leading axes of y must", "rotate_vjp", lambda: {"angles": angles_of("float64", 3)}),
        (
            "U must have shape",
            "matrix_vjp",
            lambda: dict.fromkeys(["U", "gU"], vectors("f8", 8, 7)),
        ),
        ("U must have shape", "matrix_vjp", lambda: {"signs": vectors("float64", 3, 2, 8)}),
        ("must have shape", "rotate", lambda: {"out": vectors("float64", 3, 8)}),
        ("at most 32 axes, got 34", "rotate", lambda: {"x": vectors("float64", *[1] * 33, 8)}),
        (
            "num_threads must be None with arrays on a GPU, got 2",
            "matrix",
            lambda: {"num_threads": 2},
        ),
    ],
)
def test_wrong_shapes_and_values_are_refused(message: str, function: str, arguments) -> None:
    assert_refused(ValueError, message, function, arguments())


def assert_refused(error: type[Exception], message: str, function: str, changed: dict) -> None:
    """Assert that a call with changed arguments is refused before a kernel is launched."""
    names = {"rotate": ["x"], "rotate_vjp": ["y", "gy"], "matrix_vjp": ["U", "gU"], "matrix": []}
    shape = (8, 8) if function == "matrix_vjp" else (2, 8)
    given = {name: vectors("float64", *shape) for name in names[function]}
    launches = emulator.launch_count()
    with pytest.raises(error, match=message):
        getattr(givens, function)(
            **{"schedule": SCHEDULE, "angles": angles_of(), **given, **changed}
        )
    assert emulator.launch_count() == launches


def test_capsules_that_are_refused() -> None:
    newer, vectors = Array.of(np.zeros(K)), Array.of(np.zeros(K))
    newer.dlpack_version, vectors.lanes = 2, 4
    with pytest.raises(BufferError, match="version 1 of DLPack, got version 2"):
        givens.matrix(newer, SCHEDULE)
    with pytest.raises(TypeError, match="got float64 in vectors of 4"):
        givens.matrix(vectors, SCHEDULE)

    class NoCapsule(Array):
        def __dlpack__(self, **_: object) -> object:
            return 7

    NoCapsule.__module__ = Array.__module__
    with pytest.raises(TypeError, match="angles must come from __dlpack__ in a capsule"):
        givens.matrix(NoCapsule.of(np.zeros(K)), SCHEDULE)


# --- Availability --------------------------------------------------------------------------------


def test_available() -> None:
    assert givens.cuda.is_available()
    assert givens.cuda.unavailable_reason() is None


@pytest.mark.parametrize(
    ("without_driver", "reason"),
    [(False, "cudaErrorNoDevice"), (True, "cudaErrorInsufficientDriver")],
)
def test_without_a_device(without_driver: bool, reason: str) -> None:
    angles = Array.of(np.zeros(K))
    emulator.set_device_count(0, without_driver)
    assert not givens.cuda.is_available()
    assert reason in givens.cuda.unavailable_reason()
    with pytest.raises(RuntimeError, match=f"givens cannot compute on a GPU: .*{reason}"):
        givens.matrix(angles, SCHEDULE)
    with pytest.raises(RuntimeError, match=f"givens cannot compute on a GPU: .*{reason}"):
        givens.cuda.prepare(SCHEDULE)
    emulator.reset_devices()  # to free what there is
    assert givens.matrix(angles, SCHEDULE).shape == (8, 8)


def test_prepare() -> None:
    schedule = Schedule.circle(11)
    before = emulator.allocation_count()
    givens.cuda.prepare(schedule, 1)
    prepared = emulator.allocation_count()
    assert prepared > before
    angles = Array.of(np.zeros(schedule.num_rotations), 1)
    U = givens.matrix(angles, schedule)
    assert emulator.allocation_count() == prepared + 2  # angles and U, no other plan
    assert U.shape == (11, 11)


def test_prepare_refuses() -> None:
    with pytest.raises(TypeError, match=r"schedule must be a givens\.Schedule, got str"):
        givens.cuda.prepare("xor")
    with pytest.raises(TypeError, match="device must be an integer, got float"):
        givens.cuda.prepare(SCHEDULE, 1.0)
    with pytest.raises(ValueError, match="device must be at least 0"):
        givens.cuda.prepare(SCHEDULE, -1)
    with pytest.raises(RuntimeError, match="cudaErrorInvalidDevice"):
        givens.cuda.prepare(SCHEDULE, 7)
