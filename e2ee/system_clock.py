"""The shells' clock: Unix time, read once, then advanced by the monotonic clock, so that it never jumps.

The core takes time as an argument; shells (server, client, demo) take it from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "system_clock"]

Clock = Callable[[], int]
"""Gives Unix milliseconds."""

_NANOSECONDS = 1_000_000


def system_clock() -> Clock:
    """A clock that is right now and stays even."""
    offset = time.time_ns() - time.monotonic_ns()
    return lambda: (offset + time.monotonic_ns()) // _NANOSECONDS
