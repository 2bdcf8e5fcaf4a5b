"""Layers, parametrizations and adapters in compiled, exported, traced and mapped programs."""

import copy
import io

import pytest
import torch
from torch import nn

from givens.torch import Adapter, Orthogonal, orthogonal

MAKES = {
    "layer": lambda: Orthogonal(8),
    "blocks": lambda: Orthogonal(8, 4, blocks=2, bias=True),
    "base": lambda: Orthogonal(8, base=True, init="haar"),
    "base of a frame": lambda: Orthogonal(8, 3, base=True, init="haar"),
    "complex base": lambda: Orthogonal(8, field="complex", base=True, init="haar"),
    "brickwall": lambda: Orthogonal(8, schedule="brickwall", init="haar"),
    "signs": lambda: Orthogonal(8, signs=[1, -1] * 4),
    "inverse": lambda: Orthogonal(8).inverse(),
    "square": lambda: orthogonal(nn.Linear(8, 8)),
    "tall": lambda: orthogonal(nn.Linear(4, 8)),
    "exact": lambda: orthogonal(nn.Linear(8, 4), base=False),
    "complex": lambda: orthogonal(nn.Linear(4, 8, dtype=torch.complex64)),
    "adapter": lambda: Adapter(nn.Linear(4, 8), blocks=2),
}


def vectors(module: nn.Module, count: int) -> torch.Tensor:
    """Return vectors that a module takes."""
    layer = module.linear if isinstance(module, Adapter) else getattr(module, "layer", module)
    size = layer.in_features if isinstance(layer, nn.Linear) else layer.columns
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, size, dtype=layer.weight.dtype, generator=generator)


@pytest.fixture(params=MAKES.values(), ids=MAKES)
def module(request) -> nn.Module:
    return request.param()


def test_compiled(module: nn.Module) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager", dynamic=True)
    for count in (3, 100):
        x = vectors(module, count)
        gradients = []
        for f in (compiled, module):
            y = f(x)
            used = [p for p in module.parameters() if p.requires_grad]
            gradients.append((y, *torch.autograd.grad(y.abs().pow(3).sum(), used)))
        for a, b in zip(*gradients, strict=True):
            torch.testing.assert_close(a, b)


def test_exported_for_any_number_of_vectors(module: nn.Module) -> None:
    program = torch.export.export(
        module, (vectors(module, 3),), dynamic_shapes=({0: torch.export.Dim("count")},)
    )
    for count in (3, 100):
        x = vectors(module, count)
        torch.testing.assert_close(program.module()(x), module(x))


def test_a_model_is_traced_by_fx(module: nn.Module) -> None:
    traced = torch.fx.symbolic_trace(nn.Sequential(module, nn.Identity()))
    x = vectors(module, 5)
    assert torch.equal(traced(x), module(x))


LAYERS = ["layer", "blocks", "base", "base of a frame", "complex base", "brickwall", "signs"]


@pytest.mark.parametrize("module", [MAKES[name]() for name in LAYERS], ids=LAYERS)
def test_a_layer_is_traced_by_fx(module: nn.Module) -> None:
    traced, back = (torch.fx.symbolic_trace(m) for m in (module, module.inverse()))
    for count in (3, 100):
        x = vectors(module, count)
        y = module(x)
        torch.testing.assert_close(traced(x), y)
        torch.testing.assert_close(back(y), module.inverse(y))


def test_a_module_is_pickled_and_copied(module: nn.Module) -> None:
    x = vectors(module, 5)
    assert torch.equal(copy.deepcopy(module)(x), module(x))
    if not nn.utils.parametrize.is_parametrized(module):  # PyTorch refuses to pickle these
        file = io.BytesIO()
        torch.save(module, file)
        file.seek(0)
        assert torch.equal(torch.load(file, weights_only=False)(x), module(x))


def test_an_ensemble_is_mapped() -> None:
    for make in (MAKES["layer"], MAKES["blocks"], MAKES["base"], MAKES["signs"], MAKES["adapter"]):
        models = [make() for _ in range(3)]
        parameters, buffers = torch.func.stack_module_state(models)
        x = vectors(models[0], 5)
        y = torch.func.vmap(
            lambda p, b, model=models[0], x=x: torch.func.functional_call(model, (p, b), (x,))
        )(parameters, buffers)
        torch.testing.assert_close(y, torch.stack([model(x) for model in models]))
