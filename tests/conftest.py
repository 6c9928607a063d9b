"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE, else ``ci`` in CI and ``dev`` elsewhere.

``dev``      a quick random look at every run, which remembers in .hypothesis what failed;
``ci``       derandomised: the same examples at every run, so that a failure is the change's; it prints how to repeat one;
``explore``  random and many examples, run on demand, of some tests rather than of all:

                 make explore PYTEST="tests/mls -k commit"

             What it finds is pinned with ``@example``, or as a file where a fuzz target found it (tests/fuzz).

A test that costs more than others takes a part of the profile's examples (``settings().max_examples // 10``) rather than a number
of its own: then ``explore`` explores it too. No profile has a deadline: how long an example takes is the machine's business.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow]

settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=SLOW_IS_FINE)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=SLOW_IS_FINE,
)
settings.register_profile(
    "explore",
    max_examples=20_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
)
