"""Fixtures for the tests of `givens.jax`."""

import jax
import pytest


@pytest.fixture(scope="module")
def double_precision():
    """Compute in double precision."""
    # Not above: a test may put the emulator in the place of the CUDA engine before this import.
    from givens.jax import _kernels

    if _kernels.USES_FFI:
        with jax.enable_x64(True):
            yield
        return
    # The context is one thread's own. JAX would take results of a call back through Python, which
    # may come on a thread of XLA, for single precision.
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)
