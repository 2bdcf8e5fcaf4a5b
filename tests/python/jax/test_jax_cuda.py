"""The programs that `givens.jax` makes for a GPU, which nothing here can run."""

import re

import jax
import numpy as np
import pytest

import emulated_array
import givens.jax
from givens import Schedule

if emulated_array.cuda is None:
    pytest.skip(
        "needs the module on the emulator of CUDA: make test-cuda-python", allow_module_level=True
    )


def called_on_cuda(f, *arguments) -> set[str]:
    """Return the foreign functions in a program."""
    text = jax.jit(f).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()
    return set(re.findall(r"custom_call @(\w+)", text))


def test_gradients_are_the_cuda_engines() -> None:
    s = Schedule.xor(4)

    def gradients(x, angles):
        f = lambda x, t: givens.jax.rotate(x, t, s) @ givens.jax.matrix(t, s)  # noqa: E731
        return jax.vjp(f, x, angles)[1](x)

    called = called_on_cuda(gradients, np.ones((2, 4), np.float32), np.ones(6, np.float32))
    assert called == {f"givens_{n}" for n in ("rotate", "matrix", "rotate_vjp", "matrix_vjp")}
    assert called == emulated_array.cuda.ffi_handlers().keys()


def test_tangents_are_plain_jax() -> None:
    s = Schedule.xor(4)

    def tangent(angles):
        return jax.jvp(lambda t: givens.jax.matrix(t, s), (angles,), (angles,))

    assert called_on_cuda(tangent, np.ones(6, np.float32)) == {"givens_matrix"}
