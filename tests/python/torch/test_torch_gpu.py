"""`givens.torch` on a GPU: the results of the CPU, and CUDA graphs.

These tests run where there are a device, a package built with CUDA, and PyTorch for it; elsewhere
they are skipped: ``pytest -m gpu -rs`` says why.
"""

import pytest
import torch

import givens.cuda
import givens.torch
from givens import Schedule

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def device():
    reason = givens.cuda.unavailable_reason()
    if reason is not None:
        pytest.skip(f"no GPU: {reason}")
    if not torch.cuda.is_available():
        pytest.skip("PyTorch has no GPU here")


def results(x: torch.Tensor, angles: torch.Tensor, schedule: Schedule, device: str):
    """y, and the gradients of sum(y**3)."""
    x, angles = (t.to(device, copy=True).requires_grad_() for t in (x, angles))
    y = givens.torch.rotate(x, angles, schedule) @ givens.torch.matrix(angles, schedule)
    return [t.cpu() for t in (y, *torch.autograd.grad(y.pow(3).sum(), (x, angles)))]


@pytest.mark.parametrize("n", [1, 5, 64, 100])
def test_values_and_gradients_agree_with_the_cpu(n: int) -> None:
    s = Schedule.xor(n)
    x, angles = torch.randn(7, n).double(), torch.randn(s.num_rotations).double()
    for a, b in zip(*(results(x, angles, s, d) for d in ("cpu", "cuda")), strict=True):
        torch.testing.assert_close(a, b)


def test_a_graph_is_captured_and_replayed() -> None:
    layer = givens.torch.Orthogonal(64, compute="rotate", device="cuda")
    x = torch.randn(16, 64, device="cuda", requires_grad=True)
    step = torch.cuda.make_graphed_callables(layer, (x,))
    for _ in range(3):
        x = torch.randn(16, 64, device="cuda", requires_grad=True)
        y = step(x)
        torch.testing.assert_close(y, x @ layer.weight.T)
        (gradient,) = torch.autograd.grad(y.pow(3).sum(), layer.angles)
        (expected,) = torch.autograd.grad((x @ layer.weight.T).pow(3).sum(), layer.angles)
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-3)


def test_forward_mode_and_second_order_agree_with_the_cpu() -> None:
    s = Schedule.circle(5)
    x, angles = torch.randn(3, 5).double(), torch.randn(s.num_rotations).double()

    def hessians(device: str) -> list[torch.Tensor]:
        def loss(angles: torch.Tensor) -> torch.Tensor:
            return givens.torch.rotate(x.to(device), angles, s).pow(3).sum()

        p = angles.to(device)
        orders = (
            torch.func.jacfwd(torch.func.jacrev(loss)),
            torch.func.jacrev(torch.func.jacrev(loss)),
        )
        return [order(p).cpu() for order in orders]

    for a, b in zip(hessians("cuda"), hessians("cpu"), strict=True):
        torch.testing.assert_close(a, b)
