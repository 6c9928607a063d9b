"""How much the forwarding unit takes, and its times (SFU-5, SFU-6, SFU-9)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DEFAULT_WANTED",
    "HISTORY",
    "KEY_FRAME_INTERVAL",
    "MAX_PUBLISHED",
    "MAX_SUBSCRIBED",
    "MAX_WANTED",
    "Limits",
]

MAX_PUBLISHED = 8  # SFU-9: m-sections of a publishing description
MAX_SUBSCRIBED = 128  # m-sections of a subscribing connection
MAX_WANTED = 16  # SFU-6: videos
DEFAULT_WANTED = 9  # SFU-6: videos, before the first ``want_media``
HISTORY = 512  # SFU-5: packets of a stream
KEY_FRAME_INTERVAL = 300  # SFU-5: milliseconds


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one unit takes in all."""

    calls: int = 1_000
    members: int = 1_024
    """Of one call."""
