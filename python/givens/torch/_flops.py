"""What the operators count as in `torch.utils.flop_counter`: importing this module registers it.

They count as rotations in plain form, one after the other. The engines take fewer operations.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

from givens.torch import _operators
from givens.torch._operator import Operator
from givens.torch._schedules import schedule_of

# As many rotations the operator counts for each: a gradient turns two states back and sums their
# products, and a tangent takes twice as long as the value.
_ROTATIONS = {
    "matrix": 1,
    "rotate": 1,
    "matrix_vjp": 3,
    "rotate_vjp": 3,
    "rotate_jvp": 3,
    "rotate_vjp_jvp": 9,
}


def _formula(operator: Operator, rotations: int) -> Callable[..., int]:
    first = operator.num_vectors

    def flops(*args: Any, out_val: Any) -> int:
        schedule, phases = schedule_of(args[operator.num_tensors]), args[first + 1]
        result = out_val if isinstance(out_val, Tensor) else out_val[0]
        vectors = args[0] if first == 2 else result  # in their full shape
        # Four products and two sums of real numbers, of a real and a complex number, or half of
        # the products of complex numbers.
        each = 20 if phases is not None else 12 if vectors.is_complex() else 6
        num_vectors = vectors.numel() // max(schedule.n, 1)
        return rotations * each * schedule.num_rotations * int(num_vectors)

    return flops


for _name, _operator in _operators.ALL.items():
    _register = register_flop_formula(getattr(torch.ops.givens, _name), get_raw=True)
    _register(_formula(_operator, _ROTATIONS[_name]))
