"""The parametrization `orthogonal`."""

from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import parametrize

from givens import Schedule, decompose
from givens.torch._frames import (
    Parameters,
    check_dtype,
    first_parameters,
    frame,
    is_brickwall,
    schedule_of,
)

Module = TypeVar("Module", bound=nn.Module)


def orthogonal(
    module: Module,
    name: str = "weight",
    *,
    schedule: Schedule | str = "brickwall",
    init: Literal["weight", "small", "identity", "haar"] | None = None,
    flatten: bool | None = None,
) -> Module:
    """Make a weight of a module orthogonal or unitary, whatever an optimiser does to it.

    As with `torch.nn.utils.parametrizations.orthogonal`, a tall matrix gets orthonormal columns, a
    wide one orthonormal rows, leading axes are batches of matrices, and complex weights become
    unitary. The weight is then made from angles, and these are trained.

    Parameters
    ----------
    module : Module
        Changed in place.
    name : str, default "weight"
        The name of a parameter or buffer with two axes or more, in float32, float64, complex64 or
        complex128.
    schedule : Schedule or str, default "brickwall"
        The rotations, on as many coordinates as the longer axis has entries: a schedule, or
        "brickwall", "xor", "circle" or "butterfly". With brickwall the weight can be assigned; with
        xor it is made fastest.
    init : {"weight", "small", "identity", "haar"}, optional
        "weight": the orthogonal factor of the weight's QR decomposition, with the signs that leave
        an orthogonal weight as it is; for brickwall only, where it is the default. The others are
        kinds of `givens.initial_parameters`; "small" is the default for other schedules.
    flatten : bool, optional
        Take a weight as one matrix, with a row for each entry of its first axis and all other axes
        flattened, instead of a batch of matrices. By default, for convolutions.

    Returns
    -------
    Module
        `module`.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of those above, or has no such weight. Later, ValueError if a weight
        is assigned that is not orthogonal, and NotImplementedError if the schedule is not brickwall
        (`givens.decompose` knows no other).

    Notes
    -----
    Cost for an n x m weight: ``2 n**2 m`` multiply-adds with brickwall, and less with a schedule
    that knows columns. ``torch.nn.utils.parametrize.cached()`` keeps the weight.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = givens.torch.orthogonal(torch.nn.Linear(3, 5))
    >>> W = layer.weight
    >>> torch.allclose(W.T @ W, torch.eye(3), atol=1e-5)
    True
    >>> layer.weight = torch.eye(5, 3)
    >>> torch.allclose(layer.weight, torch.eye(5, 3))
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"module must have a tensor {name!r}, got {type(module).__name__}")
    if flatten is None:
        flatten = isinstance(module, _ConvNd)
    made = _Orthogonal(weight, schedule, init, flatten)
    parametrize.register_parametrization(module, name, made)
    return module


class _Orthogonal(nn.Module):
    """Makes a weight from angles (and phases and diagonal), and finds them for a weight."""

    signs: Tensor | None

    def __init__(
        self, weight: Tensor, schedule: Schedule | str, init: str | None, flatten: bool
    ) -> None:
        super().__init__()
        if weight.ndim < 2:
            raise ValueError(
                f"the weight must have at least two axes, got shape {tuple(weight.shape)}"
            )
        check_dtype(weight.dtype)
        self.shape = tuple(weight.shape)
        matrix = weight.flatten(1) if flatten else weight
        self.batch = tuple(matrix.shape[:-2])
        self.rows, self.columns = matrix.shape[-2:]
        n, m = max(self.rows, self.columns), min(self.rows, self.columns)
        self.schedule = schedule_of(schedule, n, m)
        assignable = is_brickwall(self.schedule)
        if init is None:
            init = "weight" if assignable else "small"
        if init == "weight" and not assignable:
            raise ValueError(
                'schedule must be "brickwall" for init="weight", as no other is known to make '
                f"every matrix, got {self.schedule!r}"
            )
        real = not weight.is_complex()
        signs = None
        if assignable and real:
            signs = torch.ones((*self.batch, n), dtype=weight.dtype, device=weight.device)
        self.register_buffer("signs", signs)
        # `right_inverse` returns these when the parametrization is registered.
        self._first: Parameters | None = None
        self._projects = init == "weight"
        if not self._projects:
            self._first = first_parameters(
                self.schedule, init, self.batch, weight.dtype, weight.device
            )

    def forward(
        self, angles: Tensor, phases: Tensor | None = None, diagonal: Tensor | None = None
    ) -> Tensor:
        """Make the weight."""
        m = min(self.rows, self.columns)
        U = frame((angles, phases, diagonal), self.schedule, m, self.signs)
        return (U if self.rows >= self.columns else U.mT).reshape(self.shape)

    @torch.no_grad()
    def right_inverse(self, weight: Tensor) -> Any:
        """Return the parameters that make a weight: angles, or angles, phases and diagonal."""
        if self._first is not None:
            found, self._first = self._first, None
        elif is_brickwall(self.schedule):
            found = self._decomposed(weight)
        else:
            raise NotImplementedError(
                'a weight can be assigned with schedule="brickwall" only, as givens.decompose '
                f"knows no other, got {self.schedule!r}"
            )
        return found[0] if found[1] is None else found

    def _decomposed(self, weight: Tensor) -> Parameters:
        if weight.shape != self.shape:
            raise ValueError(
                f"the weight must have shape {self.shape}, got shape {tuple(weight.shape)}"
            )
        given = weight.reshape(*self.batch, self.rows, self.columns)
        V = (given if self.rows >= self.columns else given.mT).cpu().numpy()
        # Complete V to a square matrix with orthonormal columns, in double precision.
        Q, R = np.linalg.qr(V.astype(np.result_type(V, np.float64)), mode="complete")
        m = V.shape[-1]
        if self._projects:
            corner = np.diagonal(R, axis1=-2, axis2=-1)
            size = np.abs(corner)
            turns = np.divide(corner, size, out=np.ones_like(corner), where=size > 0)
            Q[..., :m] *= turns[..., None, :]
            self._projects = False
        else:
            Q[..., :m] = V
        try:
            found = decompose(Q.astype(V.dtype))
        except ValueError as error:
            raise ValueError(
                "the weight must have orthonormal columns, or rows if it is wide: in the matrix "
                f"completed to a square one, {error}"
            ) from None
        angles, phases, diagonal, signs = (
            None if p is None else torch.from_numpy(p).to(weight.device)
            for p in (found.angles, found.phases, found.diagonal, found.signs)
        )
        if self.signs is not None and signs is not None:
            self.signs.copy_(signs)
        assert angles is not None
        return angles, phases, diagonal

    def extra_repr(self) -> str:
        """Describe the parametrization in its repr."""
        return f"shape={self.shape}, schedule={self.schedule!r}"
