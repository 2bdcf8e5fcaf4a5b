"""Programs of `givens.jax` that jax.export makes: symbolic sizes, several platforms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

import givens
import givens.jax
from cases import random_angles, random_vectors
from givens import Schedule
from givens.jax import _kernels
from oracles import rounding

S = Schedule.xor(8)
FRAMES = Schedule.wavefront(8, columns=3)
K = S.num_rotations
NAMES = ["matrix", "matrix_jvp", "matrix_vjp", "rotate", "rotate_jvp", "rotate_vjp"]
CHECKS = [export.DisabledSafetyCheck.custom_call(f"givens_{n}") for n in [*NAMES, "rotate_vjp_jvp"]]


def second(f, *primals):
    """Return the result, gradients, tangents and tangents of gradients of a function."""

    def gradients(*primals):
        y, vjp = jax.vjp(f, *primals)
        return y, vjp(jnp.sin(y.real).astype(y.dtype))

    return jax.jvp(gradients, primals, primals)


def rotated(x, angles, **options):
    return givens.jax.rotate(x, angles, S, **options)


def unitary(x, angles, diagonal):
    return givens.jax.rotate(x, angles, S, phases=angles, diagonal=diagonal, inverse=True)


def signed(angles, x):
    return givens.jax.matrix(angles, S, signs=jnp.sign(x))


# A function, and the shapes of its arguments: b, c and 2 * b + 1 are symbols.
CASES = {
    "rows": (rotated, ["b, 8", "28"]),
    "rows and columns": (lambda x, t: rotated(x, t, axis=-2), ["b, 8, c", "28"]),
    "first axis": (lambda x, t: rotated(x, t, axis=0), ["8, b", "28"]),
    "an expression": (rotated, ["2*b + 1, 8", "28"]),
    "a matrix each": (rotated, ["b, c, 8", "b, 28"]),
    "repeated vectors": (rotated, ["1, 3, 8", "b, 28"]),
    "repeated angles": (rotated, ["b, 3, 8", "1, 28"]),
    "unitary": (unitary, ["b, c, 8j", "b, 28", "b, 8"]),
    "matrices": (lambda t: givens.jax.matrix(t, FRAMES), ["b, 18"]),
    "signs": (signed, ["b, 1, 28", "c, 8"]),
    "vmap": (jax.vmap(rotated, (None, 0)), ["3, 8", "b, 28"]),
}


@pytest.mark.parametrize("name", CASES)
def test_symbolic_sizes(name: str) -> None:
    f, shapes = CASES[name]
    scope = export.SymbolicScope()
    rng = np.random.default_rng(0)
    symbolic, arrays = [], []
    for shape in shapes:
        dtype = np.complex64 if "j" in shape else np.float32
        shape = shape.replace("j", "")
        sizes = export.symbolic_shape(shape, scope=scope)
        symbolic.append(jax.ShapeDtypeStruct(sizes, dtype))
        numbers = eval(f"({shape},)", {"b": 3, "c": 2})
        arrays.append(random_vectors(rng, numbers, dtype))
    program = jax.jit(lambda *arrays: second(f, *arrays))
    exported = export.export(program, disabled_checks=CHECKS)(*symbolic)
    actual, expected = exported.call(*arrays), program(*arrays)
    # The same calls; where there are none, the definition against them.
    exactly = _kernels.USES_FFI
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        error = float(jnp.linalg.norm(jnp.ravel(a - e)))
        assert error <= (0 if exactly else 1e-4 * float(jnp.linalg.norm(jnp.ravel(e))))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (("b, 8", "k"), r"angles .*28.*\bk\b"),
        (("b, n", "28"), r"x .*8.*\bn\b"),
        (("b, 8", "c, 28"), r"\b[bc]\b.*\b[bc]\b"),
    ],
)
def test_messages_name_the_symbols(shapes: tuple[str, str], message: str) -> None:
    scope = export.SymbolicScope()
    x, angles = (
        jax.ShapeDtypeStruct(export.symbolic_shape(shape, scope=scope), np.float32)
        for shape in shapes
    )
    with pytest.raises(ValueError, match=message):
        export.export(jax.jit(rotated))(x, angles)


def test_several_platforms() -> None:
    """On the CPU a program calls the kernels; on a platform without any it is plain JAX."""
    rng = np.random.default_rng(1)
    x, angles = random_vectors(rng, (3, 8), np.float32), random_angles(rng, S, np.float32)
    program = jax.jit(lambda x, t: second(rotated, x, t))
    exported = export.export(program, platforms=["cpu", "tpu"], disabled_checks=CHECKS)(x, angles)
    text = exported.mlir_module()
    assert exported.platforms == ("cpu", "tpu")
    assert ("@givens_rotate_vjp" in text) == _kernels.USES_FFI
    assert "stablehlo.while" in text
    actual, expected = exported.call(x, angles), program(x, angles)
    size = 0 if _kernels.USES_FFI else 1e3 * rounding(S, np.float32) * np.linalg.norm(x) ** 2
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, e, rtol=0, atol=size)


def test_names_are_all_that_is_called() -> None:
    """Without a disabled check JAX refuses to export a call."""
    program = jax.jit(rotated)
    arguments = np.ones((2, 8), np.float32), np.ones(K, np.float32)
    exported = export.export(program, disabled_checks=CHECKS)(*arguments)
    np.testing.assert_array_equal(exported.call(*arguments) * 0, np.zeros((2, 8)))
    if _kernels.USES_FFI:
        with pytest.raises(ValueError, match="givens_rotate"):
            export.export(program)(*arguments)


def test_parameters_are_arguments_of_serialized_programs() -> None:
    pytest.importorskip("flatbuffers")
    p = givens.decompose(np.eye(4, dtype=np.float32)[[1, 2, 3, 0]])
    program = jax.jit(lambda p: (p, givens.jax.matrix(**p._asdict())))
    exported = export.deserialize(export.export(program, disabled_checks=CHECKS)(p).serialize())
    again, U = exported.call(p)
    assert again.schedule == p.schedule
    np.testing.assert_array_equal(U, givens.matrix(**p._asdict()))
