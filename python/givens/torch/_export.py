"""Graphs in PyTorch's own operations, for programs that run without `givens`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_is_plain = ContextVar("_is_plain", default=False)


@contextmanager
def plain_operations() -> Iterator[None]:
    """Export `matrix` and `rotate` in PyTorch's own operations instead of as operators.

    In this context `torch.export.export` and `torch.compile` take them apart into rounds, of a
    gather, two products and a sum each. They are slower, but what is made of the program needs no
    `givens` where it runs: a package that is compiled ahead of time, or ONNX. `torch.onnx.export`
    of a module does the same by itself.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = givens.torch.Orthogonal(4, compute="rotate")
    >>> with givens.torch.plain_operations():
    ...     program = torch.export.export(layer, (torch.randn(3, 4),))
    >>> "givens" in str(program.graph)
    False
    """
    token = _is_plain.set(True)
    try:
        yield
    finally:
        _is_plain.reset(token)


def is_plain() -> bool:
    """Whether graphs are in PyTorch's own operations: ONNX knows no others."""
    return _is_plain.get() or ("torch.onnx" in sys.modules and torch.onnx.is_in_onnx_export())
