"""What ``python -m givens info`` prints, which a report of a problem should quote."""

import givens
from givens import _core, cuda


def describe() -> str:
    """Describe the installed library.

    Returns
    -------
    str
        One ``name  value`` line each for the version, every build setting, the backends that can
        run here, the one in use, the number of threads, and CUDA or what is missing for it.
    """
    rows = [("version", givens.__version__)]
    rows += [(name.replace("_", " "), value) for name, value in _core.build_info().items()]
    rows += [
        ("backends", ", ".join(_core.backends())),
        ("in use", _core.backend()),
        ("threads", str(_core.default_num_threads())),
        ("CUDA", cuda.unavailable_reason() or "available"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
