"""Arrays of other libraries in the CPU's memory, as DLPack passes them."""

import gc
import re
import tracemalloc

import numpy as np
import pytest

import givens
from cases import VIEWS, exactly, random_angles, results_of_every_function
from dlpack_capsules import name_of
from exporter import Array, Bare, exports, raising
from givens import Schedule
from oracles import present
from scripts import run

SCHEDULE = Schedule.xor(8)
K = SCHEDULE.num_rotations
VERSIONS = [None, 1]


@pytest.fixture(autouse=True)
def _everything_is_given_back():
    gc.freeze()  # only what the test makes is looked through, not all libraries
    yield
    gc.collect()
    gc.unfreeze()
    assert exports.made == exports.deleted


def address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]


def assert_same(actual, expected) -> None:
    """Assert that arrays of the library have the expected bits."""
    if not isinstance(expected, tuple):
        actual, expected = (actual,), (expected,)
    assert [a is None for a in actual] == [b is None for b in expected]
    for a, b in zip(present(actual), present(expected), strict=True):
        assert isinstance(a, Array)
        np.testing.assert_array_equal(a.values, b, strict=True)


# --- Values and memory ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["phases and diagonal", "signs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_function(dtype: str, kind: str, version: int | None) -> None:
    def of(values: np.ndarray) -> Array:
        return Array(values).having(version=version, read_only=version is not None)

    for actual, expected in results_of_every_function(of, kind, dtype):
        assert_same(actual, expected)


MORE_VIEWS = {
    **VIEWS,
    "one row": lambda x: x[0, 0],
    "no rows": lambda x: x[:0],
    "no columns": lambda x: x[:, :0],
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("view", MORE_VIEWS)
def test_strides(view: str, version: int | None) -> None:
    rng = np.random.default_rng(1)
    angles = random_angles(rng, SCHEDULE)
    x = MORE_VIEWS[view](rng.standard_normal((4, 6, 8)))
    y = givens.rotate(Array(x).having(version=version), Array(angles), SCHEDULE)
    assert_same(y, givens.rotate(x, angles, SCHEDULE))


@pytest.mark.parametrize("version", VERSIONS)
def test_byte_offset_and_strides_that_are_not_told(version: int | None) -> None:
    rng = np.random.default_rng(2)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    told = Array(x).having(version=version, byte_offset=64, strides_are_told=False)
    y = givens.rotate(told, Array(angles), SCHEDULE)
    assert_same(y, givens.rotate(x, angles, SCHEDULE))


@pytest.mark.parametrize("shape", [(0, 8), (3, 0, 8)])
def test_empty_arrays_without_strides(shape: tuple[int, ...]) -> None:
    x = Array(np.zeros(shape)).having(strides_are_told=False)
    assert_same(givens.rotate(x, Array(np.zeros(K)), SCHEDULE), np.zeros(shape))


def test_the_smallest_schedule() -> None:
    schedule = Schedule.xor(1)
    assert_same(givens.matrix(Array(np.zeros(0)), schedule), np.ones((1, 1)))


def test_no_axes() -> None:
    with pytest.raises(ValueError, match=re.escape("got shape ()")):
        givens.matrix(Array(np.array(1.0)), SCHEDULE)


def test_inputs_that_are_not_aligned_are_copied_and_outputs_refused() -> None:
    rng = np.random.default_rng(3)
    angles, values = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    x = np.zeros(values.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(3, 8)
    x[:] = values
    y = givens.rotate(Array(x), Array(angles), SCHEDULE)
    assert_same(y, givens.rotate(values, angles, SCHEDULE))
    with pytest.raises(ValueError, match="out must be aligned"):
        givens.rotate(Array(values), Array(angles), SCHEDULE, out=Array(x))


@pytest.mark.parametrize("version", VERSIONS)
def test_out_is_written_in_place(version: int | None) -> None:
    rng = np.random.default_rng(4)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    expected = givens.rotate(x, angles, SCHEDULE)
    whole = np.zeros((8, 6))
    out = Array(whole[:, ::2].T).having(version=version)
    assert givens.rotate(Array(x), Array(angles), SCHEDULE, out=out) is out
    np.testing.assert_array_equal(whole[:, ::2].T, expected)
    assert not whole[:, 1::2].any()

    own = Array(x).having(version=version)
    assert givens.rotate(own, Array(angles), SCHEDULE, out=own) is own
    np.testing.assert_array_equal(x, expected)


def test_inputs_are_not_copied() -> None:
    x, angles, out = np.ones((2000, 8)), np.zeros((2000, K)), np.zeros((2000, 8))
    arguments = Array(x), Array(angles)
    tracemalloc.start()
    try:
        givens.rotate(*arguments, SCHEDULE, out=Array(out))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # NumPy's memory is traced, and a copy would be one of its arrays.
    assert peak < x.nbytes / 2
    assert out.all()


def test_results_are_handed_over_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over = []

    def from_dlpack(x: np.ndarray) -> Array:
        handed_over.append(address(x))
        return Array(x)

    monkeypatch.setattr("exporter.from_dlpack", from_dlpack)
    U = givens.matrix(Array(np.zeros(K)), SCHEDULE)
    assert handed_over == [address(U.values)]
    assert handed_over[0] % 64 == 0
    assert U.values.flags.c_contiguous
    assert U.values.flags.writeable
    np.testing.assert_array_equal(U.values, np.eye(8))


def test_read_only_arrays() -> None:
    x, angles = (Array(np.ones(shape)).having(read_only=True) for shape in [(2, 8), (K,)])
    givens.rotate(x, angles, SCHEDULE)
    for out in [x, Array(np.ones((2, 8))).having(copied=True)]:
        with pytest.raises(
            ValueError, match=exactly("out must be writeable, got a read-only array")
        ):
            givens.rotate(x, angles, SCHEDULE, out=out)
        assert (out.values == 1).all()


def test_pinned_memory() -> None:
    for device_type in (3, 11):
        angles = Array(np.zeros(K)).having(device=(device_type, 0))
        assert_same(givens.matrix(angles, SCHEDULE), np.eye(8))


# --- Owners --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_array_is_given_back_once(version: int | None) -> None:
    made, deleted = exports.made, exports.deleted
    x = Array(np.zeros((2, 8))).having(version=version)
    angles = Array(np.zeros(K)).having(version=version)
    givens.rotate(x, angles, SCHEDULE)
    assert (exports.made - made, exports.deleted - deleted) == (2, 2)
    used = "used_dltensor" if version is None else "used_dltensor_versioned"
    assert name_of(x.capsule) == name_of(angles.capsule) == used
    # When arguments are refused too, while the error is still there.
    with pytest.raises(ValueError, match="x must have 9 entries") as error:
        givens.rotate(x, Array(np.zeros(36)), Schedule.xor(9))
    assert error.traceback
    assert (exports.made - made, exports.deleted - deleted) == (4, 4)


def test_an_exporter_without_a_deleter() -> None:
    angles = Array(np.zeros(K)).having(has_deleter=False)
    assert_same(givens.matrix(angles, SCHEDULE), np.eye(8))


@pytest.mark.parametrize(
    ("attributes", "error", "message"),
    [
        (
            {"version": 2},
            BufferError,
            "angles must come as version 1 of DLPack, got version 2",
        ),
        ({"dtype": (2, 64, 4)}, TypeError, "got float64 in vectors of 4"),
        ({"dtype": (4, 16, 1)}, TypeError, "got bfloat16"),
        ({"dtype": (2, 16, 1)}, TypeError, "got float16"),
        ({"dtype": (0, 64, 1)}, TypeError, "got int64"),
        ({"dtype": (5, 128, 1)}, TypeError, "got complex128"),
        ({"dtype": (10, 8, 1)}, TypeError, "got float8_e4m3fn"),
        ({"dtype": (17, 4, 1)}, TypeError, "got float4_e2m1fn"),
        ({"dtype": (77, 8, 1)}, TypeError, "got type 77"),
    ],
)
def test_what_is_refused_is_given_back(
    attributes: dict, error: type[Exception], message: str
) -> None:
    deleted = exports.deleted
    angles = Array(np.zeros(K)).having(**attributes)
    wanted = "" if error is BufferError else "angles must be float32 or float64, "
    with pytest.raises(error, match=exactly(wanted + message)):
        givens.matrix(angles, SCHEDULE)
    assert exports.deleted == deleted + 1
    assert name_of(angles.capsule) == "used_dltensor_versioned"


def test_vectors_of_16_bits() -> None:
    x = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float16)
    angles = np.linspace(-1, 1, K, dtype=np.float32)
    y = givens.rotate(Array(x), Array(angles), SCHEDULE)
    assert type(y) is Array
    assert_same(y, givens.rotate(x, angles, SCHEDULE))


def test_too_many_axes() -> None:
    x = Array(np.zeros((*[1] * 33, 8)))
    with pytest.raises(ValueError, match=exactly("x must have at most 32 axes, got 34")):
        givens.rotate(x, Array(np.zeros(K)), SCHEDULE)


def test_the_capsule_tells_the_device_too() -> None:
    class Moving(Array):
        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

    Moving.__module__ = Array.__module__
    deleted = exports.deleted
    angles = Moving(np.zeros(K)).having(device=(8, 0))
    message = "angles must be in the memory of the CPU, got Moving on device type 8 of DLPack"
    with pytest.raises(TypeError, match=exactly(message)):
        givens.matrix(angles, SCHEDULE)
    assert exports.deleted == deleted + 1


def test_only_unused_capsules_are_taken() -> None:
    message = "angles must come from __dlpack__ in a capsule that is not used yet"
    angles = Array(np.zeros(K))
    givens.matrix(angles, SCHEDULE)
    for result in [angles.capsule, 7, None]:

        class Wrong(Array):
            def __dlpack__(self, _result=result, **_: object) -> object:
                return _result

        with pytest.raises(TypeError, match=exactly(message)):
            givens.matrix(Wrong(np.zeros(K)), SCHEDULE)


@pytest.mark.parametrize("method", ["__dlpack__", "__dlpack_device__"])
@pytest.mark.parametrize(
    "error", [BufferError("needs a gradient"), TypeError("sparse"), ValueError("no device")]
)
def test_what_an_exporter_raises_is_raised(method: str, error: Exception) -> None:
    refusing = type("Refusing", (Array,), {method: raising(error)})
    refusing.__module__ = Array.__module__
    deleted = exports.deleted
    with pytest.raises(type(error)) as raised:
        givens.rotate(Array(np.zeros((2, 8))), refusing(np.zeros(K)), SCHEDULE)
    assert raised.value is error
    assert error.__notes__[-1] == "This was raised by the array that was given as angles."
    assert exports.deleted == deleted + 1


# --- Libraries -----------------------------------------------------------------------------------


class OtherLibrary(Array):
    pass


def test_mixed_libraries_are_refused() -> None:
    x, angles = np.ones((2, 8)), np.zeros(K)
    ours, other = "an array of exporter", "an array of test_dlpack"
    for wanted, v, got, t in [
        (ours, Array(x), "a NumPy array", angles),
        ("a NumPy array", x, ours, Array(angles)),
        (ours, Array(x), other, OtherLibrary(angles)),
        (other, OtherLibrary(x), ours, Array(angles)),
    ]:
        message = f"angles must be {wanted} as x is, got {got}"
        with pytest.raises(TypeError, match=exactly(message)):
            givens.rotate(v, t, SCHEDULE)
    for name in ("out", "phases", "diagonal", "signs"):
        message = f"{name} must be {ours} as x is, got a NumPy array"
        with pytest.raises(TypeError, match=exactly(message)):
            givens.rotate(Array(x), Array(angles), SCHEDULE, **{name: x})
    for wrong in ([0.0] * K, None, Array):
        message = f"angles must be a NumPy array or one with __dlpack__, got {type(wrong).__name__}"
        if isinstance(wrong, list):
            message += ": np.asarray(angles, dtype=...) makes one"
        with pytest.raises(TypeError, match=exactly(message)):
            givens.rotate(Array(x), wrong, SCHEDULE)


def test_arrays_of_a_library_that_makes_none() -> None:
    rng = np.random.default_rng(5)
    angles, x = random_angles(rng, SCHEDULE), rng.standard_normal((3, 8))
    message = (
        "arrays of exporter have no __array_namespace__, so that no new one can be made for the "
        "result"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(Bare(x), Bare(angles), SCHEDULE)
    out = Bare(np.zeros((3, 8)))
    assert givens.rotate(Bare(x), Bare(angles), SCHEDULE, out=out) is out
    np.testing.assert_array_equal(out.values, givens.rotate(x, angles, SCHEDULE))


def test_no_library_is_imported() -> None:
    script = """
        import sys, numpy as np, givens
        givens.matrix(np.zeros(6), givens.Schedule.xor(4))
        try:
            givens.matrix([0.0], givens.Schedule.xor(4))
        except TypeError:
            pass
        print({"array_api_strict", "cupy", "jax", "jaxlib", "torch"} & sys.modules.keys())
    """
    assert run(script) == "set()"
