"""Settings for all tests."""

import os

# NumPy's matrix products here are small, and its threads only get in each other's way. Before NumPy
# is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

# No test may depend on speed, and a build server must see the same examples every time.
settings.register_profile(
    "givens",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("givens")
