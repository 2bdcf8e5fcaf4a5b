"""The public functions on arrays in a GPU's memory; `givens._transform` says what they compute.

They take the positional arguments of the functions of `givens._core`, and return the same.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from givens._core import Schedule
from givens._dispatch.gpu_call import Call
from givens._gradients import MatrixGradients, RotateGradients

Shape = tuple[int, ...]

_DIFFERENTIABLE = ("angles", "phases", "diagonal")
_OPTIONS = ("phases", "diagonal", "signs")


def matrix(
    angles: Any,
    schedule: Schedule,
    phases: Any,
    diagonal: Any,
    signs: Any,
    num_threads: object,
    out: Any = None,
) -> Any:
    """Queue `givens.matrix`."""
    _refuse_threads(num_threads)
    with Call(angles=angles, phases=phases, diagonal=diagonal, signs=signs, out=out) as call:
        parameters = (call["angles"], schedule, *call.get(*_OPTIONS))
        dtype = None
        if phases is not None or diagonal is not None:
            dtype = "complex64" if call["angles"].dtype == "float32" else "complex128"
        U = _given_or_new(call, out, call.core.matrix_shape(*parameters), "angles", dtype)
        call.core.matrix(*parameters, call["out"], call.device, call.stream)
    return U


def rotate(
    x: Any,
    angles: Any,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    out: Any,
    phases: Any,
    diagonal: Any,
    signs: Any,
    num_threads: object,
) -> Any:
    """Queue `givens.rotate`."""
    _refuse_threads(num_threads)
    with Call(x=x, angles=angles, phases=phases, diagonal=diagonal, signs=signs, out=out) as call:
        first, options = (call["x"], call["angles"], schedule, axis), call.get(*_OPTIONS)
        y = out
        if out is None:
            y = call.new("out", call.core.rotated_shape(*first, *options), like="x")
        call.core.rotate(*first, inverse, *options, call["out"], call.device, call.stream)
    return y


def rotate_vjp(
    y: Any,
    gy: Any,
    angles: Any,
    schedule: Schedule,
    axis: int,
    inverse: bool,
    phases: Any,
    diagonal: Any,
    signs: Any,
    num_threads: object,
    out: Any = None,
) -> RotateGradients[Any, Any]:
    """Queue `givens.rotate_vjp`."""
    _refuse_threads(num_threads)
    options = {"phases": phases, "diagonal": diagonal, "signs": signs}
    with Call(y=y, gy=gy, angles=angles, **options, out=out) as call:
        gx = _given_or_new(call, out, call["y"].shape, "y")
        gradients = _Gradients(call, call["y"].shape)
        arrays = (call["y"], call["gy"], call["angles"])
        of_rotation = (schedule, axis, inverse, *call.get(*_OPTIONS))
        results = (call["out"], *gradients.held)
        call.core.rotate_vjp(
            *arrays, *of_rotation, gradients.batch, *results, call.device, call.stream
        )
    return RotateGradients(gx, *gradients.summed())


def matrix_vjp(
    U: Any,
    gU: Any,
    angles: Any,
    schedule: Schedule,
    phases: Any,
    diagonal: Any,
    signs: Any,
    num_threads: object,
) -> MatrixGradients[Any]:
    """Queue `givens.matrix_vjp`."""
    _refuse_threads(num_threads)
    with Call(U=U, gU=gU, angles=angles, phases=phases, diagonal=diagonal, signs=signs) as call:
        gradients = _Gradients(call, call["U"].shape)
        arrays = (call["U"], call["gU"], call["angles"])
        call.core.matrix_vjp(
            *arrays,
            schedule,
            *call.get(*_OPTIONS),
            gradients.batch,
            *gradients.held,
            call.device,
            call.stream,
        )
    return MatrixGradients(*gradients.summed())


def _given_or_new(call: Call, out: Any, shape: Shape, like: str, dtype: str | None = None) -> Any:
    """Return the caller's array if there is one, which must have this shape, or a new one."""
    if out is None:
        return call.new("out", shape, like=like, dtype=dtype)
    got = tuple(call["out"].shape)
    if got != tuple(shape):
        raise ValueError(f"out must have shape {tuple(shape)}, got shape {got}")
    return out


def _refuse_threads(num_threads: object) -> None:
    if num_threads is not None:
        raise ValueError(f"num_threads must be None with arrays on a GPU, got {num_threads}")


def _not_on_gpu(function: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise NotImplementedError(
            f"{function} takes arrays in the CPU's memory only, got one in a GPU's memory"
        )

    return refuse


matrix_jvp = _not_on_gpu("matrix_jvp")
rotate_jvp = _not_on_gpu("rotate_jvp")
rotate_vjp_jvp = _not_on_gpu("rotate_vjp_jvp")


# --- Gradients ---
#
# The CUDA engine sums over vectors but not over matrices. Where matrices share parameters, the
# engine reads these with strides of 0, writes a gradient for each matrix, and the library of the
# arrays sums the gradients.


class _Gradients:
    """The arrays for the gradients of one call.

    Parameters
    ----------
    call : Call
        It must hold the parameters.
    vectors : tuple of int
        The shape of the vectors, whose leading axes are the batch axes.

    Attributes
    ----------
    batch : tuple of int or None
        The batch shape to which parameters are repeated; None if each matrix has its own.
    held : list
        For the engine: the new arrays of angles, phases and diagonal, with None for an absent one.
    """

    def __init__(self, call: Call, vectors: Shape) -> None:
        self.call = call
        parameters = call.get(*_DIFFERENTIABLE)
        self.shapes = [None if p is None else p.shape for p in parameters]
        self.batch = self._repeated_batch(vectors)
        self.arrays = [
            None if shape is None else call.new(f"g{name}", self._full(shape), like=name)
            for name, shape in zip(_DIFFERENTIABLE, self.shapes, strict=True)
        ]
        self.held = call.get(*(f"g{name}" for name in _DIFFERENTIABLE))

    def summed(self) -> tuple[Any, ...]:
        """Return the gradients in the shapes of the parameters, with None for an absent one."""
        return tuple(
            None if shape is None else self._summed_to(shape, gradient)
            for shape, gradient in zip(self.shapes, self.arrays, strict=True)
        )

    def _repeated_batch(self, vectors: Shape) -> Shape | None:
        # Shapes that do not fit are left to the engine, which refuses them.
        own = [shape for shape in self.shapes if shape is not None]
        every = own + [signs.shape for signs in self.call.get("signs") if signs is not None]
        if not all(every):
            return None
        batch = vectors[: max(map(len, every)) - 1]
        if all(shape[:-1] == batch for shape in own):
            return None
        return batch if all(_broadcasts(shape[:-1], batch) for shape in every) else None

    def _full(self, shape: Shape) -> Shape:
        return shape if self.batch is None else (*self.batch, shape[-1])

    def _summed_to(self, shape: Shape, gradient: Any) -> Any:
        full = self._full(shape)
        missing = len(full) - len(shape)
        repeated = tuple(d for d, own in enumerate(shape) if own != full[missing + d])
        library = self.call.library
        with library.on(self.call.device):
            if missing:
                gradient = library.sum(gradient, tuple(range(missing)), keepdims=False)
            if repeated:
                gradient = library.sum(gradient, repeated, keepdims=True)
        return gradient


def _broadcasts(shape: Shape, to: Shape) -> bool:
    aligned = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(own in (1, extent) for own, extent in aligned)
