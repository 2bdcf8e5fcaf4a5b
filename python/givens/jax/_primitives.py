"""The operations as primitives of JAX: shapes, derivatives, batching.

`rotate` and `matrix` have tangents, `rotate_tangent` and `matrix_tangent`, which are linear in the
tangents of the arguments. Transposed these are `rotate_vjp` and `matrix_vjp`, which again have a
tangent, `rotate_vjp_tangent`, which has a transpose too. So kernels compute first and second
derivatives, forward, reverse and mixed. Third derivatives, and the forward derivative of a tangent
where it is not linear, are derivatives of `_rounds`.

A forward pass keeps nothing but its output y, from which everything else is computed.

Gradients follow the library's convention, ``dL = Re sum(conj(g) dy)``, while JAX's cotangents are
without the ``conj``. `Setting` describes the order of the arguments.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from givens.jax import _kernels, _rounds
from givens.jax._setting import Setting

Arrays = tuple[Any, ...]


_primitives: dict[str, Primitive] = {}


def _operation(name: str) -> Callable[..., list[Any]]:
    """Make a primitive, with a list of results, and return the function that binds it."""
    primitive = _primitives[name] = Primitive(f"givens_{name}")
    primitive.multiple_results = True

    def bind(setting: Setting, *arrays: Any) -> list[Any]:
        alike = _varying_alike(arrays)
        return primitive.bind(*alike, setting=setting)  # type: ignore[no-any-return]

    # A call outside of jit is compiled too, once for each setting and shape.
    jitted = jax.jit(bind, static_argnums=0)

    def run(*arrays: Any, setting: Setting) -> list[Any]:
        with jax.disable_jit(False):
            return jitted(setting, *arrays)  # type: ignore[no-any-return]

    primitive.def_impl(run)
    mlir.register_lowering(primitive, _kernels.traced(getattr(_rounds, name)))
    for platform, lowerings in _kernels.LOWERINGS.items():
        if name in lowerings:
            mlir.register_lowering(primitive, lowerings[name], platform)
    batching.fancy_primitive_batchers[primitive] = _batch_at_front(bind)
    return bind


def _varying_alike(arrays: Arrays) -> list[Any]:
    """Under shard_map: vary all arrays over the mesh axes that any varies over.

    The transpose then sums the cotangents of arrays that are the same everywhere.
    """
    varying = [jax.typeof(a).mat.varying for a in arrays]
    every = frozenset().union(*varying)
    return [
        jax.lax.pcast(a, tuple(every - own), to="varying") if own != every else a
        for a, own in zip(arrays, varying, strict=True)
    ]


# --- Batching: the new axis becomes the first batch axis, or one more axis of vectors ------------


def _batch_at_front(bind: Any) -> Any:
    def rule(axis: Any, arrays: Arrays, dims: Arrays, *, setting: Setting) -> tuple[Any, Any]:
        if all(dim is None for dim in dims):
            out = bind(setting, *arrays)
            return out, [None] * len(out)
        out = bind(
            setting,
            *(
                batching.bdim_at_front(array, dim, axis.size, axis.explicit_mesh_axis)
                for array, dim in zip(arrays, dims, strict=True)
            ),
        )
        return out, [0] * len(out)

    return rule


def _batch_rotate(axis: Any, arrays: Arrays, dims: Arrays, *, setting: Setting) -> tuple[Any, Any]:
    if dims[0] is None or any(dim is not None for dim in dims[1:]):
        return _batch_at_front(_rotate)(axis, arrays, dims, setting=setting)  # type: ignore[no-any-return]
    x, *parameters = arrays
    first = parameters[0].ndim - 1  # after the batch axes
    return _rotate(setting, jnp.moveaxis(x, dims[0], first), *parameters), [first]


_rotate = _operation("rotate")
_matrix = _operation("matrix")
_rotate_tangent = _operation("rotate_tangent")
_matrix_tangent = _operation("matrix_tangent")
_rotate_vjp = _operation("rotate_vjp")
_matrix_vjp = _operation("matrix_vjp")
_rotate_vjp_tangent = _operation("rotate_vjp_tangent")
batching.fancy_primitive_batchers[_primitives["rotate"]] = _batch_rotate


def rotate(setting: Setting, x: Any, *parameters: Any) -> Any:
    """Multiply vectors by U; differentiable."""
    return _rotate(setting, x, *parameters)[0]


def matrix(setting: Setting, *parameters: Any) -> Any:
    """Form U; differentiable."""
    return _matrix(setting, *parameters)[0]


# --- Shapes ------------------------------------------------------------------------------------


def _like(*avals: Any) -> list[Any]:
    return [a.update(weak_type=False) for a in avals]


def _shape_of_matrix(*parameters: Any, setting: Setting) -> list[Any]:
    angles, schedule = parameters[0], setting.schedule
    shape = (*angles.shape[:-1], schedule.n, schedule.columns)
    # What the type says of how matrices are divided over an explicit mesh.
    specs = zip(*(p.sharding.spec[:-1] for p in parameters), strict=True)
    batch = (next((s for s in spec if s is not None), None) for spec in specs)
    sharding = angles.sharding.update(spec=jax.sharding.PartitionSpec(*batch, None, None))
    dtype = setting.dtype_of_matrix(parameters)
    return [angles.update(shape=shape, dtype=dtype, weak_type=False, sharding=sharding)]


def _shapes_of_gradients(setting: Setting, *parameters: Any) -> list[Any]:
    return _like(*parameters[: setting.num_differentiable])


_primitives["rotate"].def_abstract_eval(lambda x, *_, setting: _like(x))
_primitives["matrix"].def_abstract_eval(_shape_of_matrix)
_primitives["rotate_tangent"].def_abstract_eval(lambda y, *_, setting: _like(y))
_primitives["matrix_tangent"].def_abstract_eval(lambda U, *_, setting: _like(U))
_primitives["rotate_vjp"].def_abstract_eval(
    lambda y, _, *parameters, setting: _like(y) + _shapes_of_gradients(setting, *parameters)
)
_primitives["matrix_vjp"].def_abstract_eval(
    lambda U, _, *parameters, setting: _shapes_of_gradients(setting, *parameters)
)
_primitives["rotate_vjp_tangent"].def_abstract_eval(
    lambda y, _, *parameters, setting: _like(y) + _shapes_of_gradients(setting, *parameters)
)


# --- Tangents ----------------------------------------------------------------------------------


def _any(tangents: Sequence[Any]) -> bool:
    return not all(type(t) is ad.Zero for t in tangents)


def _full(tangents: Sequence[Any]) -> list[Any]:
    return [ad.instantiate_zeros(t) for t in tangents]


def _rotate_jvp(primals: Arrays, tangents: Arrays, *, setting: Setting) -> tuple[Any, Any]:
    x, *parameters = primals
    dx, *dparameters = tangents[: 1 + setting.num_differentiable]
    y = _rotate(setting, x, *parameters)
    if not _any(dparameters):
        return y, _rotate(setting, *_full([dx]), *parameters)
    return y, _rotate_tangent(setting, *y, *parameters, *_full([dx, *dparameters]))


def _matrix_jvp(primals: Arrays, tangents: Arrays, *, setting: Setting) -> tuple[Any, Any]:
    U = _matrix(setting, *primals)
    return U, _matrix_tangent(setting, *U, *primals, *_full(tangents[: setting.num_differentiable]))


def _jvp_of_vjp(operation: Any, tangent: Any) -> Any:
    """Return the rule of `rotate_vjp` or `matrix_vjp`, which are linear in the gradient alone."""

    def jvp(primals: Arrays, tangents: Arrays, *, setting: Setting) -> tuple[Any, Any]:
        y, _, *parameters = primals
        dy, dgy, *dparameters = tangents[: 2 + setting.num_differentiable]
        out = operation(setting, *primals)
        if not _any([dy, *dparameters]):
            return out, operation(setting, y, *_full([dgy]), *parameters)
        return out, tangent(setting, *primals, *_full([dy, dgy, *dparameters]))

    return jvp


def _matrix_vjp_tangent(setting: Setting, *arrays: Any) -> list[Any]:
    return _rotate_vjp_tangent(setting.of_columns(), *arrays)[1:]


def _jvp_of_tangent(operation: Any, definition: Any, vectors: int) -> Any:
    """Return the rule of a tangent, whose first arguments are `vectors` and the parameters.

    It is linear in the rest. The derivative in the first is the derivative of its definition.
    """

    def jvp(primals: Arrays, tangents: Arrays, *, setting: Setting) -> tuple[Any, Any]:
        first = vectors + setting.num_parameters
        differentiable = vectors + setting.num_differentiable
        out = operation(setting, *primals)
        terms = []
        if _any(tangents[first:]):
            terms.append(operation(setting, *primals[:first], *_full(tangents[first:])))
        if _any(tangents[:differentiable]):
            rest = primals[differentiable:]
            terms.append(
                jax.jvp(
                    lambda *p: _kernels.listed(definition(setting, *p, *rest)),
                    primals[:differentiable],
                    tuple(_full(tangents[:differentiable])),
                )[1]
            )
        return out, [sum(parts[1:], parts[0]) for parts in zip(*terms, strict=True)]

    return jvp


_JVPS = {
    "rotate": _rotate_jvp,
    "matrix": _matrix_jvp,
    "rotate_vjp": _jvp_of_vjp(_rotate_vjp, _rotate_vjp_tangent),
    "matrix_vjp": _jvp_of_vjp(_matrix_vjp, _matrix_vjp_tangent),
    "rotate_tangent": _jvp_of_tangent(_rotate_tangent, _rounds.rotate_tangent, 1),
    "matrix_tangent": _jvp_of_tangent(_matrix_tangent, _rounds.matrix_tangent, 1),
    "rotate_vjp_tangent": _jvp_of_tangent(_rotate_vjp_tangent, _rounds.rotate_vjp_tangent, 2),
}
for _name, _jvp in _JVPS.items():
    ad.primitive_jvps[_primitives[_name]] = _jvp


# --- Transposes --------------------------------------------------------------------------------


def _only_linear(cotangents: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    """Keep the cotangents of the arguments in which the call is linear."""
    return [
        g if ad.is_undefined_primal(a) else None for g, a in zip(cotangents, arguments, strict=True)
    ]


def _rotate_transpose(cts: Arrays, x: Any, *parameters: Any, setting: Setting) -> list[Any]:
    [ct] = cts
    [gx] = _rotate(setting.inverted(), jnp.conj(ct), *parameters)
    return [jnp.conj(gx)] + [None] * len(parameters)


def _rotate_tangent_transpose(cts: Arrays, y: Any, *arrays: Any, setting: Setting) -> list[Any]:
    [ct] = cts
    parameters, linear = setting.split(arrays)
    gx, *gradients = _rotate_vjp(setting, y, jnp.conj(ct), *parameters)
    none = [None] * (1 + len(parameters))
    return none + _only_linear([jnp.conj(gx), *gradients], linear)


def _matrix_tangent_transpose(cts: Arrays, U: Any, *arrays: Any, setting: Setting) -> list[Any]:
    [ct] = cts
    parameters, linear = setting.split(arrays)
    gradients = _matrix_vjp(setting, U, jnp.conj(ct), *parameters)
    return [None] * (1 + len(parameters)) + _only_linear(gradients, linear)


def _rotate_vjp_transpose(
    cts: Arrays, y: Any, _: Any, *parameters: Any, setting: Setting
) -> list[Any]:
    hx, *h = _full(cts)
    [ct] = _rotate_tangent(setting, y, *parameters, jnp.conj(hx), *h)
    return [None, jnp.conj(ct)] + [None] * len(parameters)


def _matrix_vjp_transpose(
    cts: Arrays, U: Any, _: Any, *parameters: Any, setting: Setting
) -> list[Any]:
    [ct] = _matrix_tangent(setting, U, *parameters, *_full(cts))
    return [None, jnp.conj(ct)] + [None] * len(parameters)


def _rotate_vjp_tangent_transpose(
    cts: Arrays, y: Any, gy: Any, *arrays: Any, setting: Setting
) -> list[Any]:
    # What is transposed is the derivative of Re <gy, T>, T = rotate_tangent(y, parameters; h), at
    # fixed h. As a function of x instead of y its gradient is the tangent of rotate_vjp along h,
    # since derivatives along h and in (x, parameters) commute; x = U^H y then goes back to y.
    parameters, linear = setting.split(arrays)
    hx, *h = _full(cts)
    h = [jnp.conj(hx), *h]
    [t] = _rotate_tangent(setting, y, *parameters, *h)
    Gx, *G = _rotate_vjp_tangent(setting, y, gy, *parameters, t, jnp.zeros_like(gy), *h[1:])
    [x] = _rotate(setting.inverted(), y, *parameters)
    Gy, *G_of_x = _rotate_vjp(setting.inverted(), x, Gx, *parameters)
    gradients = [g + g_of_x for g, g_of_x in zip(G, G_of_x, strict=True)]
    none = [None] * (2 + len(parameters))
    return none + _only_linear([jnp.conj(Gy), jnp.conj(t), *gradients], linear)


ad.primitive_transposes[_primitives["rotate"]] = _rotate_transpose
ad.primitive_transposes[_primitives["rotate_tangent"]] = _rotate_tangent_transpose
ad.primitive_transposes[_primitives["matrix_tangent"]] = _matrix_tangent_transpose
ad.primitive_transposes[_primitives["rotate_vjp"]] = _rotate_vjp_transpose
ad.primitive_transposes[_primitives["matrix_vjp"]] = _matrix_vjp_transpose
ad.primitive_transposes[_primitives["rotate_vjp_tangent"]] = _rotate_vjp_tangent_transpose
