"""The layer `Orthogonal`."""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling
from torch.nn.functional import linear, pad

from givens import Schedule
from givens.torch import _base, _operators, _plain
from givens.torch._distributed import beside
from givens.torch._frames import Frame
from givens.torch._functions import rotate
from givens.torch._initial import Parameters
from givens.torch._precision import (
    check_dtype,
    complex_of,
    computed,
    has_numbers,
    is_16_bit,
    is_autocast,
    name,
    widened,
    without_autocast,
)
from givens.torch._schedule_names import exact_name, schedule_of
from givens.torch._state import is_assigned
from givens.torch._tracing import as_leaf, is_traced

_FIELDS = ("real", "complex")
_COMPUTE = ("auto", "rotate", "matrix")
_REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class Orthogonal(Frame):
    """A linear layer whose weight has orthonormal columns: ``y = x @ weight.T + bias``.

    The weight U is n x columns, orthogonal or unitary if ``columns == n``; without a bias, x and y
    have the same norm. Gradients go to the angles, from which U is made.

    Parameters
    ----------
    n : int
        The number of outputs.
    columns : int, optional
        The number of inputs, at most n; n by default.
    schedule : Schedule or str, default "xor"
        The rotations: a schedule of n coordinates, or "xor", "circle", "wavefront", "brickwall" or
        "butterfly".
    init : {"small", "identity", "haar"} or Tensor, default "small"
        As in `givens.initial_parameters`; "haar" needs the schedule "brickwall" or "wavefront", or
        a base. Or a matrix, (n, columns), whose factor Q the weight is at first.
    field : {"real", "complex"}, default "real"
        Whether U is orthogonal or unitary. Complex layers take complex vectors.
    compute : {"auto", "rotate", "matrix"}, default "auto"
        Rotate the vectors, form U and multiply by it, or do what takes fewer operations for the
        number of vectors: with all pairs rotated once, rotate up to about 2 n vectors. It changes
        the speed alone: results agree to rounding.
    bias : bool, default False
        Add a vector of n entries, drawn at first as `torch.nn.Linear` draws its own.
    blocks : int, optional
        Make U block-diagonal, of as many matrices of n / blocks coordinates; a `Schedule`
        that is given is the schedule of one of them.
    signs : sequence of n numbers, optional
        Each +1 or -1: factors of the rows of U, with which its determinant can be -1. Real layers
        without a base only.
    base : bool, optional
        Whether U = B R, where B is the matrix last assigned and R is made of the angles, as in
        `orthogonal`. By default only for a given matrix and a schedule other than "brickwall" and
        "wavefront". A layer without a base can be assigned a weight with these schedules alone.
    device : optional
        The device of the parameters.
    dtype : torch.dtype, optional
        float32, float64, or one of 16 bits, with which the parameters are in float32; PyTorch's
        default by default.

    Attributes
    ----------
    angles : Parameter, (K,) or (blocks, K)
        In radians.
    phases, diagonal : Parameter, (K,) and (n,) or (blocks, K) and (blocks, n / blocks), or None
        In radians; None in a real layer.
    bias : Parameter, (n,), or None
    schedule : Schedule

    Raises
    ------
    TypeError, ValueError
        If an argument is none of those above.

    Notes
    -----
    Vectors of 16 bits are computed with in float32, and so are all under autocast; the result is
    rounded to the dtype of the vectors, or to autocast's. With ``layer.to(torch.bfloat16)`` the
    parameters stay in float32, and `weight` is rounded.

    In an exported program the vectors are rotated, whatever their number, unless `compute` says
    otherwise.

    A state holds the schedule: loading the state of another one raises ValueError. The state of a
    `torch.nn.Linear` can be loaded as well, if a weight can be assigned.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = givens.torch.Orthogonal(6, columns=4)
    >>> layer.weight.shape
    torch.Size([6, 4])
    >>> x = torch.randn(10, 4)
    >>> torch.allclose(layer(x), x @ layer.weight.T, atol=1e-5)
    True
    >>> torch.allclose(layer.inverse(layer(x)), x, atol=1e-5)
    True

    Start from a matrix, and become a layer of PyTorch:

    >>> layer = givens.torch.Orthogonal(3, init=torch.eye(3).flip(0), bias=True)
    >>> layer.weight.tolist()
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    >>> layer.fold()
    Linear(in_features=3, out_features=3, bias=True)
    """

    angles: nn.Parameter
    phases: nn.Parameter | None
    diagonal: nn.Parameter | None
    bias: nn.Parameter | None

    def __init__(
        self,
        n: int,
        columns: int | None = None,
        *,
        schedule: Schedule | str = "xor",
        init: Literal["small", "identity", "haar"] | Tensor = "small",
        field: Literal["real", "complex"] = "real",
        compute: Literal["auto", "rotate", "matrix"] = "auto",
        bias: bool = False,
        blocks: int | None = None,
        signs: Sequence[float] | Tensor | None = None,
        base: bool | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if field not in _FIELDS:
            raise ValueError(f"field must be one of {', '.join(_FIELDS)}, got {field!r}")
        if compute not in _COMPUTE:
            raise ValueError(f"compute must be one of {', '.join(_COMPUTE)}, got {compute!r}")
        columns = n if columns is None else columns
        count = 1 if blocks is None else blocks
        if count < 1 or n % count or columns % count:
            raise ValueError(
                f"blocks must divide the numbers of outputs and inputs, {n} and {columns}, got "
                f"{blocks}"
            )
        height, width = n // count, columns // count
        schedule = schedule_of(schedule, height, width)
        if base is None:
            base = isinstance(init, Tensor) and exact_name(schedule) is None
        super().__init__(
            height,
            width,
            () if blocks is None else (count,),
            schedule,
            has_base=base,
            dtype=_dtype_of_weight(field, dtype),
        )
        self.n = n
        self.columns = columns
        self.blocks = blocks
        self.init = init if not isinstance(init, Tensor) else "haar"
        self.field = field
        self._is_complex = field == "complex"
        self._signs = None if signs is None else self._checked_signs(signs)
        first = self.empty(device)
        if isinstance(init, Tensor):
            first = self.set_to(self._in_blocks(init), first)
        for own, value in zip(("angles", "phases", "diagonal"), first, strict=True):
            self.register_parameter(own, None if value is None else nn.Parameter(value))
        self.has_bias = bias
        made = torch.empty(n, dtype=self._precise(), device=device) if bias else None
        self.register_parameter("bias", None if made is None else nn.Parameter(made))
        self._reset_bias()
        if not isinstance(init, Tensor):
            self.start(self._parameters_of_frame(), init)
        self._most = self._most_to_rotate(compute)
        # How many numbers may come to the short way in `forward`, which only rotates.
        self._most_numbers = -1
        is_square = blocks is None and width == height
        if is_square and not (self.has_base or self._is_complex) and self.signs is None:
            self._most_numbers = sys.maxsize if self._most is None else self._most * columns

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new parameters in place, and the base, as `init` says; "haar" if it was a matrix."""
        self.start(self._parameters_of_frame(), self.init)
        self._reset_bias()

    @property
    def weight(self) -> Tensor:
        """U, (n, columns), formed anew every time. Assigning a matrix takes its factor Q."""
        U = self.rounded(self._form(), self.angles)
        return U if self.blocks is None else torch.block_diag(*U)

    @weight.setter
    def weight(self, W: Tensor) -> None:
        found = self.set_to(self._in_blocks(W), self._parameters_of_frame())
        with torch.no_grad():
            for own, value in zip(self._parameters_of_frame(), found, strict=True):
                if own is not None and value is not None:
                    own.copy_(value)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "weight" and isinstance(value, nn.Parameter):
            value = value.detach()  # PyTorch would register another parameter
        super().__setattr__(attribute, value)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply the vectors along the last axis of x, (..., columns), by U: (..., n)."""
        # The short way: looking up a parameter of a module takes as long as rotating by a small U.
        angles = self._parameters.get("angles")
        if (
            angles is not None  # they are not parametrized
            and type(x) is Tensor
            and not is_compiling()
            and x.dtype == angles.dtype
            and x.numel() <= self._most_numbers
        ):
            y = _plain.rotate(x, angles, self.schedule)
            if y is not None:
                return self._added(y) if self.has_bias else y
        if is_traced(x):
            leaf = as_leaf(self, x)
            return self._graph(x) if leaf is None else leaf  # type: ignore[no-any-return]
        angles = self.angles
        result = self._check(x, self.columns, angles)
        if result != x.dtype or is_16_bit(result):
            with without_autocast(x):
                v = x if result == x.dtype and self._only_rotates(x) else widened(x)
                return self._added(self._compute(v, angles)).to(result)
        y = self._compute(x, angles)
        return self._added(y) if self.has_bias else y

    def inverse(self, y: Tensor | None = None) -> Any:
        """Map vectors back: multiply ``y - bias`` by U^T (U^H if complex).

        Parameters
        ----------
        y : Tensor, (..., n), optional
            Vectors.

        Returns
        -------
        Tensor, (..., columns), or Module
            x with ``layer(x) == y``, or where there is none, as ``columns < n``, that for which it
            is nearest to y. Without vectors, a module that computes this from its input, with the
            parameters of this layer.

        Examples
        --------
        >>> import torch, givens.torch
        >>> layer = givens.torch.Orthogonal(5, bias=True)
        >>> there_and_back = torch.nn.Sequential(layer, layer.inverse())
        >>> x = torch.randn(2, 5)
        >>> torch.allclose(there_and_back(x), x, atol=1e-5)
        True
        """
        if y is None:
            return Inverse(self)
        angles = self.angles
        if is_traced(y):
            return self._graph_back(y)
        result = self._check(y, self.n, angles)
        with without_autocast(y):
            v = y if result == y.dtype and self._only_rotates(y) else widened(y)
            if self.bias is not None:
                v = v - widened(self.bias)
            if self._rotates(y):
                x = self._by_block(lambda v: self._rotated_back(v, angles), v, self.height)
            else:
                U = self._form().conj()
                x = self._by_block(lambda v: v @ U, v, self.height)
        return x.to(result) if result != x.dtype else x.clone()

    def fold(self) -> nn.Linear:
        """Return a `torch.nn.Linear` with this weight and bias, for inference and export."""
        with torch.no_grad():
            return _linear(self.weight, self.bias).train(self.training)

    # --- The two ways to compute -----------------------------------------------------------------

    def _most_to_rotate(self, compute: str) -> int | None:
        """Return up to how many vectors are rotated; None for any number."""
        if compute != "auto":
            return None if compute == "rotate" else -1
        if self.has_base:
            return self.width
        # This counts multiply-adds of a forward and a backward pass: two for each rotation of a
        # column, in four passes (two states go back), and three matrix products. Forming U takes
        # about 0.7 of the rotations of its columns.
        rotation = 8 * self.schedule.num_rotations
        product = 3 * self.height * self.width
        if rotation <= product:
            return None
        return int(0.7 * self.width * rotation / (rotation - product))

    def _rotates(self, x: Tensor) -> bool:
        most = self._most
        if most is None or (most >= 0 and torch.compiler.is_exporting()):
            return True  # the number of vectors that are exported may be unknown
        return x.numel() <= most * x.shape[-1]

    def _only_rotates(self, x: Tensor) -> bool:
        """Whether the rotations give the result: then 16-bit vectors are rounded but once."""
        return self._rotates(x) and not self.has_base and not self.has_bias

    def _compute(self, x: Tensor, angles: Tensor) -> Tensor:
        if self._rotates(x):
            if self.blocks is None:
                return self._rotated(x, angles)
            return self._by_block(lambda v: self._rotated(v, angles), x, self.width)
        U = self._form()
        return self._by_block(lambda v: linear(v, U) if U.ndim == 2 else v @ U.mT, x, self.width)

    def _graph(self, x: Any) -> Any:
        """Record the rotations of any number of vectors in a graph of `torch.fx`."""
        if self.blocks is not None:
            x = x.unflatten(-1, (self.blocks, self.width)).movedim(-2, 0)
        y: Any = self._rotated(x, self.angles)
        if self.blocks is not None:
            y = y.movedim(0, -2).flatten(-2)
        return self._added(y)

    def _graph_back(self, y: Any) -> Any:
        """Record the inverse of `_graph`."""
        if self.bias is not None:
            y = y - self.bias
        if self.blocks is not None:
            y = y.unflatten(-1, (self.blocks, self.height)).movedim(-2, 0)
        x: Any = self._rotated_back(y, self.angles)
        return x if self.blocks is None else x.movedim(0, -2).flatten(-2)

    def _added(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + widened(self.bias)

    def _rotated(self, x: Tensor, angles: Tensor) -> Tensor:
        """Multiply vectors by U, (blocks, vectors, width) if there are blocks."""
        if self.width < self.height:
            x = pad(x, (0, self.height - self.width))
        options: dict[str, Any] = {}
        if self._buffers["signs"] is not None or self._is_complex:
            options = self._options(angles)
        # The caller may change the result in place.
        y: Tensor = _operators.rotate(
            x,
            widened(angles),
            *map(options.get, ("phases", "diagonal", "signs")),
            self.schedule,
            -1,
            False,
            changeable=True,
        )
        if not self.has_base:
            return y
        if self.base is not None:
            return y @ beside(self.base.to(y.dtype), y).mT
        return _base.reflect_rows(self.reflectors_for(y), y)

    def _rotated_back(self, y: Tensor, angles: Tensor) -> Tensor:
        """Multiply vectors by U^H, (blocks, vectors, height) if there are blocks."""
        if self.base is not None:
            y = y @ beside(self.base.to(y.dtype), y).conj()
        elif self.has_base:
            y = _base.reflect_rows_back(self.reflectors_for(y), y)
        options = self._options(angles)
        x = rotate(y, widened(angles), self.schedule, inverse=True, **options)
        return x[..., : self.width]

    def _options(self, angles: Tensor) -> dict[str, Any]:
        return self.options(widened(angles), widened(self.phases), widened(self.diagonal))

    def _by_block(self, f: Callable[[Tensor], Tensor], x: Tensor, size: int) -> Tensor:
        """Apply a function to vectors, (blocks, vectors, size) if there are blocks."""
        if self.blocks is None:
            return f(x)
        y = f(x.reshape(-1, self.blocks, size).movedim(1, 0))
        return y.movedim(0, 1).reshape(*x.shape[:-1], self.blocks * y.shape[-1])

    def _form(self) -> Tensor:
        return self.form((self.angles, self.phases, self.diagonal))

    # --- Arguments -------------------------------------------------------------------------------

    def _check(self, x: Tensor, size: int, angles: Tensor) -> torch.dtype:
        """Return the dtype of the result for these vectors."""
        if x.shape[-1] != size:
            raise ValueError(
                f"x must have {size} entries along the last axis, got shape {tuple(x.shape)}"
            )
        dtype, taken = x.dtype, computed(angles.dtype)
        if self._is_complex:
            taken = complex_of(taken)
        if dtype != taken and not (taken == torch.float32 and is_16_bit(dtype)):
            also = ", bfloat16 or float16" if taken == torch.float32 else ""
            raise TypeError(f"x must be {name(taken)}{also}, got {name(dtype)}")
        if taken == torch.float32 and is_autocast(x):
            return torch.get_autocast_dtype(x.device.type)
        return dtype

    def _parameters_of_frame(self) -> Parameters:
        return self.angles, self.phases, self.diagonal

    def _in_blocks(self, W: Tensor) -> Tensor:
        """Return the blocks on the diagonal of a matrix, which is zero elsewhere."""
        if W.shape != (self.n, self.columns):
            raise ValueError(
                f"the weight must have shape {(self.n, self.columns)}, got shape {tuple(W.shape)}"
            )
        if self.blocks is None:
            return W
        parts = W.reshape(self.blocks, self.height, self.blocks, self.width)
        blocks = parts.diagonal(dim1=0, dim2=2).movedim(-1, 0)
        if has_numbers(W) and W.count_nonzero() != blocks.count_nonzero():
            raise ValueError(
                f"the weight must be block-diagonal, of {self.blocks} blocks, got other entries"
            )
        return blocks

    def _checked_signs(self, signs: Any) -> list[float]:
        if self._is_complex or self.has_base:
            raise ValueError('signs must come with field="real" and without a base')
        values = [float(value) for value in signs]
        if len(values) != self.n or not all(abs(value) == 1 for value in values):
            raise ValueError(f"signs must be {self.n} numbers, each +1 or -1, got {signs}")
        return values

    def _signs_like(self, W: Tensor) -> dict[str, Tensor | None]:
        if self._signs is not None:
            signs = torch.tensor(self._signs, dtype=self._precise(), device=W.device)
            return {"signs": signs.reshape(*self.batch, self.height)}
        return super()._signs_like(W)

    @torch.no_grad()
    def _reset_bias(self) -> None:
        if self.bias is not None:
            bound = 1 / math.sqrt(self.columns) if self.columns else 0
            parts = torch.view_as_real(self.bias) if self.bias.is_complex() else self.bias
            parts.uniform_(-bound, bound)

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], *args: Any
    ) -> None:
        weight = state.pop(f"{prefix}weight", None)
        if weight is not None:
            if is_assigned(metadata):
                check_dtype(weight.dtype)
                self.dtype = weight.dtype
            found, buffers = self.find(self._in_blocks(weight), self.empty(weight.device))
            for own, value in zip(("angles", "phases", "diagonal"), found, strict=True):
                if value is not None:
                    state[prefix + own] = value
            state |= {prefix + own: value for own, value in buffers.items()}
            state[f"{prefix}_extra_state"] = self.get_extra_state()
        self.prepare_to_load(state.get(f"{prefix}_extra_state"), metadata)
        super()._load_from_state_dict(state, prefix, metadata, *args)

    def extra_repr(self) -> str:
        """Describe the layer in its repr."""
        more = "".join(
            f", {what}={value}"
            for what, value in (("blocks", self.blocks), ("bias", self.bias is not None))
            if value
        )
        return (
            f"{self.n}, columns={self.columns}, schedule={self.schedule!r}, field={self.field!r}"
            + more
        )


class Inverse(nn.Module):
    """The inverse of a layer, with its parameters."""

    def __init__(self, layer: Orthogonal) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, y: Tensor) -> Tensor:
        """Map vectors back."""
        leaf = as_leaf(self, y)
        if leaf is not None:
            return leaf  # type: ignore[no-any-return]
        return self.layer.inverse(y)  # type: ignore[no-any-return]

    def inverse(self) -> Orthogonal:
        """Return the layer."""
        return self.layer

    @torch.no_grad()
    def fold(self) -> nn.Linear:
        """Return a `torch.nn.Linear` that computes the same."""
        there = self.layer.fold()
        back, shift = there.weight.mH, there.get_parameter("bias") if self.layer.has_bias else None
        made = _linear(back, None if shift is None else -(back @ shift))
        return made.train(self.training)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Return a layer with copies of weight and bias, in the dtype of the weight."""
    rows, columns = weight.shape
    options: Any = {"device": weight.device, "dtype": weight.dtype}
    made: nn.Linear = nn.utils.skip_init(nn.Linear, columns, rows, bias is not None, **options)
    made.weight.copy_(weight)
    if bias is not None:
        made.bias.copy_(bias)
    return made


def _dtype_of_weight(field: str, dtype: torch.dtype | None) -> torch.dtype:
    dtype = dtype or torch.get_default_dtype()
    if dtype not in _REAL:
        names = ", ".join(map(name, _REAL[:-1]))
        raise TypeError(f"dtype must be {names} or {name(_REAL[-1])}, got {name(dtype)}")
    return dtype if field == "real" else complex_of(computed(dtype))
