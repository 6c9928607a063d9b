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


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def _steady() -> int:
    """Nanoseconds that never go back; where the system can tell, those in which the machine sleeps count too."""
    return time.monotonic_ns() if _BOOTTIME is None else time.clock_gettime_ns(_BOOTTIME)


def system_clock() -> Clock:
    """A clock that is right now and stays even."""
    offset = time.time_ns() - _steady()
    return lambda: (offset + _steady()) // _NANOSECONDS
