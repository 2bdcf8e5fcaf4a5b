"""`givens.jax` under jit with arrays that are divided over devices."""

import json

import pytest

from givens.jax import _division, _kernels
from scripts import run, with_devices

pytestmark = pytest.mark.skipif(
    not _kernels.USES_FFI, reason="a call back through Python is not divided"
)

# Computes every case on divided arrays and on one device. Prints for each whether arrays were
# gathered, whether values have the same bits, and the relative error of values and derivatives.
SCRIPT = """
    import json, sys
    import jax, jax.numpy as jnp, numpy as np, givens
    from givens.jax import matrix, rotate
    from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

    def compare(kind, shape):
        names = ("d", "e")[: len(shape)]
        mesh = jax.make_mesh(shape, names, axis_types=(AxisType[kind],) * len(shape))
        all_names = names if len(names) > 1 else "d"
        s, frames = givens.Schedule.xor(8), givens.Schedule.circle(8, columns=3)
        K, L, signs = s.num_rotations, frames.num_rotations, np.array([1.0, -1.0] * 4)
        one, rows, second = P(), P(all_names), P(None, all_names)
        each = jax.vmap(lambda x, t: rotate(x, t, s), (None, 0))

        # The function, the shapes of its arguments, how these are divided. The last axis of a
        # complex argument is written as a complex number.
        cases = {
            "rows": (lambda x, t: rotate(x, t, s), [(8, 8), (K,)], [rows, one]),
            "inverse, signs": (
                lambda x, t: rotate(x, t, s, inverse=True, signs=signs), [(8, 8), (K,)], [rows, one]
            ),
            "columns": (lambda x, t: rotate(x, t, s, axis=0), [(8, 8), (K,)], [second, one]),
            "unitary": (
                lambda x, t, p, d: rotate(x, t, s, phases=p, diagonal=d),
                [(3, 8, 8j), (K,), (K,), (8,)], [second, one, one, one],
            ),
            "matrices": (lambda t: matrix(t, frames), [(8, L)], [rows]),
            "matrices, one diagonal": (
                lambda t, d: matrix(t, s, diagonal=d), [(8, K), (8,)], [rows, one]
            ),
            "a matrix each": (
                lambda x, t: rotate(x, t, s), [(4, 8, 8), (4, K)], [P(*names), P("d")]
            ),
            "one matrix, repeated": (
                lambda x, t: rotate(x, t, s), [(4, 8, 8), (1, K)], [P(*names), one]
            ),
            "vmap": (each, [(3, 8), (8, K)], [one, rows]),
        }
        # These need whole arrays, or parts of equal size.
        gathered = {
            "coordinates": (lambda x, t: rotate(x, t, s), [(8, 8), (K,)], [second, one]),
            "angles": (lambda x, t: rotate(x, t, s), [(8, 8), (K,)], [one, rows]),
        }
        if kind == "Auto":
            gathered["unequal"] = (lambda x, t: rotate(x[:7], t, s), [(8, 8), (K,)], [rows, one])
        if len(shape) == 2:
            kept = ("rows", "a matrix each", "one matrix, repeated")
            cases = {name: cases[name] for name in kept}
            gathered = {}

        rng = np.random.default_rng(0)

        def drawn(shape):
            real = tuple(int(abs(n)) for n in shape)
            x = rng.normal(size=real)
            return x + 1j * rng.normal(size=real) if isinstance(shape[-1], complex) else x

        def size(parts):
            return float(np.sqrt(sum(np.linalg.norm(np.ravel(p)) ** 2 for p in parts)))

        found = {}
        for name, (f, shapes, specs) in (cases | gathered).items():
            def everything(*a):
                loss = lambda *a: jnp.sum(jnp.abs(f(*a)) ** 4)
                gradient = jax.grad(loss, range(len(a)))
                return f(*a), *jax.jvp(gradient, a, a)

            arrays = [drawn(shape) for shape in shapes]
            parts = [jax.device_put(a, NamedSharding(mesh, spec)) for a, spec in zip(arrays, specs)]
            program = jax.jit(everything).lower(*parts).compile()
            actual, expected = program(*parts), jax.jit(everything)(*arrays)
            errors = [
                size([np.asarray(a) - np.asarray(e) for a, e in zip(*map(jax.tree.leaves, both))])
                / size(jax.tree.leaves(both[1]))
                for both in zip(actual, expected)
            ]
            same_bits = bool(np.array_equal(actual[0], expected[0]))
            found[name] = ["all-gather" in program.as_text(), name in gathered, same_bits, errors]
        return found

    print(json.dumps([compare("Auto", (2,)), compare("Explicit", (2,)), compare("Auto", (2, 2))]))
"""


def test_divided_arrays_stay_divided() -> None:
    output = run(SCRIPT, XLA_FLAGS=with_devices(4), JAX_ENABLE_X64="1")
    cases = [case for found in json.loads(output) for case in found.items()]
    assert len(cases) == 11 + 12 + 3
    for name, (gathers, may_gather, same_bits, errors) in cases:
        assert may_gather or not gathers, name
        # Vectors are rotated one by one. Several matrices are computed together, and gradients of
        # shared angles summed, in an order that depends on how many there are on a device.
        assert same_bits or "matri" in name or name == "vmap", name
        assert max(errors) < 1e-13, (name, errors)


def test_meshes_of_prime_factors() -> None:
    """Their order must be known, so that what XLA proposes can be said over them."""
    assert [_division._mesh(n, []).axis_sizes for n in (2, 3, 8)] == [(2,), (3,), (2, 2, 2)]
    assert _division._mesh(1, []) is None
    assert _division._mesh(6, []) is None
