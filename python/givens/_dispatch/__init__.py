"""The choice between CPU and GPU, and what the package asks of the arrays' libraries.

A call goes to the module that `engine_of` returns. Both modules have the same functions, which take
the same positional arguments:

- `givens._core`, the compiled module, computes on arrays in the CPU's memory;
- `gpu_functions` computes on arrays in a GPU's memory: it opens a `gpu_call.Call` and hands the
  arrays of the call to `givens._cuda`, which `cuda_module` loads when it is first needed.

`libraries` knows the libraries that arrays come from.
"""

from typing import Any

from numpy import ndarray

from givens import _core
from givens._dispatch import gpu_functions
from givens._dispatch.libraries import is_on_gpu


def engine_of(*arrays: Any) -> Any:
    """Return the module that computes on these arguments; None stands for an absent one.

    It is `gpu_functions` if any array is in a GPU's memory. That module refuses arrays that are
    elsewhere, and `givens._core` refuses objects that are no arrays.
    """
    for x in arrays:
        if x is not None and type(x) is not ndarray and is_on_gpu(x):
            return gpu_functions
    return _core
