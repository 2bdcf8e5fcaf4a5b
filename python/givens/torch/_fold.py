"""The function `fold`."""

from torch import nn
from torch.nn.utils import parametrize

from givens.torch._adapter import Adapter
from givens.torch._layer import Inverse, Orthogonal
from givens.torch._parametrization import parametrization_of


def fold(model: nn.Module) -> nn.Module:
    """Make a model as fast as one without rotations, for inference and export.

    What has been trained is kept as plain weights: parametrizations of `orthogonal` are removed,
    and what they made becomes the weight; the layers `Orthogonal`, their inverses, and `Adapter`
    become a `torch.nn.Linear`. The model computes the same as before, to rounding, and needs
    `givens` no longer.

    Parameters
    ----------
    model : Module
        Changed in place.

    Returns
    -------
    Module
        `model`, or what it became if it is such a layer itself.

    Notes
    -----
    A layer that occurs in several places becomes one layer in these places. Where further
    parametrizations follow `orthogonal`, the weight is kept as the last of them leaves it.

    Examples
    --------
    >>> import torch, givens.torch
    >>> model = torch.nn.Sequential(
    ...     givens.torch.Orthogonal(4),
    ...     givens.torch.orthogonal(torch.nn.Linear(4, 2)),
    ... )
    >>> x = torch.randn(3, 4)
    >>> y = model(x)
    >>> givens.torch.fold(model)
    Sequential(
      (0): Linear(in_features=4, out_features=4, bias=False)
      (1): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> torch.allclose(model(x), y, atol=1e-5)
    True
    """
    return _folded(model, {})


def _folded(module: nn.Module, done: dict[nn.Module, nn.Module]) -> nn.Module:
    """Return what a module becomes, and remember it in `done`."""
    if module in done:
        return done[module]
    if isinstance(module, Orthogonal | Inverse | Adapter):
        if isinstance(module, Adapter):
            _folded(module.linear, done)
        done[module] = module.fold()
        return done[module]
    done[module] = module
    for name in list(getattr(module, "parametrizations", ())):
        if parametrization_of(module, name) is not None:
            _remove(module, name)
    for name, child in list(module.named_children()):
        made = _folded(child, done)
        if made is not child:
            setattr(module, name, made)
    return module


def _remove(module: nn.Module, name: str) -> None:
    """Leave what a parametrization made, as a parameter if it was made of parameters."""
    originals = list(module.parametrizations[name].parameters(recurse=False))  # type: ignore[index, union-attr]
    parametrize.remove_parametrizations(module, name)
    if originals and name in module._buffers:
        # PyTorch makes a buffer of what requires no gradient, as under `torch.no_grad`.
        value = module._buffers.pop(name)
        assert value is not None
        trained = any(p.requires_grad for p in originals)
        module.register_parameter(name, nn.Parameter(value, requires_grad=trained))
