"""Rules for distributed tensors (DTensor): importing this module registers them.

Vectors and matrices can be divided along every axis but the coordinates'. A parameter that does not
have the axis is the same everywhere, and its gradient is the sum of what the processes find.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.distributed.tensor import Partial, Placement, Replicate, Shard
from torch.distributed.tensor.experimental import register_sharding

from givens.torch import _operators
from givens.torch._operator import Operator

# The placements of the results, and of the arguments with None for those that are no tensors.
Placements = tuple[list[Placement], list[Placement | None]]


def _rule(operator: Operator) -> Callable[..., Sequence[Placements]]:
    first, num_tensors = operator.num_vectors, operator.num_tensors

    def is_parameter(k: int) -> bool:
        return 0 <= k - first < 4 or k - first >= 4 + first

    def rule(*args: Any) -> list[Placements]:
        tensors, constants = args[:num_tensors], args[num_tensors:]
        rank = max(p.ndim - 1 for p in tensors[first : first + 4] if p is not None)
        divisible = set(range(rank))
        if len(constants) > 1:
            # A rotation may also be divided along all other axes of its vectors.
            ndim = tensors[0].ndim
            divisible = set(range(ndim)) - {constants[1] % ndim}

        def placed(k: int, axis: int) -> Placement | None:
            t = tensors[k]
            if t is None:
                return None
            if is_parameter(k):
                axis -= rank - (t.ndim - 1)
                if axis >= t.ndim - 1:
                    return Replicate()
            return Shard(axis) if axis >= 0 and t.shape[axis] > 1 else Replicate()

        def result(axis: int, parameter: int | None) -> Placement:
            if parameter is None:
                return Shard(axis)
            p = placed(first + parameter, axis)
            return Replicate() if p is None else p if p.is_shard() else Partial()

        others = [None] * len(constants)
        everywhere = [None if t is None else Replicate() for t in tensors]
        rules: list[Placements] = [
            ([Replicate() for _ in operator.parameters], [*everywhere, *others])
        ]
        for axis in sorted(divisible):
            inputs = [placed(k, axis) for k in range(num_tensors)]
            if any(p is not None and p.is_shard() for p in inputs):
                rules.append(([result(axis, p) for p in operator.parameters], [*inputs, *others]))
        return rules

    return rule


for _name, _operator in _operators.ALL.items():
    register_sharding(getattr(torch.ops.givens, _name).default)(_rule(_operator))
