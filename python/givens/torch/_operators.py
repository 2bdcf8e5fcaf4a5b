"""The operators ``torch.ops.givens``: what `givens` computes, for PyTorch's dispatcher.

Each has a kernel for the CPU and CUDA, shapes without data (for compilation and export), a rule for
``vmap``, and derivatives in both modes that are operators themselves, so that they compose:

==================  ==================================  ==================================
operator            reverse mode by                     forward mode by
==================  ==================================  ==================================
``rotate``          ``rotate_vjp``                      ``rotate_jvp``
``matrix``          ``matrix_vjp``                      ``rotate_jvp`` of the identity
``rotate_vjp``      ``rotate_jvp``, ``rotate_vjp_jvp``  ``rotate_vjp_jvp``
``matrix_vjp``      likewise                            likewise
``rotate_jvp``      ``rotate_vjp_jvp``                  none
``rotate_vjp_jvp``  none: of third order                none: of third order
==================  ==================================  ==================================

Parameters that are absent are None, and their gradients are empty. `axis` is negative. Schedules
are JSON (`_schedules`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from givens import Schedule
from givens.torch import _kernels, _shapes, _vmap
from givens.torch._kernels import MaybeTensor
from givens.torch._register import is_plain, register
from givens.torch._shapes import Shape, batch_shape, matrix_dtype

_PARAMETERS = "Tensor angles, Tensor? phases, Tensor? diagonal, Tensor? signs"
_DUAL_PARAMETERS = (
    "Tensor angles, Tensor? dangles, Tensor? phases, Tensor? dphases, "
    "Tensor? diagonal, Tensor? ddiagonal, Tensor? signs"
)
_ROTATION = "str schedule, int axis, bool inverse"

# --- Derivatives ---
#
# Rules are written for one level of differentiation; PyTorch calls them for each. `ctx.constants`
# are the arguments that are no tensors.


def _summed_to(g: Tensor, shape: Shape) -> Tensor:
    """Undo a broadcast of vectors along batch axes."""
    return g if g.shape == shape else g.sum_to_size(shape)


def _of(p: MaybeTensor, g: MaybeTensor) -> MaybeTensor:
    """Return the gradient of a parameter, which is None for an absent one."""
    return None if p is None else g


def _needs_kernel_only(ctx: Any, g: Tensor) -> bool:
    """Whether an operator on a gradient and what the forward pass has kept calls its kernel only.

    `register`'s functions would find that out too, from all of their arguments.
    """
    return ctx.is_plain and not torch.is_grad_enabled() and is_plain((g,))


def _keep_rotate(ctx: Any, args: Sequence[Any], y: Tensor) -> None:
    ctx.save_for_backward(y, *args[1:5])
    ctx.x_shape = args[0].shape


def _backward_rotate(ctx: Any, gy: Tensor) -> tuple[Any, ...]:
    y, angles, phases, diagonal, signs = ctx.saved_tensors
    vjp: Any = _kernels.rotate_vjp if _needs_kernel_only(ctx, gy) else rotate_vjp
    gx, gangles, gphases, gdiagonal = vjp(y, gy, angles, phases, diagonal, signs, *ctx.constants)
    return (
        _summed_to(gx, ctx.x_shape),
        gangles,
        _of(phases, gphases),
        _of(diagonal, gdiagonal),
        None,
    )


def _jvp_rotate(ctx: Any, *tangents: Any) -> Tensor:
    _, dy = _dual_rotation(ctx.saved_tensors, tangents[:5], ctx.constants)
    return dy


def _dual_rotation(
    values: Sequence[MaybeTensor], tangents: Sequence[MaybeTensor], constants: Sequence[Any]
) -> tuple[Tensor, Tensor]:
    """Call rotate_jvp with the tangents of x and of the parameters, signs last."""
    x, angles, phases, diagonal, signs = values
    dx, dangles, dphases, ddiagonal = tangents[:4]
    y, dy = rotate_jvp(
        x, dx, angles, dangles, phases, dphases, diagonal, ddiagonal, signs, *constants
    )
    return y, dy


def _dual_gradients(
    vectors: Sequence[MaybeTensor],
    values: Sequence[MaybeTensor],
    tangents: Sequence[MaybeTensor],
    constants: Sequence[Any],
) -> Any:
    """Call rotate_vjp_jvp with (y, dy, gy, dgy), the parameters and their tangents."""
    angles, phases, diagonal, signs = values
    dangles, dphases, ddiagonal = tangents[:3]
    return rotate_vjp_jvp(
        *vectors, angles, dangles, phases, dphases, diagonal, ddiagonal, signs, *constants
    )


def _keep_matrix(ctx: Any, args: Sequence[Any], U: Tensor) -> None:
    ctx.save_for_backward(U, *args[:4])


def _backward_matrix(ctx: Any, gU: Tensor) -> tuple[Any, ...]:
    U, *parameters = ctx.saved_tensors
    vjp = _kernels.matrix_vjp if _needs_kernel_only(ctx, gU) else matrix_vjp
    gradients = vjp(U, gU, *parameters, *ctx.constants)
    return *map(_of, parameters, gradients), None


def _jvp_matrix(ctx: Any, *tangents: Any) -> Tensor:
    parameters = ctx.saved_tensors
    (s,) = ctx.constants
    angles = parameters[0]
    identity = torch.eye(
        s.n, s.columns, dtype=matrix_dtype(*parameters[:3]), device=angles.device
    ).reshape(*(1,) * len(batch_shape(*parameters)), s.n, s.columns)
    values = (identity, *parameters)
    _, dU = _dual_rotation(values, (None, *tangents[:4]), (s, -2, False))
    return dU


def _keep_vjp(ctx: Any, args: Sequence[Any], out: Any) -> None:
    ctx.save_for_backward(*args[:6])


def _backward_vjp(
    saved: Sequence[MaybeTensor],
    hx: MaybeTensor,
    h: Sequence[Tensor],
    schedule: Schedule,
    axis: int,
    inverse: bool,
) -> tuple[Any, ...]:
    """Pull cotangents of (gx, *gradients) back to (y, gy, angles, phases, diagonal).

    With phi = <gy, U x>, of which gx and the gradients are the derivatives by x and the parameters,
    the derivative of <hx, gx> + <h, gradients> by gy is the tangent of U x along (hx, h), and that
    by x and the parameters is the tangent of the gradients. x is U^-1 y, which depends on y and on
    the parameters once more.
    """
    y, gy, *parameters = saved
    along = [_of(p, g) for p, g in zip(parameters, h, strict=False)]
    x = rotate(y, *parameters, schedule, axis, not inverse)
    _, dy = _dual_rotation((x, *parameters), (hx, *along), (schedule, axis, inverse))
    out = _dual_gradients((y, dy, gy, None), parameters, along, (schedule, axis, inverse))
    dgx, *dgradients = out[4:]
    through_y, *through_x = rotate_vjp(x, dgx, *parameters, schedule, axis, not inverse)
    sums = [
        None if p is None else a + b
        for p, a, b in zip(parameters, dgradients, through_x, strict=False)
    ]
    return through_y, dy, *sums, None


def _backward_rotate_vjp(ctx: Any, hx: Tensor, *h: Tensor) -> tuple[Any, ...]:
    return _backward_vjp(ctx.saved_tensors, hx, h, *ctx.constants)


def _jvp_rotate_vjp(
    ctx: Any, dy: MaybeTensor, dgy: MaybeTensor, *tangents: Any
) -> tuple[Tensor, ...]:
    y, gy, *parameters = ctx.saved_tensors
    return tuple(_dual_gradients((y, dy, gy, dgy), parameters, tangents, ctx.constants)[4:])


def _backward_matrix_vjp(ctx: Any, *h: Tensor) -> tuple[Any, ...]:
    (schedule,) = ctx.constants
    return _backward_vjp(ctx.saved_tensors, None, h, schedule, -2, False)


def _jvp_matrix_vjp(
    ctx: Any, dU: MaybeTensor, dgU: MaybeTensor, *tangents: Any
) -> tuple[Tensor, ...]:
    U, gU, *parameters = ctx.saved_tensors
    constants = (*ctx.constants, -2, False)
    return tuple(_dual_gradients((U, dU, gU, dgU), parameters, tangents, constants)[5:])


def _keep_rotate_jvp(ctx: Any, args: Sequence[Any], out: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*out, *args[2:9])
    ctx.x_shape = args[0].shape
    ctx.has_dx = args[1] is not None


def _backward_rotate_jvp(ctx: Any, gy: Tensor, gdy: Tensor) -> tuple[Any, ...]:
    y, dy, angles, dangles, phases, dphases, diagonal, ddiagonal, signs = ctx.saved_tensors
    # <gy, y> + <gdy, dy> is the dual part of <gdy + e gy, y + e dy>.
    out = _dual_gradients(
        (y, dy, gdy, gy),
        (angles, phases, diagonal, signs),
        (dangles, dphases, ddiagonal),
        ctx.constants,
    )
    by_tangent, by_value = out[:4], out[4:]
    gradients: list[MaybeTensor] = [_summed_to(by_value[0], ctx.x_shape)]
    gradients.append(_summed_to(by_tangent[0], ctx.x_shape) if ctx.has_dx else None)
    pairs = ((angles, dangles), (phases, dphases), (diagonal, ddiagonal))
    for k, (p, dp) in enumerate(pairs, start=1):
        gradients += [_of(p, by_value[k]), _of(dp, by_tangent[k])]
    return *gradients, None


def _keep_nothing(ctx: Any, args: Sequence[Any], out: Any) -> None:
    pass


def _refused(message: str) -> Callable[..., Any]:
    def refuse(ctx: Any, *args: Any) -> Any:
        raise NotImplementedError(message)

    return refuse


_NO_THIRD_ORDER = _refused("givens.torch has derivatives up to the second order only")
_NO_FORWARD_TWICE = _refused(
    "givens.torch has no forward-mode derivatives of forward-mode derivatives: for second "
    "derivatives take one of reverse mode, torch.func.jacfwd(torch.func.jacrev(f))"
)


# --- The operators ---

matrix = register(
    f"matrix({_PARAMETERS}, str schedule) -> Tensor",
    _kernels.matrix,
    fake=_shapes.matrix,
    vmap=_vmap.matrix,
    keep=_keep_matrix,
    backward=_backward_matrix,
    jvp=_jvp_matrix,
)
matrix_vjp = register(
    f"matrix_vjp(Tensor U, Tensor gU, {_PARAMETERS}, str schedule) -> (Tensor, Tensor, Tensor)",
    _kernels.matrix_vjp,
    fake=_shapes.matrix_vjp,
    vmap=_vmap.matrix_vjp,
    keep=_keep_vjp,
    backward=_backward_matrix_vjp,
    jvp=_jvp_matrix_vjp,
)
rotate = register(
    f"rotate(Tensor x, {_PARAMETERS}, {_ROTATION}) -> Tensor",
    _kernels.rotate,
    fake=_shapes.rotate,
    vmap=_vmap.rotate,
    keep=_keep_rotate,
    backward=_backward_rotate,
    jvp=_jvp_rotate,
)
rotate_vjp = register(
    f"rotate_vjp(Tensor y, Tensor gy, {_PARAMETERS}, {_ROTATION})"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    _kernels.rotate_vjp,
    fake=_shapes.rotate_vjp,
    vmap=_vmap.rotate_vjp,
    keep=_keep_vjp,
    backward=_backward_rotate_vjp,
    jvp=_jvp_rotate_vjp,
)
rotate_jvp = register(
    f"rotate_jvp(Tensor x, Tensor? dx, {_DUAL_PARAMETERS}, {_ROTATION}) -> (Tensor, Tensor)",
    _kernels.rotate_jvp,
    fake=_shapes.rotate_jvp,
    vmap=_vmap.rotate_jvp,
    keep=_keep_rotate_jvp,
    backward=_backward_rotate_jvp,
    jvp=_NO_FORWARD_TWICE,
)
rotate_vjp_jvp = register(
    f"rotate_vjp_jvp(Tensor y, Tensor? dy, Tensor gy, Tensor? dgy, {_DUAL_PARAMETERS},"
    f" {_ROTATION}) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _kernels.rotate_vjp_jvp,
    fake=_shapes.rotate_vjp_jvp,
    vmap=_vmap.rotate_vjp_jvp,
    keep=_keep_nothing,
    backward=_NO_THIRD_ORDER,
    jvp=_NO_THIRD_ORDER,
)
