"""Whether PyTorch records or changes what operators do."""

from collections.abc import Callable

import torch
from torch.utils import _python_dispatch

is_tracing: Callable[[], bool] = torch.jit.is_tracing  # type: ignore[attr-defined]

# Whether a `TorchDispatchMode` is active. There is no public way to ask, and a later PyTorch may
# have another: then all calls go to PyTorch's dispatcher, which knows modes but takes longer.
is_in_mode: Callable[[], bool] = getattr(
    _python_dispatch, "is_in_torch_dispatch_mode", lambda: True
)
