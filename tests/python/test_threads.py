"""Threads of the engine: same results for any number, forks, many callers, the environment."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import givens
from givens import Schedule


def everything(schedule: Schedule, batch: tuple[int, ...], num_threads: int | None) -> list[bytes]:
    """Every function's results, as bytes; large enough that threads are used."""
    random = np.random.default_rng(0)
    n = schedule.n
    angles = random.standard_normal((*batch, schedule.num_rotations), np.float32)
    x = random.standard_normal((*batch, 300, n), np.float32)
    U = givens.matrix(angles, schedule, num_threads=num_threads)
    y = givens.rotate(x, angles, schedule, num_threads=num_threads)
    results = [
        U,
        y,
        givens.rotate(y, angles, schedule, inverse=True, num_threads=num_threads),
        givens.matrix_vjp(U, np.cos(U), angles, schedule, num_threads=num_threads),
        *givens.rotate_vjp(y, np.cos(y), angles, schedule, num_threads=num_threads),
    ]
    return [result.tobytes() for result in results]


@pytest.mark.parametrize("batch", [(), (3,), (40,)])
@pytest.mark.parametrize("schedule", [Schedule.xor(160), Schedule.circle(161)])
def test_same_bits_for_any_number_of_threads(schedule, batch) -> None:
    alone = everything(schedule, batch, 1)
    for num_threads in (2, 3, 7, None):
        assert everything(schedule, batch, num_threads) == alone


def test_many_callers_at_once() -> None:
    schedule = Schedule.xor(160)
    alone = everything(schedule, (), 1)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: everything(schedule, (), 2), range(24)):
            assert result == alone


def run(script: str, **environment: str) -> str:
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


FORK = """
    import os, numpy as np, givens
    s = givens.Schedule.xor(256)
    angles = np.ones(s.num_rotations, np.float32)
    before = givens.matrix(angles, s, num_threads=2)  # starts the threads
    child = os.fork()
    if child == 0:
        same = np.array_equal(givens.matrix(angles, s, num_threads=2), before)
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert np.array_equal(givens.matrix(angles, s, num_threads=2), before)
    print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_has_threads_again() -> None:
    run(FORK, OPENBLAS_NUM_THREADS="1")


COUNT_THREADS = """
    import os, numpy as np, givens
    s = givens.Schedule.xor(256)
    before = len(os.listdir("/proc/self/task"))
    givens.matrix(np.ones((64, s.num_rotations), np.float32), s)
    print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux's /proc")
@pytest.mark.parametrize("threads", [1, 3])
def test_environment_says_how_many_threads(threads: int) -> None:
    if givens._core.backend() == "reference":
        threads = 1  # it has none
    assert run(COUNT_THREADS, GIVENS_NUM_THREADS=str(threads)) == str(threads - 1)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux's /proc")
def test_small_calls_stay_on_the_callers_thread() -> None:
    script = COUNT_THREADS.replace("xor(256)", "xor(16)").replace("(64, ", "(2, ")
    assert run(script, GIVENS_NUM_THREADS="4") == "0"


@pytest.mark.parametrize("name", givens._core.backends())
def test_environment_names_the_engine(name: str) -> None:
    assert run("import givens; print(givens._core.backend())", GIVENS_ISA=name) == name


def test_unknown_engine_is_refused() -> None:
    script = """
        import numpy as np, givens
        try:
            givens.matrix(np.zeros(1), givens.Schedule.xor(2))
        except ValueError as error:
            print(error)
    """
    message = run(script, GIVENS_ISA="mmx")
    assert message.startswith("the environment variable GIVENS_ISA must be one of reference")
    assert message.endswith("on this machine, got mmx")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "num_threads must be at least 1, got 0"),
        (-2, ValueError, "num_threads must be at least 1, got -2"),
        (1.0, TypeError, "num_threads must be an integer, got float"),
        ("2", TypeError, "num_threads must be an integer, got str"),
    ],
)
def test_wrong_number_of_threads(value, error, message) -> None:
    s, angles, x = Schedule.xor(2), np.zeros(1), np.zeros(2)
    for call in (
        lambda: givens.matrix(angles, s, num_threads=value),
        lambda: givens.rotate(x, angles, s, num_threads=value),
        lambda: givens.rotate_vjp(x, x, angles, s, num_threads=value),
        lambda: givens.matrix_vjp(np.eye(2), np.eye(2), angles, s, num_threads=value),
    ):
        with pytest.raises(error, match=f"^{message}$"):
            call()
