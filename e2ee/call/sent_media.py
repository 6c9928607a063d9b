"""Which of its media a side of a call sends (CALL-26)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SentMedia"]


@dataclass(frozen=True, slots=True)
class SentMedia:
    """What a side sends (CALL-26)."""

    microphone: bool = False
    camera: bool = False
    screen: bool = False
    on_hold: bool = False
