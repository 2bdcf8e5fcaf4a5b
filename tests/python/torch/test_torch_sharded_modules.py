"""Modules that are made without numbers, divided over two processes by FSDP2, and filled there."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from givens.torch import Orthogonal, orthogonal

POLICIES = {
    "single": MixedPrecisionPolicy(),
    "bfloat16": MixedPrecisionPolicy(param_dtype=torch.bfloat16),
}


def make_model() -> nn.Module:
    return nn.Sequential(
        Orthogonal(7, bias=True),
        orthogonal(nn.Linear(7, 5)),
        orthogonal(nn.Linear(5, 5), base=False),
        Orthogonal(5, schedule="wavefront", init="haar"),
        Orthogonal(5, schedule="brickwall", init="haar"),
        Orthogonal(5, base=True, init="haar"),
        orthogonal(nn.Linear(5, 5), schedule="circle"),
    )


def train(model: nn.Module) -> None:
    x = torch.randn(4, 7, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.SGD(model.parameters(), 0.001)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).float().pow(3).sum().backward()
        optimizer.step()


def whole(model: nn.Module) -> dict[str, torch.Tensor]:
    state = model.state_dict()
    return {k: t.full_tensor() if hasattr(t, "full_tensor") else t for k, t in state.items()}


def run(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.set_num_threads(1)
    torch.manual_seed(rank)  # bases are the same nevertheless
    for name, policy in POLICIES.items():
        with torch.device("meta"):
            model = make_model()
        for module in (*model, model):
            fully_shard(module, mesh=init_device_mesh("cpu", (2,)), mp_policy=policy)
        model.to_empty(device="cpu")
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        first = whole(model)
        train(model)
        torch.save((first, whole(model)), f"{folder}/{name}{rank}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sharded")
    mp.spawn(run, (str(path),), nprocs=2)
    return path


@pytest.mark.parametrize("name", POLICIES)
def test_two_processes_train_as_one(folder: Path, name: str) -> None:
    (first, last), (other_first, _) = (torch.load(folder / f"{name}{rank}") for rank in (0, 1))
    for key, t in first.items():
        assert torch.equal(t, other_first[key]), key
    model = make_model()
    model.load_state_dict(first)
    for module in model:
        W = module.weight.detach()
        G = W.mT @ W if W.shape[0] >= W.shape[1] else W @ W.mT
        torch.testing.assert_close(G, torch.eye(len(G)))
    train(model)
    tolerance = {"rtol": 2**-4, "atol": 2**-4} if name == "bfloat16" else {}
    for key, t in model.state_dict().items():
        torch.testing.assert_close(last[key], t, **tolerance)
    assert any(not torch.equal(t, first[key]) for key, t in last.items())
