"""What tracing asks in Python, as constants of the graph.

Marking a function so loads PyTorch's compiler, which takes a second: only code that compiles or
exports imports this module.
"""

import sys

import torch

from givens import Schedule
from givens.torch import _export, _rounds, _schedules


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def described(schedule: Schedule) -> str:
    """Return the JSON of `Schedule.to_dict`."""
    if "torch.distributed.tensor" in sys.modules:
        import givens.torch._sharding  # noqa: F401
    return _schedules.described(schedule)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def is_plain() -> bool:
    """Whether the graph is in PyTorch's own operations."""
    return _export.is_plain()


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def tables(schedule: Schedule, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Return the tables of `_rounds`."""
    return _rounds.tables_on(schedule, device)
