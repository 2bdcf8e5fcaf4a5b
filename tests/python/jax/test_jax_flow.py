"""The example examples/jax_flow.py in its quick form."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import givens.jax
from oracles import rounding

EXAMPLE = Path(__file__).parents[3] / "examples" / "jax_flow.py"


def test_flow_example_learns_and_inverts() -> None:
    example = runpy.run_path(str(EXAMPLE))
    result = example["main"](["--quick"])
    # What is wrong after a layer grows in its inverse and those before it by 1 / slope at most.
    x, growth = result.points, 1.0
    depth, size = len(result.layers["angles"]), 1.0
    for k in range(depth):
        layer = jax.tree.map(lambda p, k=k: p[k], result.layers)
        x = givens.jax.rotate(x, layer["angles"], example["SCHEDULE"])
        size = max(size, float(jnp.linalg.norm(x, axis=-1).max()))
        x, log_slope = example["bend"](layer, x)
        growth *= max(1.0, float(jnp.exp(-log_slope.min())))
    assert result.after > result.normal > result.before
    # A layer is rounded there and back, its dozen elementwise steps as often again.
    of_layer = 2 * (rounding(example["SCHEDULE"], np.float32) + 12 * np.finfo(np.float32).eps)
    assert result.inverse_error <= depth * of_layer * size * growth
