"""Bases: the matrices B of U = B R, where R is made of rotations.

The base of a square matrix is a matrix. The base of an n x m frame would be n x n, and is kept as
the m Householder reflectors whose product it is, ``B = (I - V T V^H) diag(signs)``, with V n x m
and T m x m (Schreiber and Van Loan, SIAM J. Sci. Stat. Comput. 10, 53 (1989)).
"""

from typing import NamedTuple

import torch
from torch import Tensor


def q_factor(W: Tensor) -> Tensor:
    """Return the factor Q of W = Q R, where R has a positive diagonal.

    If W has orthonormal columns, it is W.

    Parameters
    ----------
    W : Tensor, (..., n, m), m <= n
        In any real or complex dtype that PyTorch can convert to double precision.

    Returns
    -------
    Tensor, (..., n, m)
        In double precision. Where R has a zero on its diagonal, the column is one of those that
        complete the others.
    """
    Q, R = torch.linalg.qr(_double(W))
    turned: Tensor = Q * _turns(R.diagonal(dim1=-2, dim2=-1))[..., None, :]
    return turned


class Reflectors(NamedTuple):
    """A base of frames, in the notation above.

    Attributes
    ----------
    vectors : Tensor, (..., n, m)
        V, lower trapezoidal with ones on the diagonal. A zero column stands for no reflector.
    coupling : Tensor, (..., m, m)
        T, upper triangular.
    signs : Tensor, (..., n)
        Each +1 or -1; real.
    """

    vectors: Tensor
    coupling: Tensor
    signs: Tensor


def reflectors(W: Tensor) -> Reflectors:
    """Find the reflectors of a base whose first columns are `q_factor(W)`, in double precision."""
    n, m = W.shape[-2:]
    A, tau = torch.geqrf(_double(W))
    V = A.tril(-1)
    V.diagonal(dim1=-2, dim2=-1).fill_(1)
    # LAPACK makes no reflector of a column that is zero below the diagonal already.
    V = V * (tau != 0)[..., None, :]
    # With T^-1 = D + (the part of V^H V above the diagonal), D having the inverses of tau (Puglisi,
    # SIAM J. Sci. Stat. Comput. 13, 723 (1992)).
    inverse = (V.mH @ V).triu(1)
    inverse.diagonal(dim1=-2, dim2=-1).copy_(torch.where(tau == 0, 1, 1 / tau))
    eye = torch.eye(m, dtype=V.dtype, device=V.device).expand_as(inverse)
    T = torch.linalg.solve_triangular(inverse, eye, upper=True)
    turns = _turns(A.diagonal(dim1=-2, dim2=-1))
    signs = turns.real if turns.is_complex() else turns  # LAPACK makes this diagonal real
    return Reflectors(V, T, torch.nn.functional.pad(signs, (0, n - m), value=1.0))


def reflect(base: Reflectors, X: Tensor) -> Tensor:
    """Multiply (..., n, k) by ``I - V T V^H``."""
    V = base.vectors
    return X - V @ (base.coupling @ (V.mH @ X))


def reflect_rows(base: Reflectors, x: Tensor) -> Tensor:
    """Multiply vectors along the last axis, (..., n), by ``I - V T V^H``."""
    V = base.vectors
    return x - ((x @ V.conj()) @ base.coupling.mT) @ V.mT


def reflect_rows_back(base: Reflectors, y: Tensor) -> Tensor:
    """Multiply vectors along the last axis, (..., n), by the inverse of ``I - V T V^H``."""
    V = base.vectors
    return y - ((y @ V.conj()) @ base.coupling.conj()) @ V.mT


def _double(W: Tensor) -> Tensor:
    return W.to(torch.complex128 if W.is_complex() else torch.float64)


def _turns(diagonal: Tensor) -> Tensor:
    """Return numbers of absolute value 1, by which R's diagonal is positive."""
    return torch.where(diagonal == 0, 1, diagonal.sgn())
