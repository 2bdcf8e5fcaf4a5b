"""`givens.jax` in processes of their own: with two devices, and with one processor."""

import os

import pytest

from scripts import run, with_devices


def test_shard_map_with_shared_angles() -> None:
    """The gradient of angles that all devices share is the sum over devices, as on one device."""
    script = """
        import jax, jax.numpy as jnp, numpy as np, givens, givens.jax
        from functools import partial
        from jax.sharding import PartitionSpec as P

        s = givens.Schedule.xor(4)
        rng = np.random.default_rng(0)
        x, t = rng.normal(size=(6, 4)), rng.normal(size=6)

        def f(x, t):
            return givens.jax.rotate(x, t, s) @ givens.jax.matrix(t[::-1], s)

        mesh = jax.make_mesh((2,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
        shared = jax.shard_map(f, mesh=mesh, in_specs=(P("d"), P()), out_specs=P("d"))

        @partial(jax.jit, static_argnums=0)
        def all_of(f, t):
            loss = lambda t: jnp.sum(f(x, t) ** 3)
            return f(x, t), jax.grad(loss)(t), jax.jvp(jax.grad(loss), (t,), (t,))[1]

        error = max(
            float(jnp.linalg.norm(a - b) / jnp.linalg.norm(b))
            for a, b in zip(all_of(shared, t), all_of(f, t))
        )
        print(len(jax.devices()), error)
    """
    devices, error = run(script, XLA_FLAGS=with_devices(2), JAX_ENABLE_X64="1").split()
    assert devices == "2"
    # Without the sum a gradient would be off by about its half. Here the same terms are summed in
    # another order, in double precision.
    assert float(error) < 1e-10


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_callbacks_do_not_wait_for_the_thread_that_they_are_on() -> None:
    """With one processor XLA has one thread, and JAX would copy large arrays on it."""
    script = """
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        import jax, numpy as np, givens, givens.jax

        s = givens.Schedule.xor(64)
        x = np.ones((4096, 64), np.float32)
        angles = np.zeros(s.num_rotations, np.float32)
        print(jax.jit(lambda x: givens.jax.rotate(2 * x, angles, s))(x)[0, 0])
    """
    assert run(script, GIVENS_JAX_CALLS="callback") == "2.0"
