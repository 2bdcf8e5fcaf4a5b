"""A normalising flow with exact inverses: learned orthogonal matrices between elementwise layers.

f maps points x to z = f(x), which is standard normal: x has the normal density at z, times
|det df/dx|. f is a chain of rotations, whose determinant is 1 and whose inverse is known exactly,
and of elementwise maps that are inverted in closed form. The points are two interleaved half
circles in the plane, with two more coordinates of noise.

    python examples/jax_flow.py            # a minute
    python examples/jax_flow.py --quick    # seconds
"""

import argparse
import math
import time
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import givens
import givens.jax

N = 4
SCHEDULE = givens.Schedule.brickwall(N)


def half_circles(rng, count):
    """Points (count, N), and nothing that a linear map could make normal."""
    t = rng.uniform(0, np.pi, count)
    upper = rng.random(count) < 0.5
    x = np.where(upper, np.cos(t), 1 - np.cos(t))
    y = np.where(upper, np.sin(t), 0.5 - np.sin(t))
    plane = np.stack([x - 0.5, y - 0.25], -1) + 0.08 * rng.standard_normal((count, 2))
    return np.concatenate([plane, 0.3 * rng.standard_normal((count, N - 2))], -1).astype(np.float32)


def initial_layers(rng, depth):
    """Parameters of all layers, stacked along the first axis."""
    small = partial(rng.normal, 0, 0.01)
    return {
        "angles": jnp.asarray(
            rng.uniform(-np.pi, np.pi, (depth, SCHEDULE.num_rotations)), jnp.float32
        ),
        "shift": jnp.zeros((depth, N)),
        "log_scale": jnp.asarray(small(size=(depth, N)), jnp.float32),
        "bend": jnp.asarray(small(size=(depth, N)), jnp.float32),
    }


def bend(layer, x):
    """A learned monotone map of every coordinate, and the logarithm of its derivative."""
    a = jnp.exp(layer["log_scale"])
    s = layer["bend"]
    u = a * x + layer["shift"]
    root = jnp.sqrt(1 + u * u)
    # u + tanh(s) (sqrt(1 + u^2) - 1) is monotone, since |tanh s| |u| < sqrt(1 + u^2).
    k = jnp.tanh(s)
    return u + k * (root - 1), layer["log_scale"] + jnp.log1p(k * u / root)


def unbend(layer, v):
    """Its inverse: w = v + k solves u + k sqrt(1 + u^2) = w, a quadratic equation."""
    k = jnp.tanh(layer["bend"])
    w = v + k
    u = (w - k * jnp.sqrt(1 - k * k + w * w)) / (1 - k * k)
    return (u - layer["shift"]) / jnp.exp(layer["log_scale"])


def to_normal(layers, x):
    """z and log |det dz/dx| for rows x."""

    def step(carry, layer):
        x, log_det = carry
        x, log_slope = bend(layer, givens.jax.rotate(x, layer["angles"], SCHEDULE))
        return (x, log_det + log_slope.sum(-1)), None

    return jax.lax.scan(step, (x, jnp.zeros(len(x))), layers)[0]


def from_normal(layers, z):
    """The inverse of `to_normal`, with which points are drawn."""

    def step(z, layer):
        return givens.jax.rotate(unbend(layer, z), layer["angles"], SCHEDULE, inverse=True), None

    return jax.lax.scan(step, z, layers, reverse=True)[0]


def normal_log_likelihood(x, y):
    """Mean log density of rows y in the normal distribution fitted to rows x: the best affine f."""
    centred = y - x.mean(0)
    covariance = np.cov(x.T)
    distance = np.einsum("ki,ij,kj->k", centred, np.linalg.inv(covariance), centred)
    return -0.5 * (distance.mean() + np.linalg.slogdet(2 * np.pi * covariance)[1])


def log_likelihood(layers, x):
    """Mean log density of rows x."""
    z, log_det = to_normal(layers, x)
    return jnp.mean(-0.5 * jnp.sum(z * z, -1) + log_det) - 0.5 * N * math.log(2 * math.pi)


@partial(jax.jit, static_argnames="steps")
def train(layers, x, steps, rate=1e-2):
    """Adam on all points at once; the log likelihood after every step."""

    def step(state, k):
        layers, mean, square = state
        value, g = jax.value_and_grad(log_likelihood)(layers, x)
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, g)
        square = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, square, g)
        corrections = 1 / (1 - 0.9 ** (k + 1)), 1 / (1 - 0.99 ** (k + 1))
        layers = jax.tree.map(
            lambda p, m, s: p + rate * corrections[0] * m / (jnp.sqrt(corrections[1] * s) + 1e-8),
            layers,
            mean,
            square,
        )
        return (layers, mean, square), value

    zeros = jax.tree.map(jnp.zeros_like, layers)
    (layers, _, _), values = jax.lax.scan(step, (layers, zeros, zeros), jnp.arange(steps))
    return layers, values


class Result(NamedTuple):
    """Log likelihoods are taken at points that were not trained on."""

    before: float
    after: float
    normal: float
    inverse_error: float
    layers: dict
    points: np.ndarray


def main(argv=None):
    """Train and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds only")
    quick = parser.parse_args(argv).quick
    depth, count, steps = (6, 512, 150) if quick else (16, 4096, 2000)

    rng = np.random.default_rng(0)
    x, unseen = half_circles(rng, count), half_circles(rng, count)
    layers = initial_layers(rng, depth)
    before = float(log_likelihood(layers, unseen))

    start = time.perf_counter()
    trained, values = train(layers, x, steps)
    for k in range(0, steps, steps // 5):
        print(f"step {k:5d}  log likelihood {values[k]:8.3f}")
    after = float(log_likelihood(trained, unseen))
    print(f"{steps} steps in {time.perf_counter() - start:.1f} s")

    z, _ = to_normal(trained, unseen)
    error = float(jnp.abs(from_normal(trained, z) - unseen).max())
    drawn = from_normal(trained, rng.standard_normal((count, N)).astype(np.float32))
    normal = float(normal_log_likelihood(x, unseen))
    print(f"log likelihood of points not seen: {before:.3f} before, {after:.3f} after")
    print(f"of a normal distribution:          {normal:.3f}")
    print(f"greatest error of the inverse:     {error:.1e} (float32)")
    print(f"mean of the points and of drawn ones: {x.mean(0).round(2)}, {drawn.mean(0).round(2)}")
    return Result(before, after, normal, error, trained, unseen)


if __name__ == "__main__":
    main()
