"""What an operator is to PyTorch."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.forward_ad import unpack_dual
from torch.nn import Parameter

from givens.torch._modes import is_in_mode, is_tracing
from givens.torch._precision import SIXTEEN_BITS, is_autocast, widened
from givens.torch._schedules import described, schedule_of

Rule = Callable[..., Any]
Dims = Sequence[int | None]


class Operator:
    """A function of tensors and constants with derivatives, vmap and compilation.

    It is an operator of PyTorch's dispatcher, ``torch.ops.givens``, which compilation, export,
    modes and distributed tensors see. The operator knows reverse mode and vmap; for forward mode
    the definition takes its place. Eager code calls one of two ``autograd.Function``. That for
    plain tensors calls the kernel, which takes less time. That for all other tensors calls the
    operator, and knows forward mode and the transforms of ``torch.func``.

    The arguments are vectors; angles, phases, diagonal and signs; for a function with tangents, the
    tangents of all of these but the signs; and constants: a schedule and, of a rotation, axis and
    inverse. An absent tensor is None. Arithmetic on 16-bit tensors is in single precision, and
    results have the dtype of the vectors, and gradients have the dtype of their parameters. Kernels
    get 16-bit vectors as they are if they take them; all other 16-bit tensors are converted.

    Parameters
    ----------
    signature : str
        Name, arguments and results of the operator, where the schedule is a string.
    kernel : function
        Computes the results without derivatives; the gradient of an absent parameter is None.
    fake : function
        Computes results without numbers.
    definition : function
        Computes the results by PyTorch's operations, for forward mode in compiled code and for
        programs that run without this package.
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
    takes_16_bits : bool
        Whether the kernel takes vectors of 16 bits.

    Attributes
    ----------
    num_vectors, num_tensors : int
        The number of arrays of vectors before the angles, and of tensors before the schedule.
    parameters : sequence
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
        takes_16_bits: bool = False,
    ) -> None:
        name, _, schema = signature.partition("(")
        names = [argument.split()[-1] for argument in schema.split(")")[0].split(",")]
        self.num_vectors = names.index("angles")
        self.num_tensors = names.index("schedule")
        self.parameters = parameters
        # The tensors before this one may have 16 bits where the kernel is called.
        self._num_kept = self.num_vectors if takes_16_bits else 0
        # The profiler shows functions by their names, and their gradients.
        self._is_profiled = len(parameters) == 1
        self._kernel, self._definition = kernel, definition
        num_tensors = self.num_tensors
        no_gradients = (None,) * (len(names) - num_tensors)

        def set_up(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.constants = inputs[num_tensors:]
            keep(ctx, inputs, output)

        def differentiate(ctx: Any, *gradients: Any) -> Any:
            return *backward(ctx, *gradients), *no_gradients

        def forward_plain(ctx: Any, *args: Any) -> Any:
            out = _filled(kernel(*args))
            set_up(ctx, args, out)
            return out

        def set_up_any(ctx: Any, inputs: Any, output: Any) -> None:
            set_up(ctx, inputs, output)
            ctx.save_for_forward(*inputs[:num_tensors])

        def function(methods: dict[str, Rule]) -> Rule:
            methods["backward"] = differentiate
            static = {key: staticmethod(method) for key, method in methods.items()}
            made: Any = type(f"givens::{name}", (Function,), static)
            return made.apply  # type: ignore[no-any-return]

        self._apply_plain = function({"forward": forward_plain})
        self._apply = function(
            {
                "forward": lambda *args: self._dispatched(*args),
                "setup_context": set_up_any,
                "vmap": lambda info, dims, *args: self._batched(self, info, dims, *args),
                "jvp": lambda *args: _filled(jvp(*args)),
            }
        )

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
            lambda info, dims, *args: self._batched(
                self._dispatched, info, dims, *self._with_schedule(args)
            )
        )
        for device in ("cpu", "cuda"):
            self._custom.register_autocast(device, torch.float32)

    def __call__(self, *args: Any, changeable: bool = False) -> Any:
        """Compute the results; the gradient of an absent parameter is None.

        If the result is `changeable`, it is a copy of what derivatives keep, so that the caller may
        change it in place.
        """
        if torch.compiler.is_compiling() or is_tracing():
            return self._traced(*args)
        # Short: this takes as long as rotating by a small matrix. The engines refuse tensors whose
        # memory does not hold their values, and parameters of 16 bits.
        is_recorded = self._is_profiled
        asks = not is_recorded and torch.is_grad_enabled()
        is_first = True
        try:
            for t in args[: self.num_tensors]:
                if t is None:
                    continue
                kind = type(t)
                if kind is not Tensor and kind is not Parameter:
                    break
                t.data_ptr()  # which tensors have not that a transform has made of others
                if is_first:
                    if not (t.is_cpu or t.is_cuda):
                        break
                    if t.dtype in SIXTEEN_BITS and (not self._num_kept or is_autocast(t)):
                        break
                    # Without forward mode there is nothing to unpack.
                    if unpack_dual(t).primal is not t:
                        break
                    is_first = False
                if asks and t.requires_grad:
                    is_recorded = True
            else:
                if not is_in_mode():
                    if not is_recorded:
                        return self._kernel(*args)
                    # It refuses to be called under a transform.
                    out = self._present(args, self._apply_plain(*args))
                    return out.clone() if changeable else out
        except (RuntimeError, TypeError):
            pass  # if it was about the arguments, it is raised again below
        out = self._any(*args)
        return out.clone() if changeable else out

    def _any(self, *args: Any) -> Any:
        """Compute the results of any tensors."""
        for t in args[: self.num_tensors]:
            if t is None:
                continue
            if not isinstance(t, Tensor):  # a proxy of torch.fx
                return self._dispatched(*args)
            if t.dtype in SIXTEEN_BITS and is_autocast(t):
                return self(*map(widened, args))
            if type(t) is Tensor or type(t) is Parameter:
                try:
                    t.data_ptr()
                except RuntimeError:
                    # Functions know torch.func's transforms, and the dispatcher knows the vmap of
                    # batched gradients.
                    if torch.func.debug_unwrap(t) is t:
                        return self._present(args, self._dispatched(*args))
        return self._present(args, self._apply(*args))

    def _traced(self, *args: Any) -> Any:
        """Put the operator, or its definition, into a graph."""
        from givens.torch import _compiled

        k = self.num_tensors
        by_definition = _compiled.is_plain()
        for t in args[:k]:
            # PyTorch would take the tangents of a custom operator for zero, without a word.
            if t is not None and unpack_dual(t).tangent is not None:
                by_definition = True
        if by_definition:
            return self._in_single(self._definition, *args)
        description = _compiled.described(args[k])
        return self._present(args, self._custom(*args[:k], description, *args[k + 1 :]))

    def _present(self, args: Sequence[Any], out: Any) -> Any:
        """Put None in the place of the empty tensors in `_filled`."""
        if len(self.parameters) == 1:
            return out
        first = self.num_vectors
        return tuple(
            None if p is not None and args[first + p] is None else t
            for t, p in zip(out, self.parameters, strict=True)
        )

    def _dispatched(self, *args: Any) -> Any:
        """Call the operator of the dispatcher."""
        if "torch.distributed.tensor" in sys.modules:
            import givens.torch._sharding  # noqa: F401
        k = self.num_tensors
        return self._custom(*args[:k], described(args[k]), *args[k + 1 :])

    def _with_schedule(self, args: Sequence[Any]) -> list[Any]:
        """Replace the description of the schedule in the custom operator's arguments."""
        k = self.num_tensors
        return [*args[:k], schedule_of(args[k]), *args[k + 1 :]]

    def _run(self, *args: Any) -> Any:
        """Call the kernel on tensors whose memory holds their values."""
        for t in args[: self.num_tensors]:
            if t is not None and (t.dtype in SIXTEEN_BITS or t.is_neg() or t.is_conj()):
                return self._in_single(self._kernel, *args, num_kept=self._num_kept)
        return self._kernel(*args)

    def _in_single(self, function: Rule, *args: Any, num_kept: int = 0) -> Any:
        """Compute the results in single precision at least, by the kernel or the definition.

        The first `num_kept` arguments are given as they are.
        """
        first = self.num_vectors
        given = [a.resolve_conj().resolve_neg() if isinstance(a, Tensor) else a for a in args]
        out = function(*given[:num_kept], *map(widened, given[num_kept:]))

        def own(result: Any, parameter: int | None) -> Any:
            like = args[0 if parameter is None else first + parameter]
            # There are no complex numbers of bfloat16.
            return result if result is None or result.is_complex() else result.to(like.dtype)

        if isinstance(out, Tensor):
            return own(out, None)
        return tuple(map(own, out, self.parameters))

    def _batched(self, call: Rule, info: Any, dims: Dims, *args: Any) -> tuple[Any, Any]:
        """Make one call of all calls of a ``vmap``, whose axis becomes the first batch axis.

        Parameters
        ----------
        call : function
            What is called: this operator.
        info, dims, *args
            What ``torch.library.register_vmap`` says: information, the axis of every argument (None
            for one that has none) and the arguments.

        Returns
        -------
        results, dims : tuple
            The results and their axes.
        """
        size, first = info.batch_size, self.num_vectors
        tensors, constants = args[: self.num_tensors], list(args[self.num_tensors :])
        if len(constants) > 1 and constants[1] >= 0:
            # The axis counts from the end, because a batch axis comes first.
            constants[1] -= tensors[0].ndim - (dims[0] is not None)
        parameters = list(zip(tensors[first : first + 4], dims[first:], strict=False))
        # The batch axes of each parameter as the function under vmap sees them.
        leading = [0 if p is None else p.ndim - 1 - (dim is not None) for p, dim in parameters]
        most = max(leading)
        if len(tensors) == 5 and all(dim is None for dim in dims[1:]):
            # `rotate` has more vectors for the same matrices.
            x = tensors[0].movedim(dims[0], most)
            return call(x, *tensors[1:], *constants), most

        def full(k: int) -> Any:
            t, dim = tensors[k], dims[k]
            if t is None:
                return None
            t = t.unsqueeze(0).expand(size, *t.shape) if dim is None else t.movedim(dim, 0)
            is_parameter = 0 <= k - first < 4 or k - first >= 4 + first
            missing = most - (t.ndim - 2) if is_parameter else 0
            return t.reshape(size, *(1,) * missing, *t.shape[1:]) if missing else t

        def own(result: Any, parameter: int | None) -> Any:
            if result is None or args[first + (parameter or 0)] is None:
                return args[first].new_empty(size, 0)
            if parameter is None:
                return result
            return result.reshape(size, *result.shape[1 + most - leading[parameter] :])

        out = call(*map(full, range(self.num_tensors)), *constants)
        if isinstance(out, Tensor):
            return out, 0
        return tuple(map(own, out, self.parameters)), (0,) * len(out)


def _filled(out: Any) -> Any:
    """Put empty tensors in the place of None, which PyTorch does not take as a result."""
    if isinstance(out, Tensor):
        return out
    return tuple(out[0].new_empty(0) if t is None else t for t in out)
