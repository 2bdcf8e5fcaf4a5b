"""What an operator is to PyTorch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.forward_ad import unpack_dual
from torch.nn import Parameter

from givens.torch._schedules import described, schedule_of

Rule = Callable[..., Any]
Dims = Sequence[int | None]


class _Positional(inspect.Signature):
    """A signature of positional arguments alone, which binds them as they are.

    Python's own takes longer to bind them than PyTorch to record the call.
    """

    def bind(self, *args: Any, **_: Any) -> Any:
        return _Bound(args)


class _Bound(NamedTuple):
    """What `inspect.BoundArguments` offers."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = {}  # noqa: RUF012

    def apply_defaults(self) -> None:
        pass


class Operator:
    """A function of tensors and constants with derivatives, vmap and compilation.

    Eager code calls an ``autograd.Function``, which knows both modes of differentiation and the
    transforms of ``torch.func``, or the kernel alone if there is nothing to record. Compilation and
    export see a custom operator, ``torch.ops.givens``, which knows reverse mode and vmap; forward
    mode uses the definition there.

    The arguments are vectors; angles, phases, diagonal and signs; for a function with tangents, the
    tangents of all of these but the signs; and constants: a schedule and, of a rotation, axis
    (negative) and inverse. An absent tensor is None.

    Parameters
    ----------
    signature : str
        Name, arguments and results of the custom operator, where the schedule is a string.
    kernel : function
        Computes the results without derivatives; the gradient of an absent parameter is None.
    fake : function
        Computes results without numbers.
    definition : function
        Computes the results by PyTorch's operations, for forward mode in compiled code.
    parameters : sequence
        For each result: the number of the parameter of which it is the gradient, or None if it is
        an array of vectors.
    keep : function
        Keeps what derivatives need: ``keep(ctx, arguments, results)``. They also find the constants
        in `ctx.constants`.
    backward : function
        Returns the gradients of all tensors: ``backward(ctx, *gradients of the results)``.
    jvp : function
        Returns the tangents of the results: ``jvp(ctx, *tangents of the tensors)``, with the
        tensors in `ctx.saved_tensors`.
    """

    def __init__(
        self,
        signature: str,
        kernel: Rule,
        fake: Rule,
        definition: Rule,
        *,
        parameters: Sequence[int | None],
        keep: Rule,
        backward: Rule,
        jvp: Rule,
    ) -> None:
        name, _, schema = signature.partition("(")
        names = [argument.split()[-1] for argument in schema.split(")")[0].split(",")]
        self._num_vectors = names.index("angles")
        self._num_tensors = names.index("schedule")
        self._parameters = parameters
        self._kernel, self._definition = kernel, definition
        num_tensors, operator = self._num_tensors, self
        no_gradients = (None,) * (len(names) - num_tensors)

        def set_up(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.constants = inputs[num_tensors:]
            keep(ctx, inputs, output)

        def differentiate(ctx: Any, *gradients: Any) -> Any:
            return *backward(ctx, *gradients), *no_gradients

        class Eager(Function):
            @staticmethod
            def forward(*args: Any) -> Any:
                return _filled(operator._run(*args))

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
                set_up(ctx, inputs, output)
                ctx.save_for_forward(*inputs[:num_tensors])

            @staticmethod
            def vmap(info: Any, in_dims: Dims, *args: Any) -> Any:
                return operator._batched(info, in_dims, *args)

        Eager.backward = staticmethod(differentiate)  # type: ignore[method-assign]
        Eager.jvp = staticmethod(lambda *args: _filled(jvp(*args)))  # type: ignore[assignment]
        # `apply` asks for it in every call.
        Eager.forward.__signature__ = _Positional()  # type: ignore[attr-defined]
        self._apply: Rule = Eager.apply

        self._custom = torch.library.custom_op(
            f"givens::{name}",
            lambda *args: _filled(self._run(*self._with_schedule(args))),
            mutates_args=(),
            device_types=("cpu", "cuda"),
            schema=f"({schema}",
        )
        self._custom.register_fake(lambda *args: _filled(fake(*self._with_schedule(args))))
        self._custom.register_autograd(
            differentiate,
            setup_context=lambda ctx, inputs, output: set_up(
                ctx, self._with_schedule(inputs), output
            ),
        )
        self._custom.register_vmap(
            lambda info, dims, *args: self._batched(info, dims, *self._with_schedule(args))
        )

    def __call__(self, *args: Any) -> Any:
        """Compute the results. The gradient of an absent parameter is None or an empty tensor."""
        if torch.compiler.is_compiling():
            # PyTorch would take the tangents of a custom operator for zero, without a word.
            for t in args[: self._num_tensors]:
                if t is not None and unpack_dual(t).tangent is not None:
                    return self._definition(*args)
            return self._dispatched(*args)
        # One short loop: it takes as long as rotating by a small matrix.
        is_recorded, records = False, torch.is_grad_enabled()
        for t in args[: self._num_tensors]:
            if t is None:
                continue
            if (type(t) is not Tensor and type(t) is not Parameter) or not (t.is_cpu or t.is_cuda):
                return self._dispatched(*args)
            try:
                t.data_ptr()
            except RuntimeError:
                # A transform has made t of another tensor. Functions know torch.func's transforms,
                # and PyTorch's dispatcher knows the vmap of batched gradients.
                of_torch_func = torch.func.debug_unwrap(t) is not t
                return self._apply(*args) if of_torch_func else self._dispatched(*args)
            if not is_recorded:
                wants_gradient = records and t.requires_grad
                is_recorded = wants_gradient or unpack_dual(t).tangent is not None
        return self._apply(*args) if is_recorded else self._run(*args)

    def _dispatched(self, *args: Any) -> Any:
        """Call the custom operator."""
        k = self._num_tensors
        return self._custom(*args[:k], described(args[k]), *args[k + 1 :])

    def _with_schedule(self, args: Sequence[Any]) -> list[Any]:
        """Replace the description of the schedule in the custom operator's arguments."""
        k = self._num_tensors
        return [*args[:k], schedule_of(args[k]), *args[k + 1 :]]

    def _run(self, *args: Any) -> Any:
        """Call the kernel on tensors whose memory holds their values."""
        for t in args[: self._num_tensors]:
            if t is not None and (t.is_neg() or t.is_conj()):
                resolved = [
                    a.resolve_conj().resolve_neg() if isinstance(a, Tensor) else a for a in args
                ]
                return self._kernel(*resolved)
        return self._kernel(*args)

    def _batched(self, info: Any, dims: Dims, *args: Any) -> tuple[Any, Any]:
        """Make one call of all calls of a ``vmap``, whose axis becomes the first batch axis.

        Parameters
        ----------
        info, dims, *args
            What ``torch.library.register_vmap`` says: information, the axis of every argument (None
            for one that has none) and the arguments.

        Returns
        -------
        results, dims : tuple
            The results and their axes.
        """
        size, first = info.batch_size, self._num_vectors
        tensors, constants = args[: self._num_tensors], args[self._num_tensors :]
        parameters = list(zip(tensors[first : first + 4], dims[first:], strict=False))
        # The batch axes of each parameter as the function under vmap sees them.
        leading = [0 if p is None else p.ndim - 1 - (dim is not None) for p, dim in parameters]
        most = max(leading)
        if len(tensors) == 5 and all(dim is None for dim in dims[1:]):
            # `rotate` has more vectors for the same matrices.
            x = tensors[0].movedim(dims[0], most)
            return self(x, *tensors[1:], *constants), most

        def full(k: int) -> Any:
            t, dim = tensors[k], dims[k]
            if t is None:
                return None
            t = t.unsqueeze(0).expand(size, *t.shape) if dim is None else t.movedim(dim, 0)
            is_parameter = 0 <= k - first < 4 or k - first >= 4 + first
            missing = most - (t.ndim - 2) if is_parameter else 0
            return t.reshape(size, *(1,) * missing, *t.shape[1:]) if missing else t

        def own(result: Any, parameter: int | None) -> Any:
            if result is None or result.ndim == 1:  # the gradient of an absent parameter
                return args[first].new_empty(size, 0)
            if parameter is None:
                return result
            return result.reshape(size, *result.shape[1 + most - leading[parameter] :])

        out = self(*map(full, range(self._num_tensors)), *constants)
        if isinstance(out, Tensor):
            return out, 0
        return tuple(map(own, out, self._parameters)), (0,) * len(out)


def _filled(out: Any) -> Any:
    """Put empty tensors in the place of None, which PyTorch does not take as a result."""
    if isinstance(out, Tensor):
        return out
    return tuple(out[0].new_empty(0) if t is None else t for t in out)
