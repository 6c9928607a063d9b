"""What a member of the demo's group found out, as it comes over a pipe: one JSON object. Everything in it may be shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "ForwardedReport",
    "GroupReport",
    "JoinReport",
    "MemberReport",
    "RemovedReport",
    "SeenReport",
]


@dataclass(frozen=True)
class SeenReport:
    """What a member had of another one: test pictures and how good they were (dB), the strongest tone (Hz), frames."""

    pictures: int
    psnr: float | None
    tone: float
    opened: int
    rejected: dict[str, int]


@dataclass(frozen=True)
class MemberReport:
    """A member of the group."""

    role: str
    account: str
    suite: int
    call_codes: dict[str, str]
    """By the number of the epoch."""
    seen: dict[str, SeenReport]
    """By account."""
    sent: int
    """Frames."""

    def encode(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, fields: dict[str, Any]) -> MemberReport:
        """The report of an object that ``encode`` wrote."""
        seen = {account: SeenReport(**each) for account, each in fields["seen"].items()}
        return cls(**{**fields, "seen": seen})


@dataclass(frozen=True)
class JoinReport:
    """Who came late. Milliseconds after it asked."""

    account: str
    after: int
    """Until it was in the group."""
    first_frame_after: int
    """Until it opened a frame of somebody else."""


@dataclass(frozen=True)
class RemovedReport:
    """Who was removed, kept every key, and tried them on all that the others sent. Milliseconds after the host removed it."""

    account: str
    everybody_on_after: int
    """Until the last of the others knew that all of them had gone on."""
    can_open_until: int
    """``removed_can_open_until``: the earliest that anybody showed."""
    tried: int
    """Frames of the others, from the group's beginning to its end."""
    opened_before: int
    """Of those that were sent until then: it has keys, and they are tried rightly."""
    opened_after: int
    """Of those that were sent later."""


@dataclass(frozen=True)
class GroupReport:
    """The group's part of the demo."""

    members: dict[str, MemberReport]
    """By role."""
    joined: JoinReport
    removed: RemovedReport


@dataclass(frozen=True)
class ForwardedReport:
    """What came to members by way of the forwarding unit, which has it as their taps have."""

    frames: int
    leaking: int
    """Those in which bytes of an encoder's output appear."""
