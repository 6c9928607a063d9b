"""Whose CPU time goes where in a simulated call, and how many bytes go to how many connections.

    meter.begin("removal")                       a step: whatever follows belongs to it
    with meter.spending("viewer", "committed"):  somebody works
    meter.carried("committed", sizes)            the service has sent so many bytes to each of so many connections

Time is this thread's CPU time, so what else the machine does counts little. All of it is one process, whose heap is as large
as all members together: garbage collection looks only at what came after ``settle_heap``.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Carried", "Meter", "Spent", "Step", "settle_heap"]


@dataclass(frozen=True)
class Step:
    """Something that is done several times, and which time it is."""

    name: str
    number: int


@dataclass(frozen=True)
class Spent:
    """CPU time of ``who``, of one sort, for ``what``: the name of a message that came, or what was done. ``one`` of them."""

    step: Step
    who: str
    one: int
    what: str
    milliseconds: float


@dataclass(frozen=True)
class Carried:
    """What came of one request: so many ``copies``, of ``size`` bytes in all, the longest of ``longest``."""

    step: Step
    what: str
    size: int
    copies: int
    longest: int


class Meter:
    """See the module."""

    def __init__(self) -> None:
        self.spent: list[Spent] = []
        self.sent: list[Carried] = []
        self._numbers: dict[str, int] = {}
        self._step = Step("", 0)

    def begin(self, name: str) -> Step:
        """What follows is a step of this name, until the next one begins."""
        self._numbers[name] = self._numbers.get(name, 0) + 1
        self._step = Step(name, self._numbers[name])
        return self._step

    @contextlib.contextmanager
    def spending(self, who: str, what: str, one: int = 0) -> Iterator[None]:
        """This block is work of somebody."""
        began = time.thread_time()
        try:
            yield
        finally:
            taken = (time.thread_time() - began) * 1e3
            self.spent.append(Spent(self._step, who, one, what, taken))

    def carried(self, what: str, sizes: Sequence[int]) -> None:
        """One request made messages of these sizes."""
        self.sent.append(Carried(self._step, what, sum(sizes), len(sizes), max(sizes, default=0)))


def settle_heap() -> None:
    """What there is now is no garbage, and not looked at again."""
    gc.collect()
    gc.freeze()
