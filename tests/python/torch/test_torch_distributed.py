"""Distributed training and distributed tensors: two processes do what one does.

What the processes find is compared in one of them, so that a difference fails the test.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

import givens.torch
from givens import Schedule
from givens.torch import Orthogonal, orthogonal
from two_processes import TwoProcesses

STEPS = 3


@pytest.fixture(scope="module")
def in_two_processes(tmp_path_factory) -> Iterator[TwoProcesses]:
    processes = TwoProcesses(lambda: tmp_path_factory.mktemp("processes"))
    yield processes
    processes.stop()


def full(t: torch.Tensor) -> torch.Tensor:
    return t.full_tensor() if isinstance(t, DTensor) else t


# --- Training ------------------------------------------------------------------------------------


def train(model: nn.Module, x: torch.Tensor, target: torch.Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (model(x) - target).pow(2).mean().backward()
        optimizer.step()


def make_model(dtype: torch.dtype = torch.float64) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        givens.torch.Orthogonal(6, compute="rotate", dtype=dtype),
        givens.torch.orthogonal(nn.Linear(6, 4, dtype=dtype)),
        givens.torch.Orthogonal(4, compute="matrix", dtype=dtype),
    )


def make_data(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x, target = (torch.randn(8, n, dtype=dtype, generator=generator) for n in (6, 4))
    return x, target


def half(rank: int, *tensors: torch.Tensor) -> list[torch.Tensor]:
    return [t[4 * rank : 4 * rank + 4] for t in tensors]


def assert_trained_alike(found: nn.Module, expected: nn.Module, **close: float) -> None:
    own = dict(expected.named_parameters())
    for name, p in found.named_parameters():
        torch.testing.assert_close(full(p.detach()), own[name].detach(), **close)


def shard(model: nn.Module, **options) -> nn.Module:
    for layer in model:
        fully_shard(layer, **options)
    fully_shard(model, **options)
    return model


def train_in_two(rank: int) -> None:
    alone = make_model()
    train(alone, *make_data())
    assert any(
        not torch.equal(p, q)
        for p, q in zip(*(m.parameters() for m in (alone, make_model())), strict=True)
    )
    parallel = DistributedDataParallel(make_model())
    train(parallel, *half(rank, *make_data()))
    assert_trained_alike(parallel.module, alone)

    sharded = shard(make_model())
    train(sharded, *half(rank, *make_data()))
    assert_trained_alike(sharded, alone)
    assert all(isinstance(p, DTensor) for p in sharded.parameters())

    # Angles of 16 bits have three digits, and so have the gradients; three steps of 0.1.
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    mixed = shard(make_model(torch.float32), mp_policy=policy)
    train(mixed, *half(rank, *make_data(torch.bfloat16)))
    alone = make_model(torch.float32)
    train(alone, *make_data(torch.float32))
    assert_trained_alike(mixed, alone, rtol=0, atol=0.02)


class WeightOfAnother(nn.Module):
    """Uses the weight of a layer in its own forward."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = make_model()

    def forward(self, x):
        return self.layers[1](x @ self.layers[0].weight) @ self.layers[2].weight.mT


def use_weights_of_other_modules(rank: int) -> None:
    torch.manual_seed(0)
    alone = WeightOfAnother()
    train(alone, *make_data())
    sharded = WeightOfAnother()
    fully_shard(sharded)
    train(sharded, *half(rank, *make_data()))
    assert_trained_alike(sharded, alone)
    # Outside of a forward, the weight of divided angles is one on every process.
    weight = sharded.layers[0].weight
    assert weight.placements == (Replicate(),)
    torch.testing.assert_close(full(weight), alone.layers[0].weight)


def test_two_processes_train_as_one(in_two_processes: TwoProcesses) -> None:
    in_two_processes(train_in_two)


def test_weights_of_other_modules(in_two_processes: TwoProcesses) -> None:
    in_two_processes(use_weights_of_other_modules)


# --- Distributed tensors -------------------------------------------------------------------------

XOR, COLUMNS = Schedule.xor(6), Schedule.circle(6, columns=3)
ONE, FIRST, SECOND = Replicate(), Shard(0), Shard(1)

# The shapes of vectors, angles and phases, how they are divided, and how the result is then; and
# options of `rotate`.
ROTATIONS = {
    "rows": ((4, 6), (15,), None, (FIRST, ONE), FIRST, {}),
    "rows that do not divide evenly": ((5, 6), (15,), None, (FIRST, ONE), FIRST, {}),
    "rows along the second axis": ((2, 4, 6), (15,), None, (SECOND, ONE), SECOND, {}),
    "columns": ((6, 4), (15,), None, (SECOND, ONE), SECOND, {"axis": 0, "inverse": True}),
    "matrices": ((4, 3, 6), (4, 15), None, (FIRST, FIRST), FIRST, {}),
    "rows of several matrices": ((2, 4, 6), (2, 15), None, (SECOND, ONE), SECOND, {}),
    "the second axis of matrices": ((2, 4, 6), (2, 4, 15), None, (SECOND, SECOND), SECOND, {}),
    "matrices that share phases": ((4, 3, 6), (4, 15), (15,), (FIRST, FIRST, ONE), FIRST, {}),
    "matrices that share vectors": ((1, 3, 6), (4, 15), None, (ONE, FIRST), FIRST, {}),
    "nothing": ((4, 6), (15,), (15,), (ONE, ONE, ONE), ONE, {}),
    # These are gathered first.
    "coordinates": ((4, 6), (15,), None, (SECOND, ONE), ONE, {}),
    "angles": ((4, 6), (15,), None, (ONE, FIRST), ONE, {}),
}


def differentiated(f, arguments, order: int) -> list[torch.Tensor]:
    """Compute a result, and its derivatives of first or second order."""
    out = f(*arguments)
    size = out.abs() if out.is_complex() else out
    derivatives = torch.autograd.grad(size.pow(3).sum(), arguments, create_graph=order > 1)
    if order > 1:
        derivatives = torch.autograd.grad(derivatives[1].pow(2).sum(), arguments)
    return [out, *derivatives]


def rotate_divided(rank: int) -> None:
    mesh = init_device_mesh("cpu", (2,))
    for name, (*shapes, placements, result, options) in ROTATIONS.items():
        torch.manual_seed(0)
        dtype = torch.float64 if shapes[2] is None else torch.complex128
        x = torch.randn(shapes[0], dtype=dtype)
        parameters = [torch.randn(shape, dtype=torch.float64) for shape in shapes[1:] if shape]

        def rotate(x, angles, phases=None, options=options):
            return givens.torch.rotate(x, angles, XOR, phases=phases, **options)

        arguments = [t.requires_grad_() for t in (x, *parameters)]
        divided = [
            distribute_tensor(t.detach(), mesh, [p]).requires_grad_()
            for t, p in zip(arguments, placements, strict=True)
        ]
        # Distributed tensors have no second derivatives of a complex number's size.
        for order in (1,) if dtype.is_complex else (1, 2):
            found = differentiated(rotate, divided, order)
            assert found[0].placements == (result,), name
            for a, b in zip(found, differentiated(rotate, arguments, order), strict=True):
                torch.testing.assert_close(full(a), b, msg=lambda m, name=name: f"{name}: {m}")


def form_divided(rank: int) -> None:
    mesh = init_device_mesh("cpu", (2,))
    torch.manual_seed(0)
    for schedule in (XOR, COLUMNS):
        K = schedule.num_rotations
        for shape, placement, result in (
            ((4, K), FIRST, FIRST),
            ((3, 4, K), SECOND, SECOND),
            ((4, K), SECOND, ONE),
            ((K,), FIRST, ONE),
        ):
            angles = torch.randn(shape, dtype=torch.float64).requires_grad_()
            divided = distribute_tensor(angles.detach(), mesh, [placement]).requires_grad_()
            U = givens.torch.matrix(divided, schedule)
            assert U.placements == (result,)
            expected = givens.torch.matrix(angles, schedule)
            gradients = [
                torch.autograd.grad(V.pow(3).sum(), a)
                for V, a in ((U, divided), (expected, angles))
            ]
            for a, b in ((U, expected), *zip(*gradients, strict=True)):
                torch.testing.assert_close(full(a), b)


def compile_divided(rank: int) -> None:
    mesh = init_device_mesh("cpu", (2,))
    torch.manual_seed(0)
    x, angles = torch.randn(4, 6), torch.randn(15)

    def rotate(x, angles):
        return givens.torch.rotate(x, angles, XOR)

    compiled = torch.compile(rotate, backend="aot_eager", fullgraph=True)
    divided = [
        distribute_tensor(t, mesh, [p]).requires_grad_() for t, p in ((x, FIRST), (angles, ONE))
    ]
    whole = [t.requires_grad_() for t in (x, angles)]
    for a, b in zip(
        differentiated(compiled, divided, 1), differentiated(rotate, whole, 1), strict=True
    ):
        torch.testing.assert_close(full(a), b)


@pytest.mark.parametrize("function", [rotate_divided, form_divided, compile_divided])
def test_distributed_tensors(in_two_processes: TwoProcesses, function) -> None:
    in_two_processes(function)


# --- Modules that are made without numbers, divided by FSDP2, and filled there --------------------

POLICIES = {
    "single": MixedPrecisionPolicy(),
    "bfloat16": MixedPrecisionPolicy(param_dtype=torch.bfloat16),
}


def make_all_kinds() -> nn.Module:
    return nn.Sequential(
        Orthogonal(7, bias=True),
        orthogonal(nn.Linear(7, 5)),
        orthogonal(nn.Linear(5, 5), base=False),
        Orthogonal(5, schedule="wavefront", init="haar"),
        Orthogonal(5, schedule="brickwall", init="haar"),
        Orthogonal(5, base=True, init="haar"),
        orthogonal(nn.Linear(5, 5), schedule="circle"),
    )


def train_with_one_batch(model: nn.Module) -> None:
    x = torch.randn(4, 7, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.SGD(model.parameters(), 0.001)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).float().pow(3).sum().backward()
        optimizer.step()


def whole(model: nn.Module) -> dict[str, torch.Tensor]:
    state = model.state_dict()
    return {k: t.full_tensor() if hasattr(t, "full_tensor") else t for k, t in state.items()}


def fill_and_train(rank: int, folder: Path) -> None:
    torch.manual_seed(rank)  # bases are the same nevertheless
    for name, policy in POLICIES.items():
        with torch.device("meta"):
            model = make_all_kinds()
        for module in (*model, model):
            fully_shard(module, mesh=init_device_mesh("cpu", (2,)), mp_policy=policy)
        model.to_empty(device="cpu")
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        first = whole(model)
        train_with_one_batch(model)
        torch.save((first, whole(model)), folder / f"{name}{rank}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, in_two_processes: TwoProcesses) -> Path:
    path = tmp_path_factory.mktemp("sharded")
    in_two_processes(functools.partial(fill_and_train, folder=path))
    return path


@pytest.mark.parametrize("name", POLICIES)
def test_modules_that_are_made_without_numbers(folder: Path, name: str) -> None:
    (first, last), (other_first, _) = (torch.load(folder / f"{name}{rank}") for rank in (0, 1))
    for key, t in first.items():
        assert torch.equal(t, other_first[key]), key
    model = make_all_kinds()
    model.load_state_dict(first)
    for module in model:
        W = module.weight.detach()
        G = W.mT @ W if W.shape[0] >= W.shape[1] else W @ W.mT
        torch.testing.assert_close(G, torch.eye(len(G)))
    train_with_one_batch(model)
    tolerance = {"rtol": 2**-4, "atol": 2**-4} if name == "bfloat16" else {}
    for key, t in model.state_dict().items():
        torch.testing.assert_close(last[key], t, **tolerance)
    assert any(not torch.equal(t, first[key]) for key, t in last.items())
