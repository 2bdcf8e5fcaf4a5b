"""The layer `Adapter`."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from givens import Schedule
from givens.torch._layer import Orthogonal
from givens.torch._precision import computed, has_numbers, real


class Adapter(nn.Module):
    """Fine-tune a linear layer by rotating its outputs: W' = R W, and only R is trained.

    ``y = R W x + bias``, with R orthogonal and block-diagonal, the identity at first. The weight W
    and the bias are frozen.

    Parameters
    ----------
    linear : torch.nn.Linear
        The layer. It becomes part of the adapter, and its parameters no longer require a gradient.
        In any real dtype; angles are in float32 if it has 16 bits.
    blocks : int, default 1
        The number of blocks of R, each of ``out_features / blocks`` coordinates.
    schedule : Schedule or str, default "xor"
        The rotations of a block, as in `Orthogonal`.

    Attributes
    ----------
    linear : torch.nn.Linear
        The layer; after `merge` with the weight R W.
    rotation : Orthogonal
        R. Its angles, (blocks, K), are the parameters to train.
    merged : bool
        Whether the weight is R W.

    Raises
    ------
    TypeError, ValueError
        If linear has no weight of a linear layer, or blocks do not divide its outputs.

    Notes
    -----
    Cost for a vector: beside the layer's, ``out_features * (out_features / blocks - 1)``
    multiply-adds at most.

    Examples
    --------
    >>> import torch, givens.torch
    >>> layer = torch.nn.Linear(4, 8)
    >>> adapter = givens.torch.Adapter(layer, blocks=2)
    >>> sum(p.numel() for p in adapter.parameters() if p.requires_grad)
    12
    >>> x = torch.randn(3, 4)
    >>> torch.allclose(adapter(x), layer(x), atol=1e-6)  # R is the identity
    True
    >>> _ = torch.nn.init.normal_(adapter.rotation.angles)
    >>> y = adapter(x)
    >>> torch.allclose(adapter.merge()(x), y, atol=1e-5)
    True
    """

    def __init__(
        self, linear: nn.Linear, *, blocks: int = 1, schedule: Schedule | str = "xor"
    ) -> None:
        super().__init__()
        weight = getattr(linear, "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            raise TypeError(
                f"linear must have a weight of two axes, as a Linear, got {type(linear).__name__}"
            )
        self.linear = linear.requires_grad_(False)
        self.rotation = Orthogonal(
            weight.shape[0],
            schedule=schedule,
            init="identity",
            blocks=blocks,
            field="complex" if weight.is_complex() else "real",
            device=weight.device,
            dtype=real(weight.dtype),
        )
        self.merged = False
        self._frozen: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Compute ``R W x + bias`` for vectors along the last axis."""
        if self.merged:
            return self.linear(x)  # type: ignore[no-any-return]
        y: Tensor = self.rotation(linear(x, self.linear.weight))
        bias: Tensor | None = self.linear.bias
        return y if bias is None else y + bias.to(y.dtype)

    @torch.no_grad()
    def merge(self) -> "Adapter":
        """Put R W into the layer, which then computes as fast as before.

        The layer gets a new parameter. W is kept, so that `unmerge` restores it, to the bit; layers
        that share it keep it. For a model without it, see `givens.torch.fold`.
        """
        if not self.merged:
            self._frozen = self.linear.weight
            self._put(self._product())
            self.merged = True
        return self

    @torch.no_grad()
    def unmerge(self) -> "Adapter":
        """Put W back into the layer, to train R further."""
        if self.merged:
            assert self._frozen is not None
            self._put(self._frozen)
            self._frozen = None
            self.merged = False
        return self

    @torch.no_grad()
    def fold(self) -> nn.Linear:
        """Put R W into the layer and return the layer, without the adapter."""
        if not self.merged:
            self._put(self._product())
        return self.linear.requires_grad_(True)

    def _product(self) -> Tensor:
        """Return R W, rounded once: the columns of W are rotated."""
        weight = self.linear.weight
        product: Tensor = self.rotation(weight.to(computed(weight.dtype)).mT).mT
        return product.to(weight.dtype).contiguous()

    def _put(self, weight: Tensor) -> None:
        """Make this the layer's weight. Layers that shared the one before keep it."""
        is_parameter = "weight" in self.linear._parameters
        if is_parameter and not isinstance(weight, nn.Parameter):
            weight = nn.Parameter(weight, requires_grad=False)
        self.linear.weight = weight  # a parametrization takes it apart

    def get_extra_state(self) -> Tensor:
        """Return whether the weight is R W."""
        return torch.tensor([self.merged], dtype=torch.uint8, device="cpu")

    def set_extra_state(self, state: Any) -> None:
        """Refuse a state in which the weight is R W where it is W here, and the reverse."""
        if not has_numbers(state):
            return
        merged = bool(state.item())
        if merged != self.merged:
            raise ValueError(
                f"the state must be of an adapter with merged={self.merged}, got merged={merged}: "
                "merge or unmerge this one first"
            )

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *args: Any) -> None:
        saved = state.get(f"{prefix}_extra_state")
        if saved is not None:
            self.set_extra_state(saved)  # before anything is copied
        super()._load_from_state_dict(state, prefix, *args)
