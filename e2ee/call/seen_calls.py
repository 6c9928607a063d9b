"""Which calls there have been: CALL-3's "one whose `call_id` it has seen before", also after a restart.

A single-use KeyPackage opens one Welcome, but a last resort opens any again, and a clock that was set back makes an old
offer young. So a call_id is remembered for longer than any KeyPackage waits: after that no Welcome of it opens.
"""

from __future__ import annotations

from typing import Protocol

from e2ee.profile.leaves import MAX_LIFETIME

__all__ = ["SEEN_FOR", "MemorySeenCalls", "SeenCalls"]

SEEN_FOR = (MAX_LIFETIME + 2 * 24 * 3600) * 1000
"""For how long a call_id is remembered, in milliseconds: a KeyPackage's longest life, and KEYS-8's tolerance twice."""


class SeenCalls(Protocol):
    """A set of call_ids, 16 bytes each. A write has happened when its call returns."""

    def seen(self, call_id: bytes) -> bool:
        """Whether this call was noted, at most ``SEEN_FOR`` ago."""

    def note(self, call_id: bytes, now: int) -> None:
        """Remember a call, before anything is done about it; forget those older than ``SEEN_FOR``. ``now`` in Unix ms."""


class MemorySeenCalls:
    """A store that forgets when its process ends."""

    def __init__(self) -> None:
        self._noted: dict[bytes, int] = {}

    def seen(self, call_id: bytes) -> bool:
        return call_id in self._noted

    def note(self, call_id: bytes, now: int) -> None:
        self._noted = {each: at for each, at in self._noted.items() if at >= now - SEEN_FOR}
        self._noted[call_id] = now
