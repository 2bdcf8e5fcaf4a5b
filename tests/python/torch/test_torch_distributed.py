"""Distributed training: two processes with half of the batch each do what one does with all."""

from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import givens.torch

STEPS = 3


def train(model: nn.Module, x: torch.Tensor, target: torch.Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (model(x) - target).pow(2).mean().backward()
        optimizer.step()


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        givens.torch.Orthogonal(6, compute="rotate", dtype=torch.float64),
        givens.torch.orthogonal(nn.Linear(6, 4, dtype=torch.float64)),
    )


def make_data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(8, n, dtype=torch.float64, generator=generator) for n in (6, 4))  # type: ignore[return-value]


def run(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model = make_model()
    half = slice(4 * rank, 4 * rank + 4)
    train(DistributedDataParallel(model), *(part[half] for part in make_data()))
    if rank == 0:
        torch.save(model.state_dict(), f"{folder}/state")
    dist.destroy_process_group()


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    mp.spawn(run, (str(tmp_path),), nprocs=2)
    model = make_model()
    first = {name: p.clone() for name, p in model.state_dict().items()}
    train(model, *make_data())
    together = torch.load(tmp_path / "state")
    for name, p in model.state_dict().items():
        torch.testing.assert_close(together[name], p)
    assert any(not torch.equal(p, first[name]) for name, p in model.state_dict().items())
