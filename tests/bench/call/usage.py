"""What a process takes of the machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["Usage"]


@dataclass(frozen=True)
class Usage:
    """``at`` in seconds of the monotonic clock. Since the process began: ``cpu`` in seconds; seconds in which it ``waited``
    for a core that others had (the main thread); bytes ``written`` to disks. ``memory`` is resident, in bytes.
    """

    at: float
    cpu: float
    waited: float
    written: int
    memory: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Of any process. Linux only; the kernel counts ticks of 10 ms."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        counted = Path(f"/proc/{pid}/io").read_text()
        (written,) = (line for line in counted.splitlines() if line.startswith("write_bytes:"))
        cpu = ticks / os.sysconf("SC_CLK_TCK")
        waited = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
        return cls(time.monotonic(), cpu, waited, int(written.split()[1]), memory)

    @classmethod
    def of_this_process(cls) -> Usage:
        """The same, of this one, and finer."""
        known = cls.of(os.getpid())
        return replace(known, cpu=time.process_time())
