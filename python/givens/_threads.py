"""How many threads calls use that name no number."""

from givens import _core


def get_num_threads() -> int:
    """Return how many threads a call from this thread may use if it has no ``num_threads=``.

    Returns
    -------
    int
        What `set_num_threads` set in this thread, or else the environment variable
        GIVENS_NUM_THREADS if that is a positive number, or else the number of processors that the
        process may run on. The latter two are looked up once, when first needed.

    Examples
    --------
    >>> import givens
    >>> givens.get_num_threads() >= 1
    True
    """
    return _core.default_num_threads()


def set_num_threads(num_threads: int | None) -> None:
    """Set how many threads calls from this thread may use if they have no ``num_threads=``.

    Holds for calls from the current Python thread only, as in Numba and OpenMP, so that threads
    which limit themselves for a while do not disturb each other; GIVENS_NUM_THREADS is for the
    whole process. A call's own ``num_threads=`` is used even if it is greater. Results are bitwise
    the same for any number.

    Parameters
    ----------
    num_threads : int or None
        At least 1; None to undo what was set.

    Raises
    ------
    TypeError
        If num_threads is not an integer.
    ValueError
        If it is less than 1.

    See Also
    --------
    threadpoolctl.threadpool_limits : sets it for a ``with`` block, with those of other libraries.

    Examples
    --------
    >>> import givens
    >>> givens.set_num_threads(2)
    >>> givens.get_num_threads()
    2
    >>> givens.set_num_threads(None)
    """
    _core.set_default_num_threads(num_threads)
