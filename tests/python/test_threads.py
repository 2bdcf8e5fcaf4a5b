"""Threads of the engine: same results for any number, forks, many callers, how many there are."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import givens
from givens import Schedule
from scripts import needs_proc, needs_threads, run, started_threads


def everything(schedule: Schedule, batch: tuple[int, ...], num_threads: int | None) -> list[bytes]:
    """Return every function's results as bytes; they are large enough for threads to be used."""
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
        givens.matrix_vjp(U, np.cos(U), angles, schedule, num_threads=num_threads).angles,
        *givens.rotate_vjp(y, np.cos(y), angles, schedule, num_threads=num_threads)[:2],
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


SCHEDULE = Schedule.xor(192)
ANGLES = np.ones(SCHEDULE.num_rotations, np.float32)
SQUARE = np.eye(SCHEDULE.n, dtype=np.float32)

CALLS: dict[str, Callable[[], object]] = {
    "matrix": lambda: givens.matrix(ANGLES, SCHEDULE),
    "rotate": lambda: givens.rotate(SQUARE, ANGLES, SCHEDULE),
    "rotate_vjp": lambda: givens.rotate_vjp(SQUARE, SQUARE, ANGLES, SCHEDULE),
    "matrix_vjp": lambda: givens.matrix_vjp(SQUARE, SQUARE, ANGLES, SCHEDULE),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_release_the_gil(name: str) -> None:
    ran = threading.Event()
    may_run = threading.Lock()

    def other() -> None:
        with may_run:
            ran.set()

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=other)
    try:
        with may_run:
            thread.start()
            # From here on this thread keeps the GIL, unless what it calls releases it.
            sys.setswitchinterval(1000)
        for _ in range(10_000):
            CALLS[name]()
            if ran.is_set():
                break
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


# A child that hangs is ended by a signal, and has a status that shows it.
FORK = """
    import os, signal, threading, numpy as np, givens
    s = givens.Schedule.xor(192)
    angles = np.ones(s.num_rotations, np.float32)

    def status_of_child(body):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if body() else 1)
        return os.waitpid(child, 0)[1]

    def child_works():
        before = len(os.listdir("/proc/self/task"))
        three = givens.matrix(angles, s, num_threads=3)
        started = len(os.listdir("/proc/self/task")) - before
        return started == 2 and np.array_equal(givens.matrix(angles, s, num_threads=1), three)
"""

FORK_BETWEEN_CALLS = """
    before = givens.matrix(angles, s, num_threads=2)  # starts the threads
    assert status_of_child(child_works) == 0
    assert np.array_equal(givens.matrix(angles, s, num_threads=2), before)
"""

FORK_DURING_CALLS = """
    done = threading.Event()

    def work():
        while not done.is_set():
            givens.matrix(angles, s, num_threads=3)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    statuses = [status_of_child(child_works) for _ in range(30)]
    done.set()
    for worker in workers:
        worker.join()
    assert not any(statuses), statuses
"""

# The library has not been used yet in any child, and is in the middle of its first use, which
# chooses an engine, plans the schedule and starts threads, when the child forks.
FORK_DURING_FIRST_USE = """
    def child():
        use = lambda: givens.matrix(angles, s, num_threads=3)
        workers = [threading.Thread(target=use) for _ in range(3)]
        for worker in workers:
            worker.start()
        status = status_of_child(child_works)
        for worker in workers:
            worker.join()
        return status == 0

    statuses = [status_of_child(child) for _ in range(30)]
    assert not any(statuses), statuses
"""


@needs_proc
@needs_threads
@pytest.mark.parametrize("script", [FORK_BETWEEN_CALLS, FORK_DURING_CALLS, FORK_DURING_FIRST_USE])
def test_a_forked_child_has_threads_of_its_own(script: str) -> None:
    run(FORK + script, OPENBLAS_NUM_THREADS="1")


# Leaves less memory than the stack of a thread needs.
REFUSED_THREADS = """
    import os, resource, threading, numpy as np, givens
    s = givens.Schedule.xor(256)
    angles = np.ones(s.num_rotations, np.float32)
    alone = givens.matrix(angles, s, num_threads=1)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**22, before[1]))
    try:
        threading.Thread(target=print).start()
    except RuntimeError:
        pass
    else:
        raise AssertionError("there is memory for a thread")
    assert np.array_equal(givens.matrix(angles, s, num_threads=4), alone)
    resource.setrlimit(resource.RLIMIT_AS, before)
    threads = len(os.listdir("/proc/self/task"))
    assert np.array_equal(givens.matrix(angles, s, num_threads=4), alone)
    print(len(os.listdir("/proc/self/task")) - threads)
"""


@needs_proc
@needs_threads
def test_refused_threads_are_done_without() -> None:
    assert run(REFUSED_THREADS, OPENBLAS_NUM_THREADS="1") == "3"


@needs_proc
@needs_threads
@pytest.mark.parametrize("threads", [1, 3])
def test_environment_says_how_many_threads(threads: int) -> None:
    assert started_threads(GIVENS_NUM_THREADS=str(threads)) == threads - 1


@needs_proc
def test_small_calls_stay_on_the_callers_thread() -> None:
    assert started_threads(n=16, batch=2, GIVENS_NUM_THREADS="4") == 0


@needs_proc
@needs_threads
def test_set_num_threads_says_how_many_threads() -> None:
    assert started_threads("givens.set_num_threads(2)", GIVENS_NUM_THREADS="4") == 1


@needs_proc
@needs_threads
def test_num_threads_of_a_call_may_exceed_what_was_set() -> None:
    assert started_threads("givens.set_num_threads(1)", arguments="num_threads=3") == 2


@pytest.fixture
def initial() -> Iterator[int]:
    """Return the number of threads before anything is set, and unset it afterwards."""
    yield givens.get_num_threads()
    givens.set_num_threads(None)


def test_set_num_threads_is_undone_by_none(initial: int) -> None:
    givens.set_num_threads(initial + 1)
    assert givens.get_num_threads() == initial + 1
    givens.set_num_threads(np.int64(initial + 2))
    assert givens.get_num_threads() == initial + 2
    givens.set_num_threads(None)
    assert givens.get_num_threads() == initial


def test_set_num_threads_is_for_one_thread(initial: int) -> None:
    givens.set_num_threads(initial + 1)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(givens.get_num_threads).result() == initial
        pool.submit(givens.set_num_threads, initial + 2).result()
        assert pool.submit(givens.get_num_threads).result() == initial + 2
    assert givens.get_num_threads() == initial + 1


def test_wrong_set_num_threads_changes_nothing(initial: int) -> None:
    givens.set_num_threads(initial + 1)
    with pytest.raises(ValueError, match=r"^num_threads must be at least 1, got 0$"):
        givens.set_num_threads(0)
    with pytest.raises(TypeError, match=r"^num_threads must be an integer, got float$"):
        givens.set_num_threads(2.0)
    assert givens.get_num_threads() == initial + 1


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
