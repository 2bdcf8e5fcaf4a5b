"""Modules that stay one node in the graph of `torch.fx`, as PyTorch's own do."""

from typing import Any

from torch import Tensor, nn
from torch.fx import Proxy


def as_leaf(module: nn.Module, *inputs: Any) -> Any:
    """Return what a call of a module is in the graph that is being traced; None outside of one."""
    first = inputs[0]
    if type(first) is Tensor or not isinstance(first, Proxy):
        return None
    tracer: Any = first.tracer
    path = tracer.path_of_module(module)
    return tracer.create_proxy("call_module", path, tuple(i for i in inputs if i is not None), {})
