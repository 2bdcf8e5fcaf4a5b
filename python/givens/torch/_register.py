"""How an operator is defined."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._functorch.autograd_function import (  # type: ignore[attr-defined]
    enable_single_level_autograd_function,
)
from torch.autograd import forward_ad
from torch.autograd.function import _SingleLevelFunction
from torch.nn import Parameter

from givens.torch._kernels import MaybeTensor
from givens.torch._schedules import described, schedule_of

_LIBRARY = torch.library.Library("givens", "DEF")

# What PyTorch's dispatcher does besides, in a thread where no mode and no transform is at work.
_modes_and_transforms = torch._C._dispatch_tls_local_include_set
_NONE = _modes_and_transforms().raw_repr()


def is_plain(tensors: Sequence[MaybeTensor]) -> bool:
    """Whether an operator on these would do nothing but differentiate and call the CPU's kernel."""
    for t in tensors:
        if t is None:
            continue
        if type(t) is not Tensor and type(t) is not Parameter:
            return False
        if t.is_neg() or t.is_conj():  # the dispatcher makes copies of such
            return False
    first = tensors[0]
    return (
        first is not None
        and first.is_cpu
        and forward_ad._current_level < 0
        and _modes_and_transforms().raw_repr() == _NONE
        and not torch.is_autocast_enabled("cpu")
    )


def _filled(out: Sequence[MaybeTensor]) -> tuple[Tensor, ...]:
    """Put empty tensors in the place of None, which no operator can return."""
    full: list[Tensor] = []
    for t in out:
        full.append(full[-1].new_empty(0) if t is None else t)
    return tuple(full)


_AFTER_AUTOGRAD = torch._C._after_autograd_keyset


def register(
    signature: str,
    kernel: Callable[..., Any],
    *,
    fake: Callable[..., Any],
    vmap: Callable[..., Any],
    keep: Callable[[Any, Sequence[Any], Any], None],
    backward: Callable[..., Any],
    jvp: Callable[..., Any],
) -> Callable[..., Any]:
    """Define an operator with all that PyTorch asks of one, and return a function that calls it.

    ``torch.library.register_autograd`` knows neither forward mode nor ``torch.func``; so this
    registers for autograd what it would, with a rule for forward mode, and says that it is meant
    for one level of differentiation, as kernels of autograd are.

    The function, as the kernel, takes a Schedule where the operator takes its description. It
    leaves the dispatcher out where that would only call what is written here: it takes as long as
    rotating by a small matrix. Then gradients of absent parameters are None.
    """
    name = signature.partition("(")[0]
    _LIBRARY.define(signature, tags=(torch.Tag.pt2_compliant_tag,))
    operator: Any = getattr(torch.ops.givens, name).default
    # The schedule is the first of the constants, which come after the tensors.
    first = [a.name for a in operator._schema.arguments].index("schedule")
    no_gradients = (None,) * (len(operator._schema.arguments) - first)

    def kernel_of_operator(*args: Any) -> Any:
        tensors = [t if t is None else t.detach() for t in args[:first]]
        out = kernel(*tensors, schedule_of(args[first]), *args[first + 1 :])
        return _filled(out) if isinstance(out, tuple) else out

    for device in ("CPU", "CUDA"):
        _LIBRARY.impl(name, kernel_of_operator, device)
    torch.library.register_fake(f"givens::{name}", fake, lib=_LIBRARY)
    torch.library.register_vmap(f"givens::{name}", vmap, lib=_LIBRARY)
    for device in ("cpu", "cuda"):
        torch.library.register_autocast(f"givens::{name}", device, torch.float32, lib=_LIBRARY)

    def below_autograd(keys: Any, args: Sequence[Any]) -> Any:
        rest = keys & _AFTER_AUTOGRAD
        with torch._C._AutoDispatchBelowAutograd():
            return operator.redispatch(rest, *args)

    class Plain(_SingleLevelFunction):
        """The kernel, where `is_plain`."""

        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            out = kernel(*args)
            ctx.is_plain = True
            ctx.constants = args[first:]
            keep(ctx, args, out)
            return out

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return *backward(ctx, *gradients), *no_gradients

    class Differentiated(_SingleLevelFunction):
        """The operator, after the dispatcher has come to differentiation."""

        @staticmethod
        def forward(ctx: Any, keys: Any, *args: Any) -> Any:
            if torch._C._are_functorch_transforms_active():
                # Differentiation is off in here, for this level; not for those around it.
                with torch.enable_grad(), forward_ad._set_fwd_grad_enabled(True):
                    out = below_autograd(keys, args)
            else:
                out = below_autograd(keys, args)
            ctx.is_plain = False
            ctx.constants = (schedule_of(args[first]), *args[first + 1 :])
            keep(ctx, args, out)
            if forward_ad._current_level >= 0:
                ctx.save_for_forward(*args[:first])
            return out

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return None, *backward(ctx, *gradients), *no_gradients

        @staticmethod
        def jvp(ctx: Any, keys: Any, *tangents: Any) -> Any:
            return jvp(ctx, *tangents)

    differentiated = Differentiated.apply  # type: ignore[attr-defined]
    plain = Plain.apply  # type: ignore[attr-defined]

    def autograd(keys: Any, *args: Any) -> Any:
        reverse = torch.is_grad_enabled() and torch._C._any_requires_grad(*args)
        if not reverse and forward_ad._current_level < 0:
            return below_autograd(keys, args)
        if torch._C._are_functorch_transforms_active():
            with enable_single_level_autograd_function():
                return differentiated(keys, *args)
        return differentiated(keys, *args)

    _LIBRARY.impl(name, autograd, "Autograd", with_keyset=True)

    def call(*args: Any) -> Any:
        if torch.compiler.is_compiling() or not is_plain(args[:first]):
            return operator(*args[:first], described(args[first]), *args[first + 1 :])
        if torch.is_grad_enabled() and torch._C._any_requires_grad(*args):
            return plain(*args)
        return kernel(*args)

    return call
