"""The layer `Orthogonal`."""

from typing import Literal

import torch
from torch import Tensor, nn

from givens import Schedule
from givens.torch._frames import Parameters, check_dtype, first_parameters, frame, schedule_of
from givens.torch._functions import rotate

_FIELDS = ("real", "complex")
_COMPUTE = ("auto", "rotate", "matrix")


class Orthogonal(nn.Module):
    """A linear layer without bias whose weight has orthonormal columns: ``y = x @ weight.T``.

    The weight U is n x columns, orthogonal or unitary if ``columns == n``; x and y have the same
    norm. Gradients go to the angles, from which U is made.

    Parameters
    ----------
    n : int
        The number of outputs.
    columns : int, optional
        The number of inputs, at most n; n by default.
    schedule : Schedule or str, default "xor"
        The rotations: a schedule of n coordinates, or "xor", "circle", "brickwall" or "butterfly".
    init : {"small", "identity", "haar"}, default "small"
        As in `givens.initial_parameters`; "haar" needs the schedule "brickwall".
    field : {"real", "complex"}, default "real"
        Whether U is orthogonal or unitary. Complex layers take complex vectors.
    compute : {"auto", "rotate", "matrix"}, default "auto"
        Rotate the vectors, form U and multiply by it, or do what takes fewer operations for the
        number of vectors: with all pairs rotated once, rotate up to about 2 n vectors.
    device : optional
        The device of the parameters.
    dtype : torch.dtype, optional
        The dtype of the parameters, float32 or float64; PyTorch's default by default.

    Attributes
    ----------
    angles : Parameter, (K,)
        In radians.
    phases, diagonal : Parameter, (K,) and (n,), or None
        In radians; None in a real layer.
    schedule : Schedule

    Raises
    ------
    TypeError, ValueError
        If an argument is none of those above.

    Notes
    -----
    Under autocast the vectors are rotated in float32, or multiplied by U in autocast's dtype. If a
    model is compiled or exported for any number of vectors, "auto" would fix the number: choose
    "rotate" or "matrix" then.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = givens.torch.Orthogonal(6, columns=4)
    >>> layer.weight.shape
    torch.Size([6, 4])
    >>> x = torch.randn(10, 4)
    >>> torch.allclose(layer(x), x @ layer.weight.T, atol=1e-5)
    True
    """

    angles: nn.Parameter
    phases: nn.Parameter | None
    diagonal: nn.Parameter | None

    def __init__(
        self,
        n: int,
        columns: int | None = None,
        *,
        schedule: Schedule | str = "xor",
        init: Literal["small", "identity", "haar"] = "small",
        field: Literal["real", "complex"] = "real",
        compute: Literal["auto", "rotate", "matrix"] = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if field not in _FIELDS:
            raise ValueError(f"field must be one of {', '.join(_FIELDS)}, got {field!r}")
        if compute not in _COMPUTE:
            raise ValueError(f"compute must be one of {', '.join(_COMPUTE)}, got {compute!r}")
        self.n = n
        self.columns = n if columns is None else columns
        self.schedule = schedule_of(schedule, self.n, self.columns)
        self.init = init
        self.field = field
        self.compute = compute
        names = ("angles", "phases", "diagonal")
        for name, value in zip(names, self._first(device, dtype), strict=True):
            self.register_parameter(name, None if value is None else nn.Parameter(value))

    def _first(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> Parameters:
        dtype = dtype or torch.get_default_dtype()
        check_dtype(dtype)
        made = dtype.to_complex() if self.field == "complex" else dtype
        return first_parameters(self.schedule, self.init, (), made, device)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new parameters, as `init` says."""
        parameters = (self.angles, self.phases, self.diagonal)
        for p, value in zip(parameters, self._first(dtype=self.angles.dtype), strict=True):
            if p is not None and value is not None:
                p.copy_(value)

    @property
    def weight(self) -> Tensor:
        """U, (n, columns), formed anew every time."""
        return frame((self.angles, self.phases, self.diagonal), self.schedule, self.columns)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the vectors along the last axis of x, (..., columns), by U: (..., n)."""
        if x.shape[-1] != self.columns:
            raise ValueError(
                f"x must have {self.columns} entries along the last axis, got shape "
                f"{tuple(x.shape)}"
            )
        if not self._rotates(x):
            return nn.functional.linear(x, self.weight)
        if self.columns < self.n:
            x = nn.functional.pad(x, (0, self.n - self.columns))
        if self.field == "real":  # looking up attributes of a module takes time
            return rotate(x, self.angles, self.schedule)
        return rotate(x, self.angles, self.schedule, phases=self.phases, diagonal=self.diagonal)

    def _rotates(self, x: Tensor) -> bool:
        if self.compute != "auto":
            return self.compute == "rotate"
        # This counts multiply-adds of a forward and a backward pass: two for each rotation of a
        # column, in four passes (two states go back), and three matrix products. Forming U takes
        # about 0.7 of the rotations of its columns.
        vectors = x.numel() // max(self.columns, 1)
        rotation = 8 * self.angles.shape[-1]
        product = 3 * self.n * self.columns
        return rotation * (vectors - 0.7 * self.columns) <= product * vectors

    def extra_repr(self) -> str:
        """Describe the layer in its repr."""
        return f"{self.n}, columns={self.columns}, schedule={self.schedule!r}, field={self.field!r}"
