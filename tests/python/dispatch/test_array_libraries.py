"""Arrays of PyTorch, JAX and array-api-strict in the CPU's memory, through every function."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import givens
from cases import exactly, random_angles, random_vectors, results_of_every_function
from givens import Schedule
from givens._dispatch import libraries
from oracles import present

SCHEDULE = Schedule.xor(8)
K = SCHEDULE.num_rotations


class Library:
    """How a test makes arrays of a library and looks at them."""

    def __init__(self, name: str) -> None:
        self.module: Any = pytest.importorskip(name)

    def of(self, values: np.ndarray) -> Any:
        return self.module.from_dlpack(values)

    def address(self, x: Any) -> int:
        return np.from_dlpack(x).__array_interface__["data"][0]

    def with_doubles(self) -> Any:
        return nullcontext()


class Torch(Library):
    def __init__(self) -> None:
        super().__init__("torch")
        self.array = self.module.Tensor

    def address(self, x: Any) -> int:
        return x.data_ptr()


class Jax(Library):
    def __init__(self) -> None:
        super().__init__("jax")
        self.array = self.module.Array

    def of(self, values: np.ndarray) -> Any:
        return self.module.numpy.array(values)

    def address(self, x: Any) -> int:
        return x.unsafe_buffer_pointer()

    def with_doubles(self) -> Any:
        return self.module.enable_x64(True)


class Strict(Library):
    def __init__(self) -> None:
        super().__init__("array_api_strict")
        self.array = type(self.of(np.zeros(1)))


@pytest.fixture(scope="module", params=[Torch, Jax, Strict], ids=["torch", "jax", "strict"])
def library(request: pytest.FixtureRequest) -> Library:
    return request.param()


@pytest.fixture(scope="module")
def torch() -> Any:
    return Torch().module


def assert_same(library: Library, actual, expected) -> None:
    """Assert that arrays of the library have the same bits: the same engine computes them."""
    if not isinstance(expected, tuple):
        actual, expected = (actual,), (expected,)
    assert [a is None for a in actual] == [b is None for b in expected]
    for a, b in zip(present(actual), present(expected), strict=True):
        assert isinstance(a, library.array)
        np.testing.assert_array_equal(np.from_dlpack(a), b, strict=True)


@pytest.mark.parametrize("kind", ["phases and diagonal", "signs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_function(library: Library, dtype: str, kind: str) -> None:
    with library.with_doubles():
        for actual, expected in results_of_every_function(library.of, kind, dtype):
            assert_same(library, actual, expected)


def test_triangular_order(library: Library) -> None:
    angles = np.arange(3 * K, dtype=np.float32).reshape(3, K)
    expected = SCHEDULE.to_triangular(angles)
    triangular = SCHEDULE.to_triangular(library.of(angles))
    assert_same(library, triangular, expected)
    assert_same(library, SCHEDULE.from_triangular(triangular), angles)
    with pytest.raises(TypeError, match=r"^angles must be float32 or float64, got int32$"):
        SCHEDULE.to_triangular(library.of(angles.astype(np.int32)))
    with pytest.raises(ValueError, match=r"^angles must have 28 entries .* got shape \(3, 1\)$"):
        SCHEDULE.to_triangular(library.of(angles[:, :1].copy()))


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_tangents(library: Library, dtype: str) -> None:
    rng = np.random.default_rng(4)
    angles, dangles = (random_angles(rng, SCHEDULE, np.float32) for _ in range(2))
    options = {}
    if dtype == "complex64":
        names = ("phases", "dphases")
        options = {name: random_angles(rng, SCHEDULE, np.float32) for name in names}
    x, dx, gy, dgy = random_vectors(rng, (4, 3, 8), dtype)
    of = library.of
    others = {name: of(values) for name, values in options.items()}
    assert_same(
        library,
        givens.matrix_jvp(of(angles), of(dangles), SCHEDULE, **others),
        givens.matrix_jvp(angles, dangles, SCHEDULE, **options),
    )
    assert_same(
        library,
        givens.rotate_jvp(of(x), of(dx), of(angles), of(dangles), SCHEDULE, **others),
        givens.rotate_jvp(x, dx, angles, dangles, SCHEDULE, **options),
    )
    arrays = (x, dx, gy, dgy, angles, dangles)
    actual = givens.rotate_vjp_jvp(*map(of, arrays), SCHEDULE, **others)
    expected = givens.rotate_vjp_jvp(*arrays, SCHEDULE, **options)
    for a, b in zip(actual, expected, strict=True):
        assert_same(library, a, b)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_decompose(library: Library, dtype: str) -> None:
    rng = np.random.default_rng(3)
    U = np.linalg.qr(random_vectors(rng, (3, 5, 5), dtype))[0]
    expected, actual = givens.decompose(U), givens.decompose(library.of(U))
    assert actual.schedule == expected.schedule
    assert_same(library, actual[1:], expected[1:])


def test_results_are_not_copied(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    angles = library.of(np.zeros(K, np.float32))
    kind = type(libraries.library_of(angles))
    made = []

    def from_numpy(self: Any, x: np.ndarray, like: Any, hand_over: Callable = kind.from_numpy):
        made.append(x.__array_interface__["data"][0])
        return hand_over(self, x, like)

    monkeypatch.setattr(kind, "from_numpy", from_numpy)
    U = givens.matrix(angles, SCHEDULE)
    # PyTorch has made its own, by functions in C.
    assert made == ([] if isinstance(library, Torch) else [library.address(U)])
    # The memory belongs to the array now.
    np.testing.assert_array_equal(np.from_dlpack(U), np.eye(8))


def test_empty_arrays(library: Library) -> None:
    x = np.zeros((0, 8), np.float32)
    angles = np.zeros(K, np.float32)
    assert_same(library, givens.rotate(library.of(x), library.of(angles), SCHEDULE), x)


def test_out(library: Library) -> None:
    rng = np.random.default_rng(1)
    angles = random_angles(rng, SCHEDULE, np.float32)
    x = rng.standard_normal((3, 8)).astype(np.float32)
    out = library.of(np.zeros((3, 8), np.float32))
    if isinstance(library, Jax):
        with pytest.raises(ValueError, match=exactly("out must be writeable, got an array of jax")):
            givens.rotate(library.of(x), library.of(angles), SCHEDULE, out=out)
        assert not out.any()
        return
    before = library.address(out)
    assert givens.rotate(library.of(x), library.of(angles), SCHEDULE, out=out) is out
    assert library.address(out) == before
    assert_same(library, out, givens.rotate(x, angles, SCHEDULE))


def test_mixed_libraries_are_refused(library: Library) -> None:
    x, angles = np.zeros((2, 8), np.float32), np.zeros(K, np.float32)
    name = libraries.library_of(library.of(x)).name
    message = f"angles must be an array of {name} as x is, got a NumPy array"
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(library.of(x), angles, SCHEDULE)
    message = f"angles must be a NumPy array as x is, got an array of {name}"
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(x, library.of(angles), SCHEDULE)


def test_integers_are_refused(library: Library) -> None:
    angles = library.of(np.zeros(K, np.int32))
    message = "angles must be float32 or float64, got int32"
    with pytest.raises(TypeError, match=exactly(message)):
        givens.matrix(angles, SCHEDULE)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_vectors_of_16_bits(dtype: str) -> None:
    torch, jnp = Torch().module, Jax().module.numpy
    rng = np.random.default_rng(3)
    values = rng.standard_normal((2, 3, 8)).astype(np.float32)
    angles = rng.standard_normal(K).astype(np.float32)
    x, gy = torch.from_numpy(values).to(getattr(torch, dtype))
    wide = (x.float().numpy(), gy.float().numpy())
    y = givens.rotate(x, torch.from_numpy(angles), SCHEDULE)
    gx, gangles, _, _ = givens.rotate_vjp(x, gy, torch.from_numpy(angles), SCHEDULE)
    expected = givens.rotate_vjp(*wide, angles, SCHEDULE)
    assert torch.equal(y, torch.from_numpy(givens.rotate(wide[0], angles, SCHEDULE)).to(x.dtype))
    assert torch.equal(gx, torch.from_numpy(expected.x).to(x.dtype))
    np.testing.assert_array_equal(gangles, expected.angles)
    out = torch.empty((3, 16), dtype=x.dtype)[:, ::2]
    assert givens.rotate(x, torch.from_numpy(angles), SCHEDULE, out=out) is out
    assert torch.equal(out, y)

    of_jax = [jnp.asarray(a, dtype) for a in wide]
    y_of_jax = givens.rotate(of_jax[0], jnp.asarray(angles), SCHEDULE)
    gx_of_jax, gangles_of_jax, _, _ = givens.rotate_vjp(*of_jax, jnp.asarray(angles), SCHEDULE)
    for of_torch, own in ((y, y_of_jax), (gx, gx_of_jax), (gangles, gangles_of_jax)):
        assert own.dtype.name == str(of_torch.dtype).removeprefix("torch.")
        np.testing.assert_array_equal(of_torch.float(), own.astype(np.float32))


# --- PyTorch -------------------------------------------------------------------------------------


def test_parameters_of_modules_are_tensors(torch: Any) -> None:
    angles = torch.nn.Parameter(torch.zeros(K), requires_grad=False)
    x = torch.ones((2, 8))
    assert torch.equal(givens.rotate(x, angles, SCHEDULE), x)
    assert type(givens.matrix(angles, SCHEDULE)) is torch.Tensor


def test_tensors_that_require_a_gradient_are_refused(torch: Any) -> None:
    x = torch.ones((2, 8))
    message = (
        "angles must be a tensor that requires no gradient: givens.torch computes gradients, and "
        "angles.detach() is without"
    )
    angles = torch.nn.Parameter(torch.zeros(K))
    with pytest.raises(TypeError, match=exactly(message)):
        givens.rotate(x, angles, SCHEDULE)
    assert torch.equal(givens.rotate(x, angles.detach(), SCHEDULE), x)


def test_parameters_are_taken_where_no_gradients_are_recorded(torch: Any) -> None:
    angles = torch.nn.Parameter(torch.ones(K))
    with torch.no_grad():
        U = givens.matrix(angles, SCHEDULE)
    assert torch.equal(U, givens.matrix(angles.detach(), SCHEDULE))


def test_tensors_that_are_not_aligned_are_copied(torch: Any) -> None:
    angles = torch.linspace(-1, 1, K)
    shifted = torch.frombuffer(
        bytearray(1) + angles.numpy().tobytes(), dtype=torch.float32, offset=1
    )
    assert shifted.data_ptr() % 4 != 0
    assert torch.equal(givens.matrix(shifted, SCHEDULE), givens.matrix(angles, SCHEDULE))


def test_tensors_that_are_computed_when_they_are_read_are_refused(torch: Any) -> None:
    x = torch.ones((2, 8), dtype=torch.complex64).conj()
    angles = torch.zeros(K)
    for lazy in (x, x.imag):
        with pytest.raises(TypeError, match=r"^x must be a tensor whose memory holds its values"):
            givens.rotate(lazy, angles, SCHEDULE)
    assert torch.equal(givens.rotate(x.resolve_conj(), angles, SCHEDULE), x)


def test_other_tensors_are_refused(torch: Any) -> None:
    angles = torch.zeros(K)
    with pytest.raises(BufferError) as error:
        givens.matrix(angles.to_sparse(), SCHEDULE)
    assert error.value.__notes__ == ["This was raised by the array that was given as angles."]
    with pytest.raises(ValueError, match="meta") as error:
        givens.matrix(angles.to("meta"), SCHEDULE)
    assert error.value.__notes__ == ["This was raised by the array that was given as angles."]


def test_tensors_without_memory_are_refused(torch: Any) -> None:
    fake_tensors = pytest.importorskip("torch._subclasses.fake_tensor")
    angles = torch.zeros(K)

    def check(refused: Any, class_name: str) -> None:
        message = rf"^angles must have its numbers in memory, got {class_name} without any$"
        with pytest.raises(TypeError, match=message):
            givens.matrix(refused, SCHEDULE)

    with fake_tensors.FakeTensorMode():
        fake = torch.zeros(K)
    check(fake, "FakeTensor")
    with pytest.raises(TypeError, match=r"^x must have its numbers in memory"):
        givens.rotate(fake[:8], angles, SCHEDULE)

    def under_transform(x: Any) -> Any:
        check(x, "Tensor")
        return x

    torch.func.functionalize(under_transform)(angles)


def test_strides_of_tensors(torch: Any) -> None:
    rng = np.random.default_rng(2)
    values, angles = rng.standard_normal((4, 6, 8)), random_angles(rng, SCHEDULE)
    for view in (
        lambda x: x.swapaxes(0, 1),
        lambda x: x[1::2, 2:],
        lambda x: x[0, 0],
    ):
        expected = givens.rotate(view(values), angles, SCHEDULE)
        y = givens.rotate(view(torch.from_numpy(values)), torch.from_numpy(angles), SCHEDULE)
        np.testing.assert_array_equal(y.numpy(), expected, strict=True)
    repeated = torch.from_numpy(values[:1]).expand(4, 6, 8)
    y = givens.rotate(repeated, torch.from_numpy(angles), SCHEDULE)
    assert torch.equal(y[3], y[0])


# --- JAX -----------------------------------------------------------------------------------------


def test_jax_traces_are_refused() -> None:
    jax = Jax().module
    with pytest.raises(TypeError, match=r"^angles must be a NumPy array or one with __dlpack__"):
        jax.jit(lambda angles: givens.matrix(angles, SCHEDULE))(jax.numpy.zeros(K))
