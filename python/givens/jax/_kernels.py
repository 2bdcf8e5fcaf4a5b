"""The compiled functions, as JAX calls them.

JAX calls them by XLA's foreign function interface if the package was built where jaxlib's headers
were, and otherwise back through Python: see docs/jax.md.
"""

import importlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import mlir

import givens
from givens import _core
from givens._descriptions import digest_of
from givens.jax import _rounds
from givens.jax._division import divided
from givens.jax._setting import Setting


def _by_ffi(name: str, setting: Setting, results: Any, *arrays: Any) -> Any:
    schedule = setting.schedule
    description = schedule.to_dict()
    return jax.ffi.ffi_call(f"givens_{name}", [_like(r) for r in results])(
        *arrays,
        digest=digest_of(schedule),
        kind=schedule.kind,
        n=schedule.n,
        columns=schedule.columns,
        team_size=description.get("size", 0),
        passes=description.get("passes", 1),
        rounds=_rounds_in_one(schedule) if schedule.kind == "rounds" else np.zeros(0, np.int32),
        given=" ".join(setting.given),
        axis=setting.axis,
        inverse=setting.inverse,
        num_threads=setting.num_threads or 0,
    )


def _rounds_in_one(schedule: _core.Schedule) -> Any:
    """Return all coordinates in order, with -1 after each round."""
    return np.insert(schedule.pairs.ravel(), 2 * schedule.round_offsets[1:], -1)


def _like(array: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


_VECTORS: dict[str, tuple[str, ...]] = {
    "rotate": ("x",),
    "rotate_jvp": ("x",),
    "rotate_vjp": ("y", "gy"),
    "rotate_vjp_jvp": ("y", "gy"),
    "matrix": (),
    "matrix_jvp": (),
    "matrix_vjp": ("U", "gU"),
}


def _on_numpy(name: str, setting: Setting, _: Any, *arrays: Any) -> list[Any]:
    """Call the function of `givens`, whose arguments have the names built here."""
    parameters = ("angles", *setting.given)
    names = [*_VECTORS[name], *parameters]
    if name.endswith("jvp"):
        differentiable = (*_VECTORS[name], *parameters[: setting.num_differentiable])
        names += [f"d{primal}" for primal in differentiable]
    options: dict[str, Any] = {"schedule": setting.schedule, "num_threads": setting.num_threads}
    if name.startswith("rotate"):
        options |= {"axis": setting.axis, "inverse": setting.inverse}
    given = zip(names, map(np.asarray, arrays), strict=True)
    out = getattr(givens, name)(**dict(given), **options)
    return [*jax.tree.leaves(out)]


# --- The kernels, with the arguments of the primitives of their names ----------------------------


def _rotate(call: Any, setting: Setting, x: Any, *parameters: Any) -> Any:
    return call("rotate", setting, [x], x, *parameters)


def _matrix(call: Any, setting: Setting, *parameters: Any) -> Any:
    schedule = setting.schedule
    shape = (*parameters[0].shape[:-1], schedule.n, schedule.columns)
    result = jax.ShapeDtypeStruct(shape, setting.dtype_of_matrix(parameters))
    return call("matrix", setting, [result], *parameters)


def _rotate_vjp(call: Any, setting: Setting, y: Any, gy: Any, *parameters: Any) -> Any:
    results = [y, *parameters[: setting.num_differentiable]]
    return call("rotate_vjp", setting, results, y, gy, *parameters)


def _matrix_vjp(call: Any, setting: Setting, U: Any, gU: Any, *parameters: Any) -> Any:
    results = parameters[: setting.num_differentiable]
    return call("matrix_vjp", setting, results, U, gU, *parameters)


def _rotate_tangent(call: Any, setting: Setting, y: Any, *arrays: Any) -> Any:
    parameters, _ = setting.split(arrays)
    [x] = call("rotate", setting.inverted(), [y], y, *parameters)
    _, dy = call("rotate_jvp", setting, [y, y], x, *arrays)
    return [dy]


def _matrix_tangent(call: Any, setting: Setting, U: Any, *arrays: Any) -> Any:
    _, dU = call("matrix_jvp", setting, [U, U], *arrays)
    return [dU]


def _rotate_vjp_tangent(call: Any, setting: Setting, y: Any, gy: Any, *arrays: Any) -> Any:
    gradients = [y, *arrays[: setting.num_differentiable]]
    out = call("rotate_vjp_jvp", setting, gradients * 2, y, gy, *arrays)
    return out[len(gradients) :]


_Kernels = dict[str, Callable[..., Any]]
_KERNELS: _Kernels = {
    "rotate": _rotate,
    "matrix": _matrix,
    "rotate_vjp": _rotate_vjp,
    "matrix_vjp": _matrix_vjp,
}
_TANGENTS: _Kernels = {
    "rotate_tangent": _rotate_tangent,
    "matrix_tangent": _matrix_tangent,
    "rotate_vjp_tangent": _rotate_vjp_tangent,
}


# --- Which platform of JAX has which kernels -----------------------------------------------------


def _register(module: ModuleType, platform: str) -> bool:
    """Make the handlers of an extension module known to XLA, if it has any that XLA can take.

    XLA takes handlers that were built with older headers. With newer ones it would fail to start.
    """
    built_with = getattr(module, "jaxlib_version", None)
    if built_with is None or _release(built_with) > _release(version("jaxlib")):
        return False
    for name, handler in module.ffi_handlers().items():
        jax.ffi.register_ffi_target(name, handler, platform=platform)
    return True


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _rotate_vjp_of_cuda(call: Any, setting: Setting, y: Any, gy: Any, *parameters: Any) -> Any:
    """Give every matrix parameters of its own, as the CUDA engine requires."""
    shapes = [p.shape for p in parameters]
    batch = y.shape[: len(shapes[0]) - 1]
    repeated = tuple(d for d, extent in enumerate(batch) if shapes[0][d] != extent)
    full = (jnp.broadcast_to(p, (*batch, p.shape[-1])) for p in parameters)
    gx, *gradients = _rotate_vjp(call, setting, y, gy, *full)
    return [gx, *(jnp.sum(g, repeated, keepdims=True) for g in gradients)]


def listed(out: Any) -> list[Any]:
    """Return one or several results as a list."""
    return [*out] if isinstance(out, tuple | list) else [out]


def traced(function: Callable[..., Any]) -> Any:
    """Return the lowering of a function that JAX traces."""
    return mlir.lower_fun(
        lambda *arrays, setting: listed(function(setting, *arrays)), multiple_results=True
    )


def _called_back(name: str, function: Callable[..., Any]) -> Any:
    """Return the lowering of a function on NumPy arrays; exported programs have the definition.

    jax.pure_callback will not do: it has JAX copy the arrays first, which with one processor waits
    for the thread that calls it.
    """
    definition = traced(getattr(_rounds, name))

    def rule(context: Any, *operands: Any, setting: Setting) -> Any:
        if context.module_context.lowering_parameters.for_export:
            return definition(context, *operands, setting=setting)
        out, _, _ = mlir.emit_python_callback(
            context,
            # NumPy converts dtypes here: to wait for JAX would have it wait for itself.
            lambda *arrays: listed(function(setting, *map(np.asarray, arrays))),
            None,
            [*operands],
            context.avals_in,
            context.avals_out,
            has_side_effect=False,
            returns_token=False,
        )
        return out

    return rule


# The variable lets tests run the callback where there are handlers.
USES_FFI = os.environ.get("GIVENS_JAX_CALLS") != "callback" and _register(_core, "cpu")

# Maps a platform of JAX and the name of a primitive to the lowering to its kernel.
LOWERINGS: dict[str, dict[str, Any]] = {}

_call, _lowering = (_by_ffi, divided) if USES_FFI else (_on_numpy, _called_back)
_called: _Kernels = {n: partial(f, _call) for n, f in (_KERNELS | _TANGENTS).items()}
# The engine's tangents take no vectors of 16 bits.
_called |= {n: _rounds.in_single(_called[n]) for n in _TANGENTS}
LOWERINGS["cpu"] = {n: _lowering(n, f) for n, f in _called.items()}
with suppress(ImportError):
    if _register(importlib.import_module("givens._cuda"), "CUDA"):
        own = _KERNELS | {"rotate_vjp": _rotate_vjp_of_cuda}
        LOWERINGS["cuda"] = {n: divided(n, partial(f, _by_ffi)) for n, f in own.items()}
