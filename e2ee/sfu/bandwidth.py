"""What the path to a member carries, by its own account, and what of its video is therefore held back (SFU-5).

A receiver estimates by when packets come, and says so (REMB: so many bits a second for these SSRCs). An estimate wavers,
and follows what is sent: it never says that more would fit. So video is held back when estimates stay below what is sent,
one stream after the other, the least important first, and tried again after a while, a longer one each time it was too
much. Audio is not counted, and never held back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Bandwidth", "VideoSink"]

FRESH = 5_000
"""Milliseconds that an estimate holds."""

SEVERE = 0.7
"""Of what is sent: an estimate below is no wavering."""

SEVERE_CHECKS = 3
MILD_CHECKS = 10
"""How many checks in a row, one a second, an estimate has to be below; afterwards as many pass until the next."""

FIRST_PAUSE, LONGEST_PAUSE = 5_000, 60_000
"""Milliseconds until a stream that is held back is tried again."""

PROVEN = 15_000
"""Milliseconds after which a stream that was tried again was not too much."""


class VideoSink(Protocol):
    """A stream of video to the member."""

    held_back: bool

    @property
    def ssrc(self) -> int: ...
    @property
    def bitrate(self) -> int: ...
    def choose(self, now: int, *, held_back: bool) -> None: ...


class Bandwidth:
    """Of one member. ``now`` is in milliseconds."""

    def __init__(self) -> None:
        self._estimates: dict[frozenset[int], tuple[int, int]] = {}  # SSRCs -> bits a second, when
        self._severe = self._mild = 0
        self._pause = FIRST_PAUSE
        self._tried_at: int | None = None
        self._next_try = 0

    def take(self, bitrate: int, ssrcs: Sequence[int], now: int) -> None:
        """The member's estimate for these streams together, in place of earlier ones for any of them."""
        named = frozenset(ssrcs)
        self._estimates = {
            others: estimate for others, estimate in self._estimates.items() if not others & named
        }
        if named:
            self._estimates[named] = bitrate, now

    def estimate(self, now: int) -> int | None:
        """What the path carries in all; None if nothing is known."""
        fresh = [bitrate for bitrate, at in self._estimates.values() if now - at <= FRESH]
        return sum(fresh) if fresh else None

    def check(self, sinks: Sequence[VideoSink], now: int) -> None:
        """Once a second: hold back, or try again. ``sinks`` are those that are wanted, the most important first."""
        estimated = self._estimated(now)
        flowing = [sink for sink in sinks if not sink.held_back]
        sent = sum(sink.bitrate for sink in flowing if sink.ssrc in estimated)
        carried = self.estimate(now)
        part = carried / sent if carried is not None and sent else 1.0
        self._mild = self._mild + 1 if part < 1 else 0
        self._severe = self._severe + 1 if part < SEVERE else 0
        if flowing and (self._severe >= SEVERE_CHECKS or self._mild >= MILD_CHECKS):
            self._hold_back(flowing[-1], now)  # SFU-5
        elif part >= 1:
            self._try_again(sinks, now)

    def _estimated(self, now: int) -> frozenset[int]:
        fresh = (ssrcs for ssrcs, (_, at) in self._estimates.items() if now - at <= FRESH)
        return frozenset().union(*fresh)

    def _hold_back(self, sink: VideoSink, now: int) -> None:
        self._severe = self._mild = 0
        if self._tried_at is not None and now - self._tried_at < PROVEN:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._next_try = now + self._pause
        self._forget(sink)
        sink.choose(now, held_back=True)

    def _forget(self, sink: VideoSink) -> None:
        """What it had of the path is not the others'."""
        self._estimates = {
            ssrcs: estimate
            for ssrcs, estimate in self._estimates.items()
            if ssrcs != frozenset({sink.ssrc})
        }

    def _try_again(self, sinks: Sequence[VideoSink], now: int) -> None:
        held_back = next((sink for sink in sinks if sink.held_back), None)
        if held_back is None:
            if self._tried_at is not None and now - self._tried_at >= PROVEN:
                self._pause, self._tried_at = FIRST_PAUSE, None
        elif now >= self._next_try:
            self._tried_at = now
            self._next_try = now + self._pause
            held_back.choose(now, held_back=False)
