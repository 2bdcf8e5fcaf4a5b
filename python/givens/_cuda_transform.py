"""The public functions on arrays in a GPU's memory; `_transform` says what they do."""

from typing import Any

from givens._core import Schedule
from givens._gpu_arrays import Call

Shape = tuple[int, ...]


def matrix(
    angles: Any, schedule: Schedule, phases: Any, diagonal: Any, signs: Any, num_threads: object
) -> Any:
    """Queue `givens.matrix`."""
    _refuse_threads(num_threads)
    with Call(angles=angles, phases=phases, diagonal=diagonal, signs=signs) as call:
        parameters = (call.get("phases"), call.get("diagonal"), call.get("signs"))
        shape = call.core.matrix_shape(call["angles"], schedule, *parameters)
        dtype = None
        if phases is not None or diagonal is not None:
            dtype = "complex64" if call["angles"].dtype == "float32" else "complex128"
        U = call.new("U", shape, like="angles", dtype=dtype)
        call.core.matrix(call["angles"], schedule, *parameters, call["U"], call.device, call.stream)
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
        parameters = (call.get("phases"), call.get("diagonal"), call.get("signs"))
        y = out
        if out is None:
            shape = call.core.rotated_shape(call["x"], call["angles"], schedule, axis, *parameters)
            y = call.new("out", shape, like="x")
        call.core.rotate(
            call["x"],
            call["angles"],
            schedule,
            axis,
            inverse,
            *parameters,
            call["out"],
            call.device,
            call.stream,
        )
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
) -> tuple[Any, ...]:
    """Queue `givens.rotate_vjp`."""
    _refuse_threads(num_threads)
    with Call(y=y, gy=gy, angles=angles, phases=phases, diagonal=diagonal, signs=signs) as call:
        gx = call.new("gx", call["y"].shape, like="y")
        batch = _repeated_batch(call, call["y"].shape)
        gradients = _new_gradients(call, batch)
        call.core.rotate_vjp(
            call["y"],
            call["gy"],
            call["angles"],
            schedule,
            axis,
            inverse,
            call.get("phases"),
            call.get("diagonal"),
            call.get("signs"),
            batch,
            call["gx"],
            call["gangles"],
            call.get("gphases"),
            call.get("gdiagonal"),
            call.device,
            call.stream,
        )
        shapes = {name: call[name].shape for name in gradients}
    return gx, *(_summed(call, g, shapes[name]) for name, g in gradients.items())


def matrix_vjp(
    U: Any,
    gU: Any,
    angles: Any,
    schedule: Schedule,
    phases: Any,
    diagonal: Any,
    signs: Any,
    num_threads: object,
) -> Any:
    """Queue `givens.matrix_vjp`."""
    _refuse_threads(num_threads)
    with Call(U=U, gU=gU, angles=angles, phases=phases, diagonal=diagonal, signs=signs) as call:
        batch = _repeated_batch(call, call["U"].shape)
        gradients = _new_gradients(call, batch)
        call.core.matrix_vjp(
            call["U"],
            call["gU"],
            call["angles"],
            schedule,
            call.get("phases"),
            call.get("diagonal"),
            call.get("signs"),
            batch,
            call["gangles"],
            call.get("gphases"),
            call.get("gdiagonal"),
            call.device,
            call.stream,
        )
        shapes = {name: call[name].shape for name in gradients}
    out = tuple(_summed(call, g, shapes[name]) for name, g in gradients.items())
    return out[0] if len(out) == 1 else out


def _refuse_threads(num_threads: object) -> None:
    if num_threads is not None:
        raise ValueError(f"num_threads must not be given with arrays on a GPU, got {num_threads}")


# --- Gradients ---
#
# The CUDA engine sums over vectors, not over matrices: where matrices share parameters these are
# repeated, with strides of 0, and the library of the arrays sums the gradients.


def _repeated_batch(call: Call, vectors: Shape) -> Shape | None:
    """Return the batch shape to repeat angles, phases and diagonal to, or None for no need.

    None too for shapes that do not fit, which the engine refuses.
    """
    differentiated = [call.get(name) for name in ("angles", "phases", "diagonal")]
    shapes = [p.shape for p in differentiated if p is not None]
    signs = call.get("signs")
    every = shapes if signs is None else [*shapes, signs.shape]
    if not all(every):
        return None
    batch = vectors[: max(map(len, every)) - 1]
    if all(shape[:-1] == batch for shape in shapes):
        return None
    return batch if all(_broadcasts(shape[:-1], batch) for shape in every) else None


def _broadcasts(shape: Shape, to: Shape) -> bool:
    aligned = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(own in (1, extent) for own, extent in aligned)


def _new_gradients(call: Call, batch: Shape | None) -> dict[str, Any]:
    """Make the arrays for the gradients, by the names of their parameters."""
    gradients = {}
    for name in ("angles", "phases", "diagonal"):
        parameter = call.get(name)
        if parameter is not None:
            full = parameter.shape if batch is None else (*batch, parameter.shape[-1])
            gradients[name] = call.new(f"g{name}", full, like=name)
    return gradients


def _summed(call: Call, gradient: Any, shape: Shape) -> Any:
    """Sum a gradient over the axes along which its parameter, of that shape, was repeated."""
    full = tuple(gradient.shape)
    missing = len(full) - len(shape)
    repeated = tuple(d for d, own in enumerate(shape) if own != full[missing + d])
    with call.library.on(call.device):
        if missing:
            gradient = call.library.sum(gradient, tuple(range(missing)), keepdims=False)
        if repeated:
            gradient = call.library.sum(gradient, repeated, keepdims=True)
    return gradient
