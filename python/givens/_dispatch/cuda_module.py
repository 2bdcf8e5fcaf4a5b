"""Loads the extension module `givens._cuda` when it is first needed.

Only packages that were built with CUDA contain it, and only calls with arrays on a GPU need it.
"""

import importlib
from types import ModuleType

_NAME = "givens._cuda"


def unavailable_reason() -> str | None:
    """Say why no GPU can be used; None if one can."""
    try:
        module = importlib.import_module(_NAME)
    except ModuleNotFoundError as error:
        if error.name == _NAME:
            return "built without CUDA"
        raise
    except ImportError as error:
        return str(error)
    return module.unavailable_reason() or None


def load() -> ModuleType:
    """Return the module; raise RuntimeError with the reason if no GPU can be used."""
    reason = unavailable_reason()
    if reason is not None:
        raise RuntimeError(f"givens cannot compute on a GPU: {reason}")
    return importlib.import_module(_NAME)
