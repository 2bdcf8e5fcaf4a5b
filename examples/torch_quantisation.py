"""Learn a rotation that makes a weight matrix easier to quantise to 4 bits.

Rounding a row to 4 bits errs in proportion to its largest entry. A few large columns, as language
models have, make all rows err. A layer ``y = W x`` is also ``y = (W R) (R^T x)`` for any orthogonal
R, and W R may have no large columns: a Hadamard matrix or a random R spread them over all entries,
and a learned one does so for this W (as QuaRot, arXiv:2404.00456, and SpinQuant, arXiv:2405.16406,
do for whole models). Here R is a Hadamard matrix times a product of rotations, whose angles are
learned.

Needs PyTorch: ``pip install 'givens[torch]'``. Run ``python examples/torch_quantisation.py``, with
``--quick`` for a short form.
"""

import argparse

import torch
from torch import Tensor

import givens.torch


def make_weight(rows: int, columns: int) -> Tensor:
    """Return normally distributed entries, with a few large columns and rows of several sizes."""
    W = torch.randn(rows, columns) * torch.exp(0.3 * torch.randn(rows, 1))
    large = torch.randperm(columns)[: max(columns // 32, 1)]
    W[:, large] *= 20 * torch.rand(len(large)) + 10
    return W


def quantised(W: Tensor) -> Tensor:
    """Round every row to 15 equally spaced values, symmetric about zero."""
    step = W.abs().amax(dim=1, keepdim=True) / 7
    return torch.round(W / step) * step


def error_of(W: Tensor, R: Tensor) -> float:
    """Return the relative error of W as the quantised W R makes it."""
    return float((quantised(W @ R) @ R.T - W).norm() / W.norm())


def hadamard(n: int) -> Tensor:
    """Return Sylvester's Hadamard matrix, scaled to be orthogonal; n is a power of two."""
    H = torch.ones(1, 1)
    while len(H) < n:
        H = torch.cat([torch.cat([H, H], 1), torch.cat([H, -H], 1)])
    return H / n**0.5


def learned(W: Tensor, start: Tensor, steps: int) -> Tensor:
    """Return ``start @ U.T``, U a product of rotations trained for small largest entries."""
    layer = givens.torch.Orthogonal(len(start), schedule="xor", init="identity")
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    rows = W @ start
    rows = rows / rows.norm(dim=1, keepdim=True)
    for step in range(steps):
        # A norm that grows into the largest entry, so that more than one entry has a gradient.
        p = 6 + 24 * step / steps
        loss = layer(rows).norm(p=p, dim=1).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return start @ layer.weight.detach().T


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Run the example, and return the relative errors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small matrix: a few seconds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    rows, n, steps = (48, 64, 200) if options.quick else (512, 512, 600)
    W = make_weight(rows, n)
    H = hadamard(n)
    rotations = {
        "none": torch.eye(n),
        "random": torch.linalg.qr(torch.randn(n, n))[0],
        "Hadamard": H,
        "learned": learned(W, H, steps),
    }
    errors = {name: error_of(W, R) for name, R in rotations.items()}
    print(f"relative error of a {rows} x {n} matrix in 4 bits")
    print("| rotation | error |\n|---|---|")
    for name, error in errors.items():
        print(f"| {name} | {error:.4f} |")
    return errors


if __name__ == "__main__":
    main()
