"""The operators under ``torch.func.vmap``: rules that make one call of all of its batch.

Each takes what ``torch.library.register_vmap`` says: information, the axis of every argument (None
for those that have none) and the arguments. It returns results and their axes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from givens.torch._kernels import MaybeTensor


class _Batched:
    """The tensors of one call under vmap, with its axis in front of their own batch axes.

    Parameters
    ----------
    size : int
        The extent of the axis of vmap.
    parameters : list
        Pairs of a parameter and its axis of vmap, each of which may be None.
    """

    def __init__(self, size: int, parameters: Sequence[tuple[MaybeTensor, int | None]]) -> None:
        self.size = size
        # As the function under vmap sees them.
        self.leading = [0 if p is None else p.ndim - 1 - (dim is not None) for p, dim in parameters]
        self.axes = max(self.leading)

    def vectors(self, x: MaybeTensor, dim: int | None) -> MaybeTensor:
        """Return x (V, ...)."""
        if x is None:
            return None
        return x.unsqueeze(0).expand(self.size, *x.shape) if dim is None else x.movedim(dim, 0)

    def parameter(self, p: MaybeTensor, dim: int | None) -> MaybeTensor:
        """Return p (V, *batch, K), with as many batch axes as the parameter that has most."""
        full = self.vectors(p, dim)
        if full is None:
            return None
        missing = self.axes - (full.ndim - 2)
        return full.reshape(self.size, *(1,) * missing, *full.shape[1:])

    def gradient(self, g: Tensor, leading: int) -> Tensor:
        """Return the gradient of a parameter without the axes that `parameter` has put in."""
        if g.ndim == 1:  # of an absent one
            return g.unsqueeze(0).expand(self.size, 0)
        return g.reshape(self.size, *g.shape[1 + self.axes - leading :])

    def gradients(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        return [self.gradient(g, n) for g, n in zip(gradients, self.leading, strict=False)]


Dims = tuple[int | None, ...]
Batched = tuple[Any, Any]


def matrix(info: Any, dims: Dims, *args: Any) -> Batched:
    batched = _Batched(info.batch_size, list(zip(args[:4], dims, strict=False)))
    parameters = map(batched.parameter, args[:4], dims)
    return torch.ops.givens.matrix(*parameters, *args[4:]), 0


def matrix_vjp(info: Any, dims: Dims, *args: Any) -> Batched:
    batched = _Batched(info.batch_size, list(zip(args[2:6], dims[2:], strict=False)))
    vectors = map(batched.vectors, args[:2], dims)
    parameters = map(batched.parameter, args[2:6], dims[2:])
    out = torch.ops.givens.matrix_vjp(*vectors, *parameters, *args[6:])
    return tuple(batched.gradients(out)), (0,) * 3


def rotate(info: Any, dims: Dims, *args: Any) -> Batched:
    batched = _Batched(info.batch_size, list(zip(args[1:5], dims[1:], strict=False)))
    if all(dim is None for dim in dims[1:]):  # more vectors for the same matrices
        x = args[0].movedim(dims[0], batched.axes)
        return torch.ops.givens.rotate(x, *args[1:]), batched.axes
    x = batched.vectors(args[0], dims[0])
    parameters = map(batched.parameter, args[1:5], dims[1:])
    return torch.ops.givens.rotate(x, *parameters, *args[5:]), 0


def rotate_vjp(info: Any, dims: Dims, *args: Any) -> Batched:
    batched = _Batched(info.batch_size, list(zip(args[2:6], dims[2:], strict=False)))
    vectors = map(batched.vectors, args[:2], dims)
    parameters = map(batched.parameter, args[2:6], dims[2:])
    gx, *out = torch.ops.givens.rotate_vjp(*vectors, *parameters, *args[6:])
    return (gx, *batched.gradients(out)), (0,) * 4


def _dual(info: Any, dims: Dims, args: Sequence[Any], vectors: int) -> tuple[_Batched, list[Any]]:
    """Bring the arguments of an operator on dual numbers into their form for all of the batch."""
    values = [vectors, vectors + 2, vectors + 4, vectors + 6]  # angles, phases, diagonal, signs
    batched = _Batched(info.batch_size, [(args[k], dims[k]) for k in values])
    return batched, [
        *map(batched.vectors, args[:vectors], dims),
        *map(batched.parameter, args[vectors : vectors + 7], dims[vectors:]),
        *args[vectors + 7 :],
    ]


def rotate_jvp(info: Any, dims: Dims, *args: Any) -> Batched:
    _, full = _dual(info, dims, args, vectors=2)
    return torch.ops.givens.rotate_jvp(*full), (0, 0)


def rotate_vjp_jvp(info: Any, dims: Dims, *args: Any) -> Batched:
    batched, full = _dual(info, dims, args, vectors=4)
    out = torch.ops.givens.rotate_vjp_jvp(*full)
    results = []
    for part in (out[:4], out[4:]):
        results += [part[0], *batched.gradients(part[1:])]
    return tuple(results), (0,) * 8
