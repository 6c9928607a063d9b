"""What a process takes of the machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage"]


@dataclass(frozen=True)
class Usage:
    """``at`` in seconds of the monotonic clock, ``cpu`` in seconds since the process began, ``memory`` resident, in bytes."""

    at: float
    cpu: float
    memory: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Of any process. Linux only; the kernel counts ticks of 10 ms."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        return cls(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), memory)

    @classmethod
    def of_this_process(cls) -> Usage:
        """The same, of this one, and finer."""
        known = cls.of(os.getpid())
        return cls(known.at, time.process_time(), known.memory)
