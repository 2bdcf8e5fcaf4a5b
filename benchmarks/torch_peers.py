"""Other ways from free parameters to an orthogonal matrix, in PyTorch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations


class Peer:
    """Parameters, U from them, and a layer that multiplies rows by U^T."""

    def __init__(self, parameters: Tensor, matrix: Callable[[], Tensor]) -> None:
        self.parameters = parameters
        self.matrix = matrix

    def layer(self, x: Tensor) -> Tensor:
        return x @ self.matrix().mT


class CompactWY(Peer):
    """A product of n Householder reflections, one row of the parameters each: I - V S^-1 V^T."""

    def __init__(self, parameters: Tensor) -> None:
        super().__init__(parameters, self._matrix)

    def factors(self) -> tuple[Tensor, Tensor]:
        V = nn.functional.normalize(self.parameters).mT
        return V, torch.triu(V.mT @ V, 1) + torch.eye(len(V), device=V.device) / 2

    def _matrix(self) -> Tensor:
        V, S = self.factors()
        eye = torch.eye(len(V), device=V.device)
        return eye - V @ torch.linalg.solve_triangular(S, V.mT, upper=True)

    def layer(self, x: Tensor) -> Tensor:
        V, S = self.factors()
        xVS = torch.linalg.solve_triangular(S.mT, x @ V, upper=False, left=False)
        return x - xVS @ V.mT


def cwy(n: int) -> Peer:
    return CompactWY(torch.randn(n, n, requires_grad=True))


def qr(n: int) -> Peer:
    X = torch.randn(n, n, requires_grad=True)
    return Peer(X, lambda: torch.linalg.qr(X).Q)


def householder(n: int) -> Peer:
    linear = nn.Linear(n, n, bias=False)
    return parametrized(parametrizations.orthogonal(linear, orthogonal_map="householder"))


def cayley(n: int) -> Peer:
    linear = nn.Linear(n, n, bias=False)
    return randomized(parametrizations.orthogonal(linear, orthogonal_map="cayley"))


def matrix_exp(n: int) -> Peer:
    linear = nn.Linear(n, n, bias=False)
    return randomized(parametrizations.orthogonal(linear, orthogonal_map="matrix_exp"))


def geotorch_cayley(n: int) -> Peer:
    import geotorch

    linear = nn.Linear(n, n, bias=False)
    geotorch.orthogonal(linear, "weight", triv="cayley")
    return randomized(linear)


def parametrized(linear: Any) -> Peer:
    return Peer(linear.parametrizations.weight.original, lambda: linear.weight)


def randomized(linear: Any) -> Peer:
    """Give the n x n parameters, of which U takes the skew-symmetric part, a variance of 1/n.

    They begin at zero, where these maps cost less than elsewhere.
    """
    nn.init.normal_(linear.parametrizations.weight.original, std=linear.in_features**-0.5)
    return parametrized(linear)
