"""The arguments of `matrix` and `rotate`: as arrays of JAX, checked, and in one batch shape."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

Shape = tuple[Any, ...]  # of numbers, and of the symbols of jax.export


def to_array(name: str, value: Any) -> jax.Array:
    """Return an argument as an array of JAX."""
    arrays = jax.Array | np.ndarray
    if not isinstance(value, arrays) and hasattr(value, "__jax_array__"):
        value = value.__jax_array__()
    if not isinstance(value, arrays):
        raise TypeError(f"{name} must be a JAX or NumPy array, got {type(value).__name__}")
    return jnp.asarray(value)


def to_parameters(angles: Any, phases: Any, diagonal: Any, signs: Any) -> dict[str, jax.Array]:
    """Return the angles and what is given besides by their names. Signs have no gradient."""
    options = {"phases": phases, "diagonal": diagonal, "signs": signs}
    given = {"angles": angles} | {name: p for name, p in options.items() if p is not None}
    arrays = {name: to_array(name, value) for name, value in given.items()}
    if signs is not None:
        arrays["signs"] = jax.lax.stop_gradient(arrays["signs"])
    return arrays


def checked_shape(function: Callable[..., Shape], *arguments: Any) -> Shape:
    """Return the shape of a result from a function of `givens._core` that checks the arguments.

    It gets arrays without values, in which numbers stand for symbols.
    """
    sizes = {size for a in arguments if isinstance(a, jax.Array) for size in a.shape}
    symbols = [size for size in sizes if not isinstance(size, int)]
    unused = (n for n in itertools.count(1009) if n not in sizes)
    numbers = dict(zip(symbols, unused, strict=False))

    def empty(array: jax.Array) -> Any:
        shape = [numbers.get(size, size) for size in array.shape]
        return np.broadcast_to(np.zeros((), array.dtype), shape)

    try:
        shape = function(*(empty(a) if isinstance(a, jax.Array) else a for a in arguments))
    except (TypeError, ValueError) as error:
        message = str(error)
        for symbol, number in numbers.items():
            message = re.sub(rf"\b{number}\b", str(symbol), message)
        raise type(error)(message) from None
    named = {number: symbol for symbol, number in numbers.items()}
    return tuple(named.get(size, size) for size in shape)


def in_one_batch_shape(parameters: list[jax.Array]) -> list[jax.Array]:
    """Repeat parameters along the batch axes that only others have."""
    batch = jnp.broadcast_shapes(*(p.shape[:-1] for p in parameters))
    return [repeated(p, (*batch, p.shape[-1]), parameters) for p in parameters]


def repeated(array: jax.Array, shape: Shape, parameters: list[jax.Array]) -> jax.Array:
    """Repeat an array to a shape; over an explicit mesh it is divided as the parameters are."""
    if array.shape == shape:
        return array
    own = jax.typeof(array).sharding
    spec = [*[None] * (len(shape) - array.ndim), *own.spec]
    batch = max(p.ndim for p in parameters) - 1
    mesh = own.mesh
    for sharding in (jax.typeof(p).sharding for p in parameters):
        first = batch - len(sharding.spec[:-1])
        for d, axis in enumerate(sharding.spec[:-1], first):
            if axis is not None and spec[d] is None:
                spec[d], mesh = axis, sharding.mesh
    divided = NamedSharding(mesh, PartitionSpec(*spec)) if any(spec) else None
    return jnp.broadcast_to(array, shape, out_sharding=divided)
