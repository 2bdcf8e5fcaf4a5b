"""The number of threads of calls that name none."""

from functools import cache

from givens import _core


def get_num_threads() -> int:
    """Return how many threads a call from this thread may use if it has no ``num_threads=``.

    Returns
    -------
    int
        The number that `set_num_threads` set in this thread, or else the environment variable
        GIVENS_NUM_THREADS if it is a positive number, or else the number of processors that the
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

    The number holds for calls from the current Python thread only, as in Numba and OpenMP, so that
    threads which limit themselves for a while do not disturb each other. GIVENS_NUM_THREADS is for
    the whole process. A call's own ``num_threads=`` is used even if it is greater. Results are
    bitwise the same for any number.

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
    register_threadpoolctl : lets threadpoolctl set the number for a ``with`` block.

    Examples
    --------
    >>> import givens
    >>> givens.set_num_threads(2)
    >>> givens.get_num_threads()
    2
    >>> givens.set_num_threads(None)
    """
    _core.set_default_num_threads(num_threads)


@cache
def register_threadpoolctl() -> None:
    """Let threadpoolctl show and set the number of threads, as it does for other libraries.

    It then shows what `get_num_threads` returns and sets what `set_num_threads` sets: for the
    calling thread, under the name "givens". Calling this again has no effect.

    Raises
    ------
    ImportError
        If threadpoolctl is not installed, or is older than version 3.2.

    Examples
    --------
    >>> import givens, threadpoolctl
    >>> givens.register_threadpoolctl()
    >>> with threadpoolctl.threadpool_limits(limits=1, user_api="givens"):
    ...     givens.get_num_threads()
    1
    """
    # Imported here: it takes longer than all of givens, and sets an environment variable that
    # changes how OpenMP behaves after a fork.
    import threadpoolctl

    if not hasattr(threadpoolctl, "register"):
        raise ImportError("register_threadpoolctl needs threadpoolctl 3.2 or later")

    class GivensController(threadpoolctl.LibController):  # type: ignore[misc]
        user_api = "givens"
        internal_api = "givens"
        filename_prefixes = ("_core",)
        # Tells this library from others of the same file name.
        check_symbols = ("givens_core_version",)

        def get_num_threads(self) -> int:
            return _core.default_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            _core.set_default_num_threads(num_threads)

        def get_version(self) -> str:
            return _core.__version__

        def set_additional_attributes(self) -> None:
            try:
                self.architecture = _core.backend()
            except ValueError:  # GIVENS_ISA names no engine; calls of givens will say so
                self.architecture = "unknown"

    threadpoolctl.register(GivensController)
