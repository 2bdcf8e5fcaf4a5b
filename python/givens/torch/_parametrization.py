"""The parametrization `orthogonal`."""

import gc
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from givens import Schedule
from givens.torch._frames import Frame
from givens.torch._initial import Parameters
from givens.torch._precision import check_dtype, keeping_precision
from givens.torch._schedule_names import exact_name, schedule_of
from givens.torch._state import is_assigned
from givens.torch._tracing import as_leaf

Module = TypeVar("Module", bound=nn.Module)

_CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def orthogonal(
    module: Module,
    name: str = "weight",
    *,
    schedule: Schedule | str | None = None,
    init: Literal["weight", "small", "identity", "haar"] | None = None,
    base: bool | None = None,
    flatten: bool | None = None,
) -> Module:
    """Make a weight of a module orthogonal or unitary, whatever an optimiser does to it.

    As with `torch.nn.utils.parametrizations.orthogonal`, a tall matrix gets orthonormal columns, a
    wide one orthonormal rows, leading axes are batches of matrices, and complex weights become
    unitary. The weight is then made from angles, and these are trained. Assigning any matrix to the
    weight takes the factor Q of its QR decomposition, with a positive diagonal of R, so that an
    orthogonal matrix stays as it is.

    Parameters
    ----------
    module : Module
        Changed in place. Make the optimiser afterwards: the angles are new parameters.
    name : str, default "weight"
        The name of a parameter or buffer with two axes or more, in a dtype of 16 bits, float32,
        float64, complex64 or complex128. With 16 bits the angles are in float32, the weight is
        computed in float32 and rounded.
    schedule : Schedule or str, optional
        The rotations, on as many coordinates as the longer axis has entries: a schedule, or "xor",
        "circle", "wavefront", "brickwall" or "butterfly". "xor" by default with a base, and without
        one "brickwall" for square weights, "wavefront" for others.
    init : {"weight", "small", "identity", "haar"}, optional
        "weight", the default: the factor Q of the weight. The others are kinds of
        `givens.initial_parameters`, and "haar" with a base draws that. Without a base, and with a
        schedule other than "brickwall" and "wavefront", "small" is the default, and "weight" cannot
        be had.
    base : bool, optional
        Whether the matrix is U = B R, where B is the matrix last assigned, and R is made of the
        angles, which are zero then: any schedule starts from any weight so, and weight decay pulls
        towards B. Otherwise U is R: weight decay pulls towards the identity, and weights can be
        assigned with "brickwall" and "wavefront" alone. By default there is a base unless the
        schedule is one of these.
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
        If an argument is none of those above, or has no such weight; or the weight is parametrized
        already, or is a parameter of another module too. Later, when a weight is assigned that has
        another shape or is not finite; and NotImplementedError if none can be assigned.

    Notes
    -----
    The angles are ``module.parametrizations[name].original0``, in radians; an n x m weight has
    ``n m - m(m+1)/2`` of them, with m the shorter axis and a schedule that knows columns. Phases
    and diagonal of a complex weight are ``original1`` and ``original2``. Cost for an n x m weight:
    about ``2 n m**2`` multiply-adds for the rotations, and with a base as many again if m < n.
    ``torch.nn.utils.parametrize.cached()`` keeps the weight.

    A state holds the schedule: loading the state of another one raises ValueError. A state with a
    plain weight can be loaded as well; its factor Q is taken.

    With a base, angles turn B in every direction if each pair of coordinates occurs once in the
    schedule. In "brickwall" and "wavefront" pairs recur: at first they turn it in n - 1 directions
    only.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = givens.torch.orthogonal(torch.nn.Linear(3, 5))
    >>> W = layer.weight
    >>> torch.allclose(W.T @ W, torch.eye(3), atol=1e-5)
    True
    >>> layer.weight = 2 * torch.eye(5, 3)
    >>> torch.allclose(layer.weight, torch.eye(5, 3))
    True
    """
    weight = _checked_weight(module, name)
    made = _Orthogonal(
        weight,
        schedule,
        base,
        isinstance(module, _CONVOLUTIONS) if flatten is None else flatten,
    )
    made.prepare(init, weight)
    parametrize.register_parametrization(module, name, made)
    module.parametrizations[name].__class__ = _Originals  # type: ignore[index]
    module.register_load_state_dict_pre_hook(partial(_load, name))  # type: ignore[no-untyped-call]
    return module


class _Orthogonal(Frame):
    """Makes a weight from angles (and phases and diagonal), and finds them for a weight."""

    def __init__(
        self, weight: Tensor, schedule: Schedule | str | None, base: bool | None, flatten: bool
    ) -> None:
        self_shape = tuple(weight.shape)
        *batch, rows, columns = (weight.flatten(1) if flatten else weight).shape
        n, m = max(rows, columns), min(rows, columns)
        if schedule is None:
            exact = "brickwall" if m == n else "wavefront"
            schedule = exact if base is False else "xor"
        schedule = schedule_of(schedule, n, m)
        if base is None:
            base = exact_name(schedule) is None
        super().__init__(n, m, tuple(batch), schedule, has_base=base, dtype=weight.dtype)
        self.shape = self_shape
        self.is_wide = rows < columns
        self.init = "weight"
        # `right_inverse` returns these when the parametrization is registered.
        self._first: Parameters | None = None

    def prepare(self, init: str | None, weight: Tensor) -> None:
        """Find the first parameters."""
        if init is None:
            init = "weight" if self.can_be_assigned else "small"
        if init == "weight" and not self.can_be_assigned:
            raise ValueError(
                'schedule must be "brickwall" or "wavefront" for init="weight" without a base, as '
                f"no other is known to make every matrix, got {self.schedule!r}"
            )
        self.init = init
        parameters = self.empty(weight.device)
        if init == "weight":
            parameters = self.set_to(self._tall(weight), parameters)
        else:
            self.start(parameters, init)
        self._first = parameters

    def forward(
        self, angles: Tensor, phases: Tensor | None = None, diagonal: Tensor | None = None
    ) -> Tensor:
        """Make the weight."""
        leaf = as_leaf(self, angles, phases, diagonal)
        if leaf is not None:
            return leaf  # type: ignore[no-any-return]
        U = self.rounded(self.form((angles, phases, diagonal)), angles)
        return (U.mT if self.is_wide else U).reshape(self.shape)

    @torch.no_grad()
    def right_inverse(self, weight: Tensor) -> tuple[Tensor, ...]:
        """Return the parameters that make a weight: angles, or angles, phases and diagonal.

        PyTorch keeps a sequence as new parameters, of any dtype and shape; a single tensor it
        would put into the old parameter.
        """
        if self._first is not None:
            found, self._first = self._first, None
        else:
            found = self.set_to(self._tall(weight), self.empty(weight.device))
        return tuple(p for p in found if p is not None)

    def state_of(self, weight: Tensor) -> dict[str, Any]:
        """Return the state of a parametrized weight, by names in the list of parametrizations."""
        found, buffers = self.find(self._tall(weight), self.empty(weight.device))
        state: dict[str, Any] = {f"original{k}": p for k, p in enumerate(found) if p is not None}
        state |= {f"0.{buffer}": value for buffer, value in buffers.items()}
        return state | {"0._extra_state": self.get_extra_state()}

    def restart(self, parameters: Parameters) -> None:
        """Draw parameters in place, and the base: `init`, or Q of a random weight."""
        self.start(parameters, "haar" if self.init == "weight" else self.init)

    def _tall(self, weight: Tensor) -> Tensor:
        if weight.shape != self.shape:
            raise ValueError(
                f"the weight must have shape {self.shape}, got shape {tuple(weight.shape)}"
            )
        rows, columns = (self.width, self.height) if self.is_wide else (self.height, self.width)
        given = weight.reshape(*self.batch, rows, columns)
        return given.mT if self.is_wide else given

    def _shape(self) -> tuple[int, ...]:
        return self.shape

    def extra_repr(self) -> str:
        """Describe the parametrization in its repr."""
        return f"shape={self.shape}, schedule={self.schedule!r}, base={self.has_base}"


class _Originals(parametrize.ParametrizationList):
    """PyTorch's list of parametrizations, in which the angles keep single precision."""

    def parameters_of_frame(self) -> Parameters:
        """Return angles, phases and diagonal."""
        angles, phases, diagonal = (getattr(self, f"original{k}", None) for k in range(3))
        assert angles is not None
        return angles, phases, diagonal

    def _frame(self) -> "_Orthogonal":
        first: Any = self[0]
        return first  # type: ignore[no-any-return]

    def right_inverse(self, value: Tensor) -> None:
        """Take a weight, which may be on another device."""
        super().right_inverse(value.to(self.parameters_of_frame()[0].device))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new parameters in place, as after `to_empty`."""
        self._frame().restart(self.parameters_of_frame())

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        if recurse:
            for module in self.children():
                module._apply(fn)
        return super()._apply(keeping_precision(fn), recurse=False)  # type: ignore[no-untyped-call]

    def append(self, module: nn.Module) -> Any:
        """Register a further parametrization, if it can take the weight."""
        try:
            with torch.no_grad():
                module(self())
        except Exception as error:
            raise ValueError(
                f"{type(module).__name__} cannot be registered upon another parametrization, "
                f"givens.torch.orthogonal: {error}"
            ) from error
        return super().append(module)

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], *args: Any
    ) -> None:
        self._frame().prepare_to_load(state.get(f"{prefix}0._extra_state"), metadata)
        super()._load_from_state_dict(state, prefix, metadata, *args)


def parametrization_of(module: nn.Module, name: str) -> _Orthogonal | None:
    """Return what `orthogonal` registered for a weight of a module, if it has."""
    if not parametrize.is_parametrized(module, name):
        return None
    first = module.parametrizations[name][0]  # type: ignore[index]
    return first if isinstance(first, _Orthogonal) else None


def _load(
    name: str,
    module: nn.Module,
    state: dict[str, Any],
    prefix: str,
    metadata: dict[str, Any],
    *_: Any,
) -> None:
    """Put the state of the parametrization in the place of a plain weight, in a state to load."""
    key = prefix + name
    made = parametrization_of(module, name)
    if made is None or key not in state:
        return
    weight = state.pop(key)
    if is_assigned(metadata):
        check_dtype(weight.dtype)
        made.dtype = weight.dtype
    for own, value in made.state_of(weight).items():
        state[f"{prefix}parametrizations.{name}.{own}"] = value


def _checked_weight(module: nn.Module, name: str) -> Tensor:
    """Return a weight that can be parametrized."""
    kind = type(module).__name__
    if parametrize.is_parametrized(module, name):
        first = module.parametrizations[name][0]  # type: ignore[index]
        raise ValueError(
            f"module must have a plain {name!r}, got one of {kind} that is parametrized already, "
            f"by {type(first).__name__}: remove that first, with "
            "torch.nn.utils.parametrize.remove_parametrizations"
        )
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"module must have a tensor {name!r}, got {kind}")
    if name not in module._parameters and name not in module._buffers:
        raise ValueError(
            f"module must have a parameter or buffer {name!r}, got one of {kind} that is computed: "
            "another kind of parametrization or a hook makes it"
        )
    if is_lazy(weight):
        raise ValueError(
            f"module must have a tensor {name!r} with a shape, got a lazy one of {kind}: call the "
            "module once first"
        )
    check_dtype(weight.dtype)
    if weight.ndim < 2:
        raise ValueError(f"the weight must have at least two axes, got shape {tuple(weight.shape)}")
    others = _other_owners(module, name, weight)
    if others:
        raise ValueError(
            f"module must have a {name!r} of its own, got one that is tied: it is also "
            f"{', '.join(others)}. Parametrizing it would untie it: give the module a copy, "
            f"module.{name} = torch.nn.Parameter(module.{name}.detach().clone()), or compute with "
            f"this module's {name} in the other's place"
        )
    return weight


def _other_owners(module: nn.Module, name: str, weight: Tensor) -> list[str]:
    """Name the parameters and buffers of modules, besides this one, that are the same tensor."""
    # The module, its caller's and this function's variable, and the argument: nobody else has it.
    if sys.getrefcount(weight) <= 4:
        return []
    found = []
    for owner in _modules_with(weight):
        for own_name, t in (*owner._parameters.items(), *owner._buffers.items()):
            if t is weight and (owner is not module or own_name != name):
                found.append(f"{own_name!r} of {type(owner).__name__}")
    return found


def _modules_with(weight: Tensor) -> list[nn.Module]:
    """Return the modules one of whose parameters or buffers is this tensor."""
    modules: dict[int, nn.Module] = {}
    tables = [d for d in gc.get_referrers(weight) if type(d) is dict]
    for holder in gc.get_referrers(*tables) if tables else []:
        # A module holds its tables itself, or in its dictionary of attributes.
        owners = gc.get_referrers(holder) if type(holder) is dict else [holder]
        for owner in owners:
            if isinstance(owner, nn.Module):
                modules[id(owner)] = owner
    return list(modules.values())
