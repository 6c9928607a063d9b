"""Time in media: the device's clock, and the clocks that RTP timestamps count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from e2ee.media.encoded_frame import Codec

__all__ = ["CLOCK_RATE", "Clock"]

Clock = Callable[[], int]
"""Unix time in milliseconds, which never goes back."""

CLOCK_RATE: Mapping[Codec, int] = MappingProxyType(
    {Codec.OPUS: 48_000, Codec.VP8: 90_000, Codec.VP9: 90_000, Codec.H264: 90_000}
)
"""In Hz: RFC 7587, RFC 7741 and RFC 9628, Section 4.1 each; RFC 6184, Section 5.1."""
