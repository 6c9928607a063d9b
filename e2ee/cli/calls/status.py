"""What there is to see of a call at one moment: the live view's content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from e2ee.call.sent_media import SentMedia
from e2ee.cli.calls.shown import digits
from e2ee.client.group_media import GroupStatistics
from e2ee.profile.suites import HYBRID, X25519
from e2ee.rtc.peer import PeerStatistics

__all__ = ["Passed", "Shown", "Status", "media_in_words", "suite_name"]

_SUITES = {
    X25519.mls: "X25519, AES-128-GCM",
    HYBRID.mls: "ML-KEM-768 with X25519, AES-256-GCM",
}


def suite_name(mls_suite: int) -> str:
    """What agrees and protects keys, by the MLS suite's code point."""
    return _SUITES.get(mls_suite, f"{mls_suite:#06x}")


def media_in_words(sent: SentMedia) -> str:
    """What a side sends."""
    if sent.on_hold:
        return "on hold"
    kinds = {"microphone": sent.microphone, "camera": sent.camera, "screen": sent.screen}
    return ", ".join(kind for kind, sends in kinds.items() if sends) or "nothing"


class Shown(Protocol):
    """What a live view shows."""

    def rows(self) -> Iterable[tuple[str, str]]:
        """Label and value, line by line; what is not known yet, or has nothing to say, is left out."""


@dataclass
class Passed:
    """What passed of media so far. Rates are in bits a second."""

    sent: int = 0
    opened: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    bit_rate: float = 0.0
    _bytes: int = 0

    def measure(self, statistics: PeerStatistics | GroupStatistics, seconds: float) -> None:
        """Take what passed so far, ``seconds`` after the last time."""
        received = statistics.received.values()
        total = sum(each.bytes for each in received)
        self.bit_rate, self._bytes = max(0, total - self._bytes) * 8 / seconds, total
        self.sent = sum(each.frames for each in statistics.sent.values())
        self.opened = sum(each.opened for each in received)
        self.rejected = Counter()
        for each in received:
            self.rejected.update({str(reason): count for reason, count in each.rejected.items()})

    def figures(self) -> dict[str, object]:
        """The numbers."""
        return {"sent": self.sent, "opened": self.opened, "rejected": dict(self.rejected)}

    def frames(self) -> str:
        """The numbers in a line."""
        rejected = ", ".join(f"{count} {reason}" for reason, count in self.rejected.items())
        return f"{self.sent} sent, {self.opened} opened, {rejected or '0'} rejected"


@dataclass
class Status:
    """See the module. ``who`` may be shown as it is."""

    who: str
    is_text: bool
    state: str = "begins"
    ringing: list[str] = field(default_factory=list)
    safety: str = ""
    call_code: str = ""
    suite: int | None = None
    epoch: int | None = None
    passed: Passed = field(default_factory=Passed)
    lag: int = 0
    interruptions: int = 0
    stopped: str = ""
    ours: SentMedia = field(default_factory=SentMedia)
    theirs: SentMedia = field(default_factory=SentMedia)
    typing: bool = False

    def rows(self) -> Iterator[tuple[str, str]]:
        """As for every view."""
        yield self.who, self.state
        if self.ringing:
            yield "rings", ", ".join(self.ringing)
        if self.safety:
            yield "safety", self.safety
        if self.call_code:
            yield "call code", digits(self.call_code)
        if self.suite is not None:
            yield "keys", f"epoch {self.epoch}, {suite_name(self.suite)}"
        if not self.is_text and self.suite is not None:
            yield "frames", self.passed.frames()
            yield (
                "comes",
                f"{self.passed.bit_rate / 1000:.0f} kbit/s: {media_in_words(self.theirs)}",
            )
            yield "goes", media_in_words(self.ours)
        troubles = [
            self.stopped,
            f"{self.lag / 1000:.1f} s late" if self.lag else "",
            f"{self.interruptions} interruptions" if self.interruptions else "",
        ]
        if any(troubles):
            yield "trouble", "; ".join(filter(None, troubles))
        if self.typing:
            yield "", "they write…"
