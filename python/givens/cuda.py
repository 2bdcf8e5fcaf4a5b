"""The CUDA engine: whether it can be used, and schedules made ready for it.

The functions of `givens` take arrays in a GPU's memory as they take NumPy arrays, and nothing has
to be called here first.

- Arrays come from CuPy, PyTorch, or any library that exports them by ``__dlpack__`` or else by
  ``__cuda_array_interface__``. All arrays of a call are of one library and on one device, which
  need not be the current one. Nothing is copied between devices.
- Results are new arrays of that library on that device. The library must be CuPy, PyTorch, or one
  whose arrays have ``__array_namespace__`` and can be written, which JAX's cannot. `givens.rotate`
  makes no array with ``out=``.
- With CuPy and PyTorch the work is queued on their current stream of the device, and nothing waits
  for it. With other libraries it is queued on the legacy default stream, after the work that the
  library names when it exports an array, and the call waits for the results.
- A call checks types and shapes. It does not read the memory for that, so signs are not checked.
- Where matrices share parameters, the caller's library sums their gradients.

PyTorch tensors that require a gradient are refused: ``tensor.detach()`` requires none.

Examples
--------
>>> import givens.cuda
>>> givens.cuda.is_available() == (givens.cuda.unavailable_reason() is None)
True
"""

from givens._core import Schedule
from givens._dispatch import cuda_module

__all__ = ["is_available", "prepare", "unavailable_reason"]


def is_available() -> bool:
    """Say whether functions of this library can compute on a GPU here.

    Returns
    -------
    bool
        True if givens was built with CUDA and there are a driver and a device.

    Examples
    --------
    >>> import givens.cuda
    >>> device = "GPU" if givens.cuda.is_available() else "CPU"
    """
    return unavailable_reason() is None


def unavailable_reason() -> str | None:
    """Say why functions of this library cannot compute on a GPU here.

    Returns
    -------
    str or None
        None if they can; otherwise what is missing, for example "built without CUDA".

    Examples
    --------
    >>> import givens.cuda
    >>> reason = givens.cuda.unavailable_reason()
    >>> reason is None or isinstance(reason, str)
    True
    """
    return cuda_module.unavailable_reason()


def prepare(schedule: Schedule, device: int = 0) -> None:
    """Copy what a device needs to know of a schedule to it, before the first call that uses it.

    That call would do so itself, and wait for the copy. Calls that are captured in a CUDA graph may
    not wait, so prepare their schedules first.

    Parameters
    ----------
    schedule : Schedule
        The schedule of the calls to come.
    device : int, default 0
        The number of the CUDA device.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If device is negative.
    RuntimeError
        If no GPU can be used, or there is no such device; the message says why.

    Examples
    --------
    >>> import givens.cuda
    >>> if givens.cuda.is_available():
    ...     givens.cuda.prepare(givens.Schedule.xor(64))
    """
    cuda_module.load().prepare(schedule, device)
