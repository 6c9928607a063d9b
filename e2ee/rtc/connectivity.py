"""Whether anything comes from the peer: sooner known than by ICE.

aioice gives a path up after six of its consent checks (RFC 7675) failed, which takes some 35 s. But a peer reports by
RTCP about once a second for each stream, whether it sends media or not, so a silence of a few seconds says that the
path is interrupted. Only packets count whose SRTP tag was right.
"""

from __future__ import annotations

import asyncio

from e2ee.rtc.clock import Clock

__all__ = ["INTERRUPTED", "Connectivity"]

INTERRUPTED = 4_000
"""Milliseconds of silence that are an interruption."""


class Connectivity:
    """Of one connection. ``end`` is the end of it, and of all waiting here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock()
        self._came = asyncio.Event()
        self._ended = asyncio.Event()

    def note(self) -> None:
        """Something authentic came."""
        self._last = self._clock()
        self._came.set()

    def end(self) -> None:
        """Nothing comes any more."""
        self._ended.set()
        self._came.set()

    @property
    def silence(self) -> int:
        """Milliseconds since something authentic came."""
        return self._clock() - self._last

    async def ended(self) -> None:
        """Wait for the end."""
        await self._ended.wait()

    async def interrupted(self, after: int = INTERRUPTED) -> None:
        """Wait for a silence of ``after`` milliseconds, or the end."""
        while not self._ended.is_set() and (left := after - self.silence) > 0:
            try:
                async with asyncio.timeout(left / 1_000):
                    await self._ended.wait()
            except TimeoutError:
                pass  # and something may have come meanwhile

    async def restored(self) -> None:
        """Wait for the next packet, or the end."""
        if not self._ended.is_set():
            self._came.clear()
        await self._came.wait()
