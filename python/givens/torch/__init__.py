"""Orthogonal and unitary matrices in PyTorch models.

`rotate` and `matrix` do what `givens.rotate` and `givens.matrix` do, on tensors, with derivatives
of first and second order. `Orthogonal` is a layer, `orthogonal` makes the weight of any module
orthogonal, `Adapter` rotates the outputs of a frozen layer, and `fold` makes plain layers of all
these. All work under ``torch.compile``, ``torch.func``, ``torch.export``, autocast and
distributed training.

The CPU's engine computes on as many threads as both PyTorch and `givens` allow. On a CUDA device
the CUDA engine (`givens.cuda`) computes values and gradients, and PyTorch's own operations, round
by round, forward-mode and second-order derivatives.

Examples
--------
>>> import torch, givens.torch
>>> layer = givens.torch.Orthogonal(8)
>>> x = torch.randn(100, 8)
>>> y = layer(x)
>>> torch.allclose(y.norm(dim=1), x.norm(dim=1), atol=1e-5)
True
>>> y.pow(4).sum().backward()
>>> layer.angles.grad.shape
torch.Size([28])
"""

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "givens.torch needs PyTorch, which is not installed: pip install 'givens[torch]'",
        name="torch",
    ) from None

from givens.torch import _flops as _flops
from givens.torch._adapter import Adapter
from givens.torch._export import plain_operations
from givens.torch._fold import fold
from givens.torch._functions import matrix, rotate
from givens.torch._layer import Orthogonal
from givens.torch._parametrization import orthogonal

__all__ = [
    "Adapter",
    "Orthogonal",
    "fold",
    "matrix",
    "orthogonal",
    "plain_operations",
    "rotate",
]
