"""Fixtures for the tests of `givens.jax`."""

import jax
import pytest


@pytest.fixture(scope="module")
def double_precision():
    """Compute in double precision."""
    with jax.enable_x64(True):
        yield
