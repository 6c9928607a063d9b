"""The shell's clock is Unix time and never goes back."""

from __future__ import annotations

import time
from itertools import pairwise

from e2ee.system_clock import system_clock


def test_it_is_unix_time_in_milliseconds_and_never_goes_back() -> None:
    before = time.time_ns() // 1_000_000
    clock = system_clock()
    readings = [clock() for _ in range(100)]
    assert abs(readings[0] - before) < 60_000
    assert all(earlier <= later for earlier, later in pairwise(readings))
