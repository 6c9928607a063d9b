"""How much the forwarding unit takes, and its times (SFU-5, SFU-6, SFU-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "DEFAULT_WANTED",
    "HISTORY",
    "KEY_FRAME_INTERVAL",
    "MAX_PACKET",
    "MAX_PUBLISHED",
    "MAX_SUBSCRIBED",
    "MAX_WANTED",
    "OFFERS_EACH_SECOND",
    "REPORT_INTERVAL",
    "RESENT_EACH_SECOND",
    "TAKEN_EACH_SECOND",
    "Limits",
]

MAX_PUBLISHED = 8  # SFU-9: m-sections of a publishing description
MAX_SUBSCRIBED = 128  # m-sections of a subscribing connection
MAX_WANTED = 16  # SFU-6: videos
OFFERS_EACH_SECOND = 4  # SFU-4: to a device
DEFAULT_WANTED = 9  # SFU-6: videos, before the first ``want_media``
HISTORY = 512  # SFU-5: packets of a stream; a power of 2
KEY_FRAME_INTERVAL = 300  # SFU-5: milliseconds
MAX_PACKET = 1_340  # bytes of RTP: with a header extension and RTX's two bytes it is still one that libsrtp takes
RESENT_EACH_SECOND = (
    600  # packets of a stream, to one member: twice what a picture of 1.5 Mbit/s has
)
REPORT_INTERVAL = 200  # milliseconds between two sender reports that are passed on
TAKEN_EACH_SECOND: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"audio": (500, 1 << 16), "video": (3_000, 5 << 19)}
)
"""SFU-9: packets and bytes of a stream, by its kind; everybody is sent them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one unit takes in all."""

    calls: int = 1_000
    members: int = 1_024
    """Of one call."""
