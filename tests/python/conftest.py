"""Settings for all tests."""

import os

# The matrix products of NumPy and PyTorch here are small, and their threads only get in each
# other's way. Before they are loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# XLA would take longer to optimise programs than these run.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

import pytest
from hypothesis import HealthCheck, settings

# No test may depend on speed, and a build server must see the same examples every time.
settings.register_profile(
    "givens",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("givens")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail if tests were skipped that `make test-cuda-python` has built everything for."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if "GIVENS_CUDA_MODULE" in os.environ and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
