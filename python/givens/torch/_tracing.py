"""Modules that stay one node in the graph of `torch.fx`, as PyTorch's own do."""

from typing import Any

from torch import Tensor, nn
from torch.fx import Proxy


def as_leaf(module: nn.Module, *inputs: Any) -> Any:
    """Return what a call of a module is in the graph of a model that is being traced, or None."""
    if not is_traced(inputs[0]):
        return None
    tracer: Any = inputs[0].tracer
    path = tracer.path_of_module(module)
    if not path:
        return None  # the module itself is traced
    return tracer.create_proxy("call_module", path, tuple(i for i in inputs if i is not None), {})


def is_traced(x: Any) -> bool:
    """Whether x stands for a tensor in the graph that `torch.fx` traces."""
    return type(x) is not Tensor and isinstance(x, Proxy)
