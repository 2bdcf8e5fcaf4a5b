"""Scripts in Python processes of their own."""

import os
import subprocess
import sys
import textwrap

import pytest

import givens

needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux's /proc")
needs_threads = pytest.mark.skipif(
    givens._core.backend() == "reference", reason="the reference engine has one thread"
)


def with_devices(count: int) -> str:
    """Return XLA_FLAGS for as many devices on the CPU, beside what these tests set."""
    return f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={count}"


def run(script: str, **environment: str) -> str:
    """Run a script, which must succeed, and return what it prints."""
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


def started_threads(
    setup: str = "", *, n: int = 256, batch: int = 64, arguments: str = "", **environment: str
) -> int:
    """Count the threads that a process starts for its first call of `matrix`."""
    script = f"""
        import os, numpy as np, givens
        {setup}
        s = givens.Schedule.xor({n})
        angles = np.ones(({batch}, s.num_rotations), np.float32)
        before = len(os.listdir("/proc/self/task"))
        givens.matrix(angles, s, {arguments})
        print(len(os.listdir("/proc/self/task")) - before)
    """
    return int(run(script, **environment))
