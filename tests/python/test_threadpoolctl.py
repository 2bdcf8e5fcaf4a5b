"""`register_threadpoolctl`: threadpoolctl shows the threads of givens and limits them."""

import importlib.util
import shutil
from pathlib import Path

import pytest

import givens
from scripts import needs_proc, needs_threads, run, started_threads

pytest.importorskip("threadpoolctl", minversion="3.2")

IMPORTS = [
    "import givens, threadpoolctl; givens.register_threadpoolctl()",
    "import threadpoolctl, givens; givens.register_threadpoolctl()",
    # A second call has no effect.
    "import givens, threadpoolctl; [givens.register_threadpoolctl() for _ in range(2)]",
]

SEEN = """
    found = [lib for lib in threadpoolctl.threadpool_info() if lib["internal_api"] == "givens"]
    assert len(found) == 1, found
    for name in ("user_api", "num_threads", "version", "architecture", "filepath"):
        print(found[0][name])
"""


@pytest.mark.parametrize("imports", IMPORTS)
def test_info_describes_givens(imports: str) -> None:
    lines = run(f"    {imports}" + SEEN, GIVENS_NUM_THREADS="3").splitlines()
    library = str(Path(givens._core.__file__).resolve())
    assert lines == ["givens", "3", givens.__version__, givens._core.backend(), library]


def test_info_names_the_engine_in_use() -> None:
    for name in givens._core.backends():
        assert run(f"    {IMPORTS[0]}" + SEEN, GIVENS_ISA=name).splitlines()[3] == name


def test_info_survives_an_engine_that_does_not_exist() -> None:
    assert run(f"    {IMPORTS[0]}" + SEEN, GIVENS_ISA="mmx").splitlines()[3] == "unknown"


def test_info_tells_other_libraries_of_the_same_file_name(tmp_path: Path) -> None:
    other = tmp_path / "_core.so"
    shutil.copy(importlib.util.find_spec("numpy.fft._pocketfft_umath").origin, other)
    load = f"    {IMPORTS[0]}; import ctypes; ctypes.CDLL({str(other)!r})"
    assert run(load + SEEN).splitlines()[-1] != str(other)


LIMITS = """
    from threadpoolctl import threadpool_limits
    seen = [givens.get_num_threads()]
    with threadpool_limits(limits=1):
        seen.append(givens.get_num_threads())
        with threadpool_limits(limits=2, user_api="givens"):
            seen.append(givens.get_num_threads())
        with threadpool_limits(limits=2, user_api="blas"):
            seen.append(givens.get_num_threads())
    seen.append(givens.get_num_threads())
    threadpool_limits(limits={"givens": 2})
    seen.append(givens.get_num_threads())
    print(seen)
"""


@pytest.mark.parametrize("imports", IMPORTS)
def test_limits_are_set_and_restored(imports: str) -> None:
    assert run(f"    {imports}" + LIMITS, GIVENS_NUM_THREADS="3") == "[3, 1, 2, 1, 3, 2]"


@needs_proc
@needs_threads
def test_limits_hold_for_calls() -> None:
    limit = f"{IMPORTS[0]}; threadpoolctl.threadpool_limits(1)"
    assert started_threads(limit, GIVENS_NUM_THREADS="3") == 0
    assert started_threads(limit, arguments="num_threads=2", GIVENS_NUM_THREADS="3") == 1


def test_limits_of_threads_do_not_disturb_each_other() -> None:
    script = """
        import threading, givens, threadpoolctl
        givens.register_threadpoolctl()
        entered, left = threading.Barrier(2), threading.Barrier(2)

        def first():
            with threadpoolctl.threadpool_limits(1):
                entered.wait()
            left.wait()

        thread = threading.Thread(target=first)
        thread.start()
        entered.wait()
        with threadpoolctl.threadpool_limits(2):
            left.wait()
        thread.join()
        print(givens.get_num_threads())
    """
    assert run(script, GIVENS_NUM_THREADS="3") == "3"


def test_givens_does_not_import_threadpoolctl() -> None:
    assert run("import sys, givens; print('threadpoolctl' in sys.modules)") == "False"


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("None", "import of threadpoolctl halted"),
        ("types.ModuleType('threadpoolctl')", "needs threadpoolctl 3.2 or later"),
    ],
    ids=["not installed", "too old"],
)
def test_registering_needs_a_threadpoolctl_that_can(module: str, message: str) -> None:
    script = f"""
        import sys, types
        sys.modules["threadpoolctl"] = {module}
        import givens
        try:
            givens.register_threadpoolctl()
        except ImportError as error:
            print(givens.get_num_threads(), error)
    """
    printed = run(script, GIVENS_NUM_THREADS="3")
    assert printed.startswith("3 ")
    assert message in printed
