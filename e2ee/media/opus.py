"""Opus: nothing on the way reads a frame, so nothing is clear (CODEC-1). What stands in for a frame that was lost."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLEAR_LENGTH", "StandIn", "stand_in"]

CLEAR_LENGTH = (0,) * 256
"""How many bytes of a frame are clear, by its first byte."""

_SAMPLE_RATE = 48_000
_CODE = 0x03
"""The bits of the first byte that say how many Opus frames follow; 0: one."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A packet that is no sound of its own: a decoder conceals with it what was lost. ``samples`` are at 48 kHz."""

    packet: bytes
    samples: int


def stand_in(frame: bytes) -> StandIn | None:
    """What stands in for a lost frame beside ``frame``; None where that is not one Opus frame.

    It is the first byte alone (the TOC, RFC 6716 Section 3.1): a frame of 0 bytes, which "indicates that no data is
    available" (Section 3.2.1), so that the decoder goes on from what it has, and fades.
    """
    toc = frame[0]
    if toc & _CODE:
        return None
    return StandIn(bytes([toc]), _samples(toc))


def _samples(toc: int) -> int:
    """The duration of a frame, by its configuration (RFC 6716, Table 2)."""
    size = toc >> 3 & 3
    if toc & 0x80:  # CELT: 2.5, 5, 10, 20 ms
        return (_SAMPLE_RATE // 400) << size
    if toc & 0x60 == 0x60:  # hybrid: 10, 20 ms
        return (_SAMPLE_RATE // 100) << (size & 1)
    return _SAMPLE_RATE * 60 // 1_000 if size == 3 else (_SAMPLE_RATE // 100) << size  # SILK
