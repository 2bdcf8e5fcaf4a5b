"""Kernels on arrays that are divided over devices.

Batch axes and axes of vectors stay divided: every device computes its own part, and gradients of
parameters that devices share are summed over them. The axis of the coordinates and the last axis
of a parameter are gathered.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
from jax.experimental.custom_partitioning import ArrayMapping, SdyShardingRule, custom_partitioning
from jax.interpreters import mlir
from jax.sharding import AbstractMesh, NamedSharding, PartitionSpec

from givens.jax._setting import Setting

# The axes of an array: equal numbers are divided alike, None stays whole.
Axes = tuple[int | None, ...]

# How many of a kernel's arrays are vectors or matrices: of the first arguments, of the arguments
# after the parameters, of the first results. All others are parameters or have their shapes.
_VECTORS = {
    "rotate": (1, 0, 1),
    "matrix": (0, 0, 1),
    "rotate_tangent": (1, 1, 1),
    "matrix_tangent": (1, 0, 1),
    "rotate_vjp": (2, 0, 1),
    "matrix_vjp": (2, 0, 0),
    "rotate_vjp_tangent": (2, 2, 1),
}


def divided(name: str, kernel: Callable[..., list[Any]]) -> Any:
    """Return the lowering of a kernel, which computes on parts where XLA divides its arguments."""
    whole = mlir.lower_fun(lambda *arrays, setting: kernel(setting, *arrays))

    def rule(context: Any, *operands: Any, setting: Setting) -> Any:
        module = context.module_context
        backend = module.get_backend(optional=True)
        num_devices = getattr(module.axis_context, "num_devices", 1)  # 1 under shard_map as well
        mesh = _mesh(num_devices, context.avals_in)
        # An exported program cannot hold the Python functions that XLA calls to divide a kernel,
        # and XLA's earlier partitioner, GSPMD, wants others.
        is_exported = module.lowering_parameters.for_export
        has_shardy = getattr(jax.config, "jax_use_shardy_partitioner", True)
        if mesh is None or backend is None or is_exported or not has_shardy:
            return whole(context, *operands, setting=setting)

        def on_part(*arrays: Any) -> list[Any]:
            return kernel(setting, *arrays)

        axes = _axes(name, setting, context.avals_in, context.avals_out)
        parts = custom_partitioning(on_part)
        parts.def_partition(_partition(on_part, *axes), sharding_rule=_rule(*axes))
        # The lowering of custom_partitioning asks which devices there are, for their number.
        devices = tuple(backend.devices()[:num_devices])
        within = mlir.ShardingContext(num_devices, devices, mesh)
        context = context.replace(module_context=module.replace(axis_context=within))
        return mlir.lower_fun(parts)(context, *operands)

    return rule


def _mesh(num_devices: int, arrays: Any) -> AbstractMesh | None:
    """Return a mesh whose axes are the prime factors of the axes of the caller's mesh.

    XLA divides arrays over the caller's axes or over factors of them, and custom_partitioning
    fails if the mesh has others. So the order of the factors must be known: None if it is not.
    Without a mesh in the arrays' types all devices are taken for one axis.
    """
    meshes = [a.sharding.mesh for a in arrays if not a.sharding.mesh.empty]
    sizes = meshes[0].axis_sizes if meshes else (num_devices,)
    factors = [_prime_factors(size) for size in sizes]
    is_known = all(len({*of_size}) <= 1 for of_size in factors)
    if num_devices == 1 or math.prod(sizes) != num_devices or not is_known:
        return None
    primes = tuple(itertools.chain(*factors))
    return AbstractMesh(primes, tuple(f"axis{k}" for k in range(len(primes))))


def _prime_factors(n: int) -> tuple[int, ...]:
    factor = next((p for p in range(2, n) if n % p == 0), n)
    return (factor, *_prime_factors(n // factor)) if n > 1 else ()


def _axes(
    name: str, setting: Setting, arguments: list[Any], results: list[Any]
) -> tuple[list[Axes], list[Axes]]:
    """Return which axes of the arguments and of the results are divided alike."""
    first, after_parameters, first_results = _VECTORS[name]
    tangents = first + setting.num_parameters
    batch = arguments[first].ndim - 1
    full = (arguments if first else results)[0].shape

    def of_vectors(array: Any) -> Axes:
        rank = array.ndim
        whole = range(batch, rank) if name.startswith("matrix") else [rank + setting.axis]
        return tuple(None if d in whole else d for d in range(rank))

    def of_parameter(array: Any) -> Axes:
        # An axis of 1 that is repeated is whole on every device.
        return (*(d if array.shape[d] == full[d] else None for d in range(batch)), None)

    vectors = {*range(first), *range(tangents, tangents + after_parameters)}
    return (
        [of_vectors(a) if k in vectors else of_parameter(a) for k, a in enumerate(arguments)],
        [of_vectors(a) if k < first_results else of_parameter(a) for k, a in enumerate(results)],
    )


def _rule(arguments: list[Axes], results: list[Axes]) -> SdyShardingRule:
    """Return what XLA's partitioner, Shardy, is told. Every whole axis has a name of its own."""
    whole: list[str] = []

    def name(axis: int | None) -> str:
        if axis is not None:
            return f"divided{axis}"
        whole.append(f"whole{len(whole)}")
        return whole[-1]

    def mappings(arrays: list[Axes]) -> tuple[ArrayMapping, ...]:
        return tuple(ArrayMapping(*map(name, axes)) for axes in arrays)

    return SdyShardingRule(
        mappings(arguments), mappings(results), need_replication_factors=tuple(whole)
    )


def _partition(
    kernel: Callable[..., list[Any]], arguments: list[Axes], results: list[Axes]
) -> Callable[..., tuple[Any, ...]]:
    """Return the function that XLA asks how to divide a call, and what to compute on a part."""

    def partition(mesh: Any, proposed: Any, proposed_results: Any) -> tuple[Any, ...]:
        over: dict[int | None, tuple[str, ...]] = {}  # an axis of arrays to axes of the mesh
        arrays = zip((*proposed, *proposed_results), (*arguments, *results), strict=True)
        for array, axes in arrays:
            for size, axis, names in zip(array.shape, axes, array.sharding.spec, strict=True):
                if axis is None or axis in over or names is None:
                    continue
                names = names if isinstance(names, tuple) else (names,)
                is_free = all(set(names).isdisjoint(used) for used in over.values())
                # XLA would fill up a part that is smaller than others.
                if is_free and size % math.prod(mesh.shape[name] for name in names) == 0:
                    over[axis] = names

        def sharding(axes: Axes) -> NamedSharding:
            return NamedSharding(mesh, PartitionSpec(*map(over.get, axes)))

        def on_part(*parts: Any) -> list[Any]:
            out = kernel(*parts)
            for k, axes in enumerate(results):
                shared = [name for axis in over if axis not in axes for name in over[axis]]
                out[k] = jax.lax.psum(out[k], shared) if shared else out[k]
            return out

        return mesh, on_part, [*map(sharding, results)], tuple(map(sharding, arguments))

    return partition
