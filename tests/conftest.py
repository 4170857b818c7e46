"""Settings for all tests."""

import os

from hypothesis import HealthCheck, settings

# a shared machine may stall any example: no test is timed. In CI the same examples every time.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("steady")
