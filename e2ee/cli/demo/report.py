"""What a demo's process found out about its call, as it comes over a pipe: one JSON object.

Everything in it may be shown: figures, codes that two people compare, no key.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PeerReport", "StreamReport"]


@dataclass(frozen=True)
class StreamReport:
    """One kind of stream at one device: frames that it sent, that it opened, and that it rejected, by reason."""

    sent: int
    opened: int
    rejected: dict[str, int]


@dataclass(frozen=True)
class PeerReport:
    """One side of the call."""

    role: str
    suite: int
    safety_number: str
    call_codes: dict[str, str]
    """By the number of the epoch."""
    streams: dict[str, StreamReport]
    """By the name of the kind."""
    pictures: int
    psnr: float | None
    """Mean over all test pictures, in dB."""
    gap_at_epoch_change: int
    """The most frame numbers that are missing between two pictures around a change of epoch."""
    tone: float
    """The strongest frequency of what was heard, in Hz."""
    recording: str
    memory: int
    """Largest resident set of the process, in bytes."""

    def encode(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, fields: dict[str, Any]) -> PeerReport:
        """The report of an object that ``encode`` wrote."""
        streams = {kind: StreamReport(**stream) for kind, stream in fields["streams"].items()}
        return cls(**{**fields, "streams": streams})
