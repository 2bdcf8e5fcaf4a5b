"""`Adapter` and `fold`."""

import copy

import pytest
import torch
from torch import nn

import givens.torch
from givens.torch import Adapter, Orthogonal, fold, orthogonal


def trained(adapter: Adapter) -> Adapter:
    """Return an adapter after a step of training."""
    optimizer = torch.optim.SGD([p for p in adapter.parameters() if p.requires_grad], 0.5)
    x = torch.randn(4, adapter.linear.in_features, dtype=adapter.linear.weight.dtype)
    adapter(x).abs().pow(3).sum().backward()
    optimizer.step()
    return adapter


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize(("outputs", "blocks", "bias"), [(8, 1, True), (8, 4, False), (6, 3, True)])
def test_adapters_rotate_a_frozen_weight(outputs: int, blocks: int, bias: bool, dtype) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(5, outputs, bias=bias, dtype=dtype)
    plain = copy.deepcopy(linear)
    adapter = Adapter(linear, blocks=blocks)
    tolerance = {"rtol": 2**-6, "atol": 2**-6} if dtype == torch.bfloat16 else {}
    for rows in (2, 100):
        x = torch.randn(rows, 5, dtype=dtype)
        y = adapter(x)
        assert y.dtype == dtype
        torch.testing.assert_close(y, plain(x), **tolerance)  # the identity at first
    trained(adapter)
    assert torch.equal(linear.weight, plain.weight)
    assert all(p.grad is None for p in linear.parameters())
    R = adapter.rotation.weight.detach()
    torch.testing.assert_close(R @ R.mH, torch.eye(outputs, dtype=R.dtype))
    wanted = (R @ plain.weight.to(R.dtype)).to(dtype)
    before = adapter(x)
    assert adapter.merge() is adapter
    torch.testing.assert_close(linear.weight, wanted, **tolerance)
    torch.testing.assert_close(adapter.merge()(x), before, **tolerance)
    adapter.unmerge()
    assert torch.equal(adapter.unmerge().linear.weight, plain.weight)
    torch.testing.assert_close(adapter(x), before)
    merged = fold(nn.Sequential(adapter))
    assert type(merged[0]) is nn.Linear
    torch.testing.assert_close(merged(x), before, **tolerance)


def test_the_state_of_an_adapter() -> None:
    adapter, other = trained(Adapter(nn.Linear(3, 4), blocks=2)), Adapter(nn.Linear(3, 4), blocks=2)
    other.load_state_dict(adapter.state_dict())
    x = torch.randn(2, 3)
    assert torch.equal(other(x), adapter(x))
    before = other.linear.weight.clone()
    with pytest.raises(ValueError, match="an adapter with merged=False, got merged=True"):
        other.load_state_dict(adapter.merge().state_dict())
    assert torch.equal(other.linear.weight, before)
    with pytest.raises(ValueError, match="blocks must divide the numbers of outputs and inputs, 4"):
        Adapter(nn.Linear(3, 4), blocks=3)
    with pytest.raises(TypeError, match=r"linear must have a weight of two axes, .* got ReLU"):
        Adapter(nn.ReLU())


def test_merging_leaves_a_tied_weight_alone() -> None:
    embedding, head = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
    head.weight = embedding.weight
    before = embedding.weight.detach().clone()
    adapter = trained(Adapter(head))
    adapter.merge()
    assert torch.equal(embedding.weight, before)
    assert not torch.equal(head.weight, before)
    adapter.unmerge()
    assert head.weight is embedding.weight


def test_an_adapter_of_a_parametrized_layer() -> None:
    adapter = trained(Adapter(orthogonal(nn.Linear(3, 5))))
    before = adapter.linear.weight.clone()
    x = torch.randn(2, 3)
    y = adapter(x)
    torch.testing.assert_close(adapter.merge()(x), y)
    torch.testing.assert_close(adapter.unmerge().linear.weight, before)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rotation = Orthogonal(4, bias=True)
        self.again = nn.Sequential(self.rotation, nn.Tanh())
        self.back = self.rotation.inverse()
        self.tall = orthogonal(nn.Linear(4, 6))
        self.adapter = Adapter(orthogonal(nn.Linear(6, 6), schedule="circle"), blocks=2)
        self.convolution = orthogonal(nn.Conv1d(1, 2, 3))
        self.plain = nn.utils.parametrizations.weight_norm(nn.Linear(8, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.adapter(self.tall(self.back(self.again(self.rotation(x)))))
        return self.plain(self.convolution(y[:, None]).flatten(1))


@pytest.mark.parametrize("records", [True, False])
def test_fold_bakes_all_of_a_model(records: bool) -> None:
    torch.manual_seed(0)
    model = Model()
    x = torch.randn(3, 4)
    y = model(x).detach()
    with torch.set_grad_enabled(records):
        assert fold(model) is model
    assert not list(model.buffers())
    assert model.tall.weight.requires_grad
    torch.testing.assert_close(model(x), y)
    kinds = {type(m).__module__ for m in model.modules()}
    assert not any(kind.startswith("givens") for kind in kinds)
    assert model.again[0] is model.rotation
    # The parametrizations of others stay.
    assert nn.utils.parametrize.is_parametrized(model.plain)
    assert not nn.utils.parametrize.is_parametrized(model.tall)
    assert type(fold(givens.torch.Orthogonal(3))) is nn.Linear
