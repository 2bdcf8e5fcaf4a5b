"""What the layer and the parametrization share: how matrices are made from parameters, and back."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from givens import Schedule
from givens.torch import _base, _state
from givens.torch._distributed import beside, common
from givens.torch._functions import matrix, rotate
from givens.torch._initial import Parameters, check_kind, decompose_tensor, fill
from givens.torch._precision import (
    check_dtype,
    complex_of,
    converted_dtype,
    has_numbers,
    is_16_bit,
    keeping_precision,
    name,
    real,
    widened,
    without_autocast,
)
from givens.torch._schedule_names import exact_name, schedule_of
from givens.torch._shapes import identity

_PARAMETERS = ("angles", "phases", "diagonal")


class Frame(nn.Module):
    """A module that makes matrices with orthonormal columns, U = B R, from parameters of R.

    It holds what is not trained, as buffers: the base B, or signs. Without a base, U is R, or its
    rows times the signs. Its own parameters, if it has any, and its buffers keep single precision
    when it is converted to 16 bits; `dtype` tells to what U is rounded then.

    Parameters
    ----------
    height, width : int
        n and m: U is n x m, m <= n.
    batch : tuple of int
        The batch shape of U.
    schedule : Schedule or str
        The rotations of R, which is n x n, or has its first columns.
    has_base : bool
        Whether there is a base.
    dtype : torch.dtype
        The dtype of U, complex if it is unitary.

    Attributes
    ----------
    base : Tensor (*batch, n, n), or None
        B, if m = n.
    reflectors, coupling, signs : Tensor (*batch, n, m), (*batch, m, m), (*batch, n), or None
        B, if m < n, as in `givens.torch._base`. Without a base, signs are factors of the rows.
    """

    base: Tensor | None
    reflectors: Tensor | None
    coupling: Tensor | None
    signs: Tensor | None

    def __init__(
        self,
        height: int,
        width: int,
        batch: tuple[int, ...],
        schedule: Schedule | str,
        *,
        has_base: bool,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        check_dtype(dtype)
        self.height = height
        self.width = width
        self.batch = batch
        self.schedule = schedule_of(schedule, height, width)
        self.has_base = has_base
        self.dtype = dtype
        for buffer in ("base", "reflectors", "coupling", "signs"):
            self.register_buffer(buffer, None)

    @property
    def can_be_assigned(self) -> bool:
        """Whether there are parameters for every matrix."""
        return self.has_base or exact_name(self.schedule) is not None

    def empty(self, device: Any) -> Parameters:
        """Return parameters without values."""
        shapes = (self.schedule.num_rotations, self.schedule.num_rotations, self.height)
        count = 3 if self.dtype.is_complex else 1
        angles, *rest = (
            torch.empty((*self.batch, k), dtype=real(self.dtype), device=device)
            for k in shapes[:count]
        )
        phases, diagonal = rest or (None, None)
        return angles, phases, diagonal

    @torch.no_grad()
    def start(self, parameters: Parameters, init: str) -> None:
        """Draw parameters in place, and the base, as `init` says."""
        check_kind(init, self.schedule, self.has_base)
        angles = parameters[0]
        if not self.has_base:
            self._set(self._signs_like(angles))
            fill(parameters, init, self.schedule)
            return
        shape = (*self.batch, self.height, self.width)
        options: dict[str, Any] = {"dtype": self._precise(), "device": angles.device}
        if init == "haar":
            base = self._base_of(torch.randn(shape, **options))
            self._set({own: None if t is None else common(t, angles) for own, t in base.items()})
            self._fill_with_zero(parameters)
        else:
            self._set(self._base_of(torch.eye(*shape[-2:], **options).expand(shape)))
            fill(parameters, init, self.schedule)

    @torch.no_grad()
    def set_to(self, W: Tensor, parameters: Parameters) -> Parameters:
        """Keep what makes the factor Q of a matrix, W = Q R, and return its parameters."""
        found, buffers = self.find(W, parameters)
        self._set(buffers)
        return found

    @torch.no_grad()
    def find(
        self, W: Tensor, parameters: Parameters
    ) -> tuple[Parameters, dict[str, Tensor | None]]:
        """Find the parameters and buffers that make the factor Q of a matrix, W = Q R.

        Parameters
        ----------
        W : Tensor (*batch, n, m)
            Any matrix.
        parameters : Parameters
            The parameters that are returned have their shapes, dtype and device.

        Raises
        ------
        NotImplementedError
            If there is no base, and `givens.decompose` does not know the schedule.
        TypeError, ValueError
            If W is real where U is complex or the reverse, or is not finite.
        """
        if not self.can_be_assigned:
            raise NotImplementedError(
                "a matrix can be assigned if there is a base (base=True), or with the schedules "
                f'"brickwall" and "wavefront", whose angles are known, got {self.schedule!r}'
            )
        if W.is_complex() != self.dtype.is_complex:
            kind = "complex" if self.dtype.is_complex else "real"
            raise TypeError(f"the weight must be {kind}, got {name(W.dtype)}")
        angles = parameters[0]
        W = W.detach().to(angles.device)
        if not has_numbers(W) or not has_numbers(angles):
            made: Any = tuple(None if p is None else torch.empty_like(p) for p in parameters)
            return made, self._base_of(W) if self.has_base else self._signs_like(W)
        if not W.isfinite().all():
            raise ValueError("the weight must be finite")
        if self.has_base:
            made = tuple(None if p is None else torch.empty_like(p) for p in parameters)
            self._fill_with_zero(made)
            return made, self._base_of(W)
        Q = _base.q_factor(W)
        if self.schedule.columns == self.height > self.width:
            complete = torch.linalg.qr(Q, mode="complete")[0]
            Q = torch.cat([Q, complete[..., self.width :]], dim=-1)
        *values, signs = decompose_tensor(Q, self.schedule)
        made = tuple(
            None if p is None or v is None else v.to(p)
            for p, v in zip(parameters, values, strict=True)
        )
        kept = self._signs_like(W)
        if signs is not None and kept:
            kept["signs"] = signs.to(angles)
        return made, kept

    def form(self, parameters: Parameters) -> Tensor:
        """Make U, (*batch, n, m), in the precision in which it is computed."""
        angles, phases, diagonal = map(widened, parameters)
        with without_autocast(angles):
            if self.base is not None:
                # (B R)^T = R^T B^T, and the transpose of R is the inverse of its conjugate.
                return rotate(
                    beside(self.base.to(_dtype_of_matrix(angles, phases)), angles),
                    angles,
                    self.schedule,
                    inverse=True,
                    phases=None if phases is None else -phases,
                    diagonal=None if diagonal is None else -diagonal,
                )
            options = self.options(angles, phases, diagonal)
            if self.schedule.columns == self.width:
                U = matrix(angles, self.schedule, **options)
            else:  # the schedule makes all n columns
                tensors = (angles, phases, diagonal, options.get("signs"))
                eye = beside(identity(tensors, self.schedule, self.width), angles)
                U = rotate(eye, angles, self.schedule, axis=-2, **options)
            return _base.reflect(self.reflectors_for(U), U) if self.has_base else U

    def options(
        self, angles: Tensor, phases: Tensor | None, diagonal: Tensor | None
    ) -> dict[str, Any]:
        """Return the parameters besides the angles with which `rotate` multiplies by R.

        If the base is one of reflectors, its signs are among them.
        """
        options = {"phases": phases, "diagonal": diagonal}
        if self.signs is None:
            return options
        # Only their sign counts: a module without values yet (`to_empty`) makes a matrix too.
        signs = beside(torch.where(self.signs < 0, -1.0, 1.0).to(angles.dtype), angles)
        if diagonal is None:
            return {"signs": signs}
        return options | {"diagonal": diagonal + (1 - signs) * (math.pi / 2)}

    def rounded(self, U: Tensor, angles: Tensor) -> Tensor:
        """Return U in the dtype of the module, in memory that the caller may change.

        If the angles have 16 bits, as mixed precision makes them in a forward pass, U has too.
        """
        dtype = angles.dtype if is_16_bit(angles.dtype) else self.dtype
        if U.dtype != dtype and not U.is_complex():
            return U.to(dtype)
        # The gradient needs the result of rotations itself.
        return U.clone() if U.requires_grad and (self.base is not None or not self.has_base) else U

    def reflectors_for(self, X: Tensor) -> _base.Reflectors:
        """Return the base of frames, to be multiplied by X."""
        assert self.reflectors is not None
        assert self.coupling is not None
        assert self.signs is not None
        V, T = (beside(part.to(X.dtype), X) for part in (self.reflectors, self.coupling))
        return _base.Reflectors(V, T, self.signs)

    def _precise(self) -> torch.dtype:
        """Return the dtype of the base."""
        dtype = real(self.dtype)
        return complex_of(dtype) if self.dtype.is_complex else dtype

    def _base_of(self, W: Tensor) -> dict[str, Tensor | None]:
        precise = self._precise()
        if self.width == self.height:
            if not has_numbers(W):
                return {"base": torch.empty(W.shape, dtype=precise, device=W.device)}
            return {"base": _base.q_factor(W).to(precise).contiguous()}
        if not has_numbers(W):
            shapes = ((self.height, self.width), (self.width, self.width), (self.height,))
            dtypes = (precise, precise, real(self.dtype))
            made = [
                torch.empty((*self.batch, *shape), dtype=dtype, device=W.device)
                for shape, dtype in zip(shapes, dtypes, strict=True)
            ]
        else:
            V, T, signs = _base.reflectors(W)
            made = [V.to(precise), T.to(precise), signs.to(real(self.dtype))]
        return dict(zip(("reflectors", "coupling", "signs"), made, strict=True))

    def _signs_like(self, W: Tensor) -> dict[str, Tensor | None]:
        """Return signs of one, if U has them: if it can be assigned, is square and real."""
        is_frame = self.schedule.columns < self.height
        if self.dtype.is_complex or is_frame or exact_name(self.schedule) is None:
            return {}
        shape, dtype = (*self.batch, self.height), real(self.dtype)
        return {"signs": torch.ones(shape, dtype=dtype, device=W.device)}

    def _set(self, buffers: dict[str, Tensor | None]) -> None:
        for buffer, value in buffers.items():
            setattr(self, buffer, value)
        # torch.export counts the buffers before one, absent ones too: these come last.
        for buffer in [own for own, value in self._buffers.items() if value is None]:
            self._buffers[buffer] = self._buffers.pop(buffer)

    def _fill_with_zero(self, parameters: Parameters) -> None:
        """Make U the base. Phases leave it as it is, and decide which way it turns first."""
        fill(parameters, "identity", self.schedule)
        if parameters[1] is not None:
            parameters[1].fill_(math.pi / 4)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        self.dtype = converted_dtype(self.dtype, fn)
        return super()._apply(keeping_precision(fn), recurse)  # type: ignore[no-untyped-call]

    # --- State -----------------------------------------------------------------------------------

    def get_extra_state(self) -> Tensor:
        """Return what a state must have in common with this module, as bytes."""
        return _state.described(self.schedule, self._shape(), self.has_base, self.dtype)

    def set_extra_state(self, state: Any) -> None:
        """Refuse the state of another schedule or shape."""
        _state.check(state, self.schedule, self._shape(), self.has_base)

    def prepare_to_load(self, state: Any, metadata: dict[str, Any]) -> None:
        """Check what `get_extra_state` has saved, before anything is copied."""
        if state is not None:
            self.set_extra_state(state)
            if _state.is_assigned(metadata):
                self.dtype = _state.dtype_of(state, self.dtype)

    def _shape(self) -> tuple[int, ...]:
        return (*self.batch, self.height, self.width)


def _dtype_of_matrix(angles: Tensor, phases: Tensor | None) -> torch.dtype:
    return angles.dtype if phases is None else complex_of(angles.dtype)
