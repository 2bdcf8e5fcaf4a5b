"""Shows the threads of givens to threadpoolctl, in programs that use it.

threadpoolctl has to be told of libraries that it does not know. It is told when the program imports
it, before or after givens: importing it here would take longer than all of givens, and would set an
environment variable that changes how OpenMP behaves, in programs that never asked for it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from givens import _core

if TYPE_CHECKING:
    from importlib.abc import Loader

_NAME = "threadpoolctl"


def install() -> None:
    """Register with threadpoolctl now, or else when it is imported."""
    module = sys.modules.get(_NAME)
    if module is not None:
        _register(module)
    sys.meta_path.insert(0, _Finder())


# Without the base classes of importlib.abc, which takes long to import; so is the loader.
class _Finder:
    """Finds threadpoolctl as Python would, but with a loader that registers."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    def __init__(self, loader: "Loader") -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader, as with importlib.util.LazyLoader.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        _register(module)


def _register(threadpoolctl: ModuleType) -> None:
    if not hasattr(threadpoolctl, "register"):  # before version 3.2
        return

    class GivensController(threadpoolctl.LibController):  # type: ignore[misc, name-defined]
        """The calling thread's default number of threads, as threadpoolctl wants it."""

        user_api = "givens"
        internal_api = "givens"
        filename_prefixes = ("_core",)
        # Other packages have a library _core as well.
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
            except ValueError:  # GIVENS_ISA names none; calls of givens will say so
                self.architecture = "unknown"

    threadpoolctl.register(GivensController)
