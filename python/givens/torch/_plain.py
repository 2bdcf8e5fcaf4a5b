"""A short way to what layers do most: rotate vectors in the CPU's memory by a real matrix.

If the matrix is small, what Python does takes longer than the rotations. An operator looks at all
tensors first (`givens.torch._operator`). Here that is left to the engine, which refuses tensors on
other devices, of other dtypes, and conjugated or negated ones.
"""

from typing import Any

from torch import Tensor, is_autocast_enabled, is_grad_enabled
from torch.autograd import Function
from torch.autograd.forward_ad import unpack_dual
from torch.compiler import is_compiling
from torch.nn import Parameter

from givens import Schedule
from givens._core import rotate as core_rotate
from givens._core import rotate_vjp
from givens.torch import _operators
from givens.torch._kernels import threads_for
from givens.torch._modes import is_in_mode, is_tracing

_REFUSED = (RuntimeError, TypeError, ValueError)


def rotate(x: Tensor, angles: Any, schedule: Schedule) -> Tensor | None:
    """Multiply the vectors along the last axis of x by U.

    x is a Tensor, and of no other class. Derivatives keep a copy of the result, so that the caller
    may change it in place.

    Returns
    -------
    Tensor or None
        None if this is for the operator: under transforms, modes and autocast, for angles of
        another class, and for arguments that the engine refuses.
    """
    if (
        (type(angles) is not Parameter and type(angles) is not Tensor)
        or is_tracing()
        or is_in_mode()
        or is_autocast_enabled("cpu")
    ):
        return None
    try:
        # PyTorch refuses this under a transform, and tensors with tangents.
        y: Tensor = _apply(x, angles, schedule)[0]
    except _REFUSED:
        return None
    return y


def _forward(ctx: Any, x: Tensor, angles: Tensor, schedule: Schedule) -> tuple[Tensor, Tensor]:
    y: Any = core_rotate(x, angles, schedule, -1, False, None, None, None, None, threads_for(x))
    # The copy is a result too, so that second derivatives know how it depends on x and the angles.
    copy = y.clone()
    ctx.save_for_backward(copy, angles)
    ctx.schedule = schedule
    ctx.set_materialize_grads(False)
    return y, copy


def _backward(ctx: Any, gy: Tensor | None, g_copy: Tensor | None) -> tuple[Any, ...]:
    y, angles = ctx.saved_tensors
    if (
        not is_compiling()
        and not is_grad_enabled()
        and g_copy is None
        and type(gy) is type(y) is Tensor
        and not is_in_mode()
    ):
        try:
            gy.data_ptr()  # which tensors have not that a transform has made of others
            if unpack_dual(gy).primal is gy:  # there is no forward mode
                gx, gradient, _, _ = rotate_vjp(
                    y, gy, angles, ctx.schedule, -1, False, None, None, None, threads_for(y)
                )
                return gx, gradient, None
        except _REFUSED:
            pass
    given = [g for g in (gy, g_copy) if g is not None]
    if not given:
        return None, None, None
    gy = sum(given[1:], given[0])
    gradients = _operators.rotate_vjp(y, gy, angles, None, None, None, ctx.schedule, -1, False)
    return *gradients[:2], None


# The profiler shows the name.
_methods = {"forward": staticmethod(_forward), "backward": staticmethod(_backward)}
_apply: Any = type("givens::rotate", (Function,), _methods).apply  # type: ignore[attr-defined]
