"""The operators and their derivatives, which are operators again, so that they compose.

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

Gradients follow PyTorch's convention and the library's, ``dL = Re sum(conj(g) dy)``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from givens.torch import _kernels, _rounds, _shapes
from givens.torch._operator import Operator
from givens.torch._shapes import MaybeTensor

# --- Derivatives ---
#
# PyTorch calls the rules for each level of differentiation. It sums the gradients of vectors that
# were repeated along batch axes.


def _keep_rotate(ctx: Any, args: Sequence[Any], y: Tensor) -> None:
    ctx.save_for_backward(y, *args[1:5])


def _backward_rotate(ctx: Any, gy: Tensor) -> tuple[Any, ...]:
    y, *parameters = ctx.saved_tensors
    return *rotate_vjp(y, gy, *parameters, *ctx.constants), None


def _jvp_rotate(ctx: Any, *tangents: Any) -> Tensor:
    _, dy = rotate_jvp(*ctx.saved_tensors, *tangents[:4], *ctx.constants)
    return dy  # type: ignore[no-any-return]


def _keep_matrix(ctx: Any, args: Sequence[Any], U: Tensor) -> None:
    ctx.save_for_backward(U, *args[:4])


def _backward_matrix(ctx: Any, gU: Tensor) -> tuple[Any, ...]:
    U, *parameters = ctx.saved_tensors
    return *matrix_vjp(U, gU, *parameters, *ctx.constants), None


def _jvp_matrix(ctx: Any, *tangents: Any) -> Tensor:
    parameters, (schedule,) = ctx.saved_tensors, ctx.constants
    identity = _shapes.identity(parameters, schedule, schedule.columns)
    _, dU = rotate_jvp(identity, *parameters, None, *tangents[:3], schedule, -2, False)
    return dU  # type: ignore[no-any-return]


def _keep_tensors(ctx: Any, args: Sequence[Any], out: Any) -> None:
    ctx.save_for_backward(*args[:6])
    ctx.set_materialize_grads(False)


def _backward_vjp(
    saved: Sequence[MaybeTensor], hx: MaybeTensor, h: Sequence[MaybeTensor], *constants: Any
) -> tuple[Any, ...]:
    """Pull cotangents of (gx, *gradients) back to (y, gy, angles, phases, diagonal).

    With phi = <gy, U x>, of which gx and the gradients are the derivatives by x and the parameters,
    the derivative of <hx, gx> + <h, gradients> by gy is the tangent of U x along (hx, h), and its
    derivative by x and the parameters is the tangent of the gradients. x is U^-1 y, which depends
    on y and on the parameters once more.
    """
    y, gy, *parameters = saved
    schedule, axis, inverse = constants
    back = (schedule, axis, not inverse)
    along = [None if p is None else hp for p, hp in zip(parameters, h, strict=False)]
    x = rotate(y, *parameters, *back)
    _, dy = rotate_jvp(x, *parameters, hx, *along, *constants)
    dgx, *dgradients = rotate_vjp_jvp(y, gy, *parameters, dy, None, *along, *constants)[4:]
    through_y, *through_x = rotate_vjp(x, dgx, *parameters, *back)
    sums = [
        None if p is None else a + b
        for p, a, b in zip(parameters, dgradients, through_x, strict=False)
    ]
    return through_y, dy, *sums, None


def _backward_rotate_vjp(ctx: Any, hx: MaybeTensor, *h: MaybeTensor) -> tuple[Any, ...]:
    return _backward_vjp(ctx.saved_tensors, hx, h, *ctx.constants)


def _jvp_rotate_vjp(ctx: Any, *tangents: MaybeTensor) -> tuple[Tensor, ...]:
    return rotate_vjp_jvp(*ctx.saved_tensors, *tangents[:5], *ctx.constants)[4:]  # type: ignore[no-any-return]


def _backward_matrix_vjp(ctx: Any, *h: MaybeTensor) -> tuple[Any, ...]:
    return _backward_vjp(ctx.saved_tensors, None, h, *ctx.constants, -2, False)


def _jvp_matrix_vjp(ctx: Any, *tangents: MaybeTensor) -> tuple[Tensor, ...]:
    constants = (*ctx.constants, -2, False)
    return rotate_vjp_jvp(*ctx.saved_tensors, *tangents[:5], *constants)[5:]  # type: ignore[no-any-return]


def _keep_rotate_jvp(ctx: Any, args: Sequence[Any], out: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*out, *args[1:5], *args[6:9])
    ctx.has_tangent = [t is not None for t in args[5:9]]
    ctx.set_materialize_grads(False)


def _backward_rotate_jvp(ctx: Any, gy: MaybeTensor, gdy: MaybeTensor) -> tuple[Any, ...]:
    y, dy, *parameters = ctx.saved_tensors[:6]
    tangents = ctx.saved_tensors[6:]
    gdy = torch.zeros_like(y) if gdy is None else gdy
    # <gy, y> + <gdy, dy> is the dual part of <gdy + e gy, y + e dy>.
    out = rotate_vjp_jvp(y, gdy, *parameters, dy, gy, *tangents, *ctx.constants)
    by_tangent = [g if has else None for g, has in zip(out[:4], ctx.has_tangent, strict=True)]
    return *out[4:], None, *by_tangent


def _keep_nothing(ctx: Any, args: Sequence[Any], out: Any) -> None:
    pass


def _refused(message: str) -> Callable[..., Any]:
    def refuse(*args: Any) -> Any:
        raise NotImplementedError(message)

    return refuse


_NO_THIRD_ORDER = _refused("givens.torch has derivatives up to the second order only")
_NO_FORWARD_TWICE = _refused(
    "givens.torch has no forward-mode derivatives of forward-mode derivatives: for second "
    "derivatives take one of reverse mode, torch.func.jacfwd(torch.func.jacrev(f))"
)


_NOT_COMPILED = _refused(
    "givens.torch has no forward-mode derivatives of derivatives in compiled functions"
)


# --- The operators ---

_PARAMETERS = "Tensor angles, Tensor? phases, Tensor? diagonal, Tensor? signs"
_TANGENTS = "Tensor? dangles, Tensor? dphases, Tensor? ddiagonal"
_ROTATION = "str schedule, int axis, bool inverse"

matrix = Operator(
    f"matrix({_PARAMETERS}, str schedule) -> Tensor",
    _kernels.matrix,
    _shapes.matrix,
    _rounds.matrix,
    parameters=(None,),
    keep=_keep_matrix,
    backward=_backward_matrix,
    jvp=_jvp_matrix,
)
matrix_vjp = Operator(
    f"matrix_vjp(Tensor U, Tensor gU, {_PARAMETERS}, str schedule) -> (Tensor, Tensor, Tensor)",
    _kernels.matrix_vjp,
    _shapes.matrix_vjp,
    _NOT_COMPILED,
    parameters=(0, 1, 2),
    keep=_keep_tensors,
    backward=_backward_matrix_vjp,
    jvp=_jvp_matrix_vjp,
)
rotate = Operator(
    f"rotate(Tensor x, {_PARAMETERS}, {_ROTATION}) -> Tensor",
    _kernels.rotate,
    _shapes.rotate,
    _rounds.rotate,
    parameters=(None,),
    keep=_keep_rotate,
    backward=_backward_rotate,
    jvp=_jvp_rotate,
    takes_16_bits=True,
)
rotate_vjp = Operator(
    f"rotate_vjp(Tensor y, Tensor gy, {_PARAMETERS}, {_ROTATION})"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    _kernels.rotate_vjp,
    _shapes.rotate_vjp,
    _NOT_COMPILED,
    parameters=(None, 0, 1, 2),
    keep=_keep_tensors,
    backward=_backward_rotate_vjp,
    jvp=_jvp_rotate_vjp,
    takes_16_bits=True,
)
rotate_jvp = Operator(
    f"rotate_jvp(Tensor x, {_PARAMETERS}, Tensor? dx, {_TANGENTS}, {_ROTATION})"
    " -> (Tensor, Tensor)",
    _kernels.rotate_jvp,
    _shapes.rotate_jvp,
    _NOT_COMPILED,
    parameters=(None, None),
    keep=_keep_rotate_jvp,
    backward=_backward_rotate_jvp,
    jvp=_NO_FORWARD_TWICE,
)
rotate_vjp_jvp = Operator(
    f"rotate_vjp_jvp(Tensor y, Tensor gy, {_PARAMETERS}, Tensor? dy, Tensor? dgy, {_TANGENTS},"
    f" {_ROTATION}) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
    _kernels.rotate_vjp_jvp,
    _shapes.rotate_vjp_jvp,
    _NOT_COMPILED,
    parameters=(None, 0, 1, 2) * 2,
    keep=_keep_nothing,
    backward=_NO_THIRD_ORDER,
    jvp=_NO_THIRD_ORDER,
)

ALL = {
    "matrix": matrix,
    "rotate": rotate,
    "matrix_vjp": matrix_vjp,
    "rotate_vjp": rotate_vjp,
    "rotate_jvp": rotate_jvp,
    "rotate_vjp_jvp": rotate_vjp_jvp,
}
