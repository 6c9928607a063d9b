"""The audio of a voice message: Opus packets of 20 ms in a row, each after its length as u16 (LETTER-5)."""

from __future__ import annotations

from collections.abc import Iterable

from e2ee.errors import DecodeError, DecodeReason

__all__ = ["MAX_PACKET", "PACKET_DURATION", "join_packets", "split_packets"]

PACKET_DURATION = 20
"""Milliseconds of speech in a packet."""

MAX_PACKET = 1276
"""RFC 6716 Section 3.4: the TOC byte and one frame of at most 1,275 bytes."""

_OF_20_MS = frozenset({1, 5, 9, 13, 15, 19, 23, 27, 31})
"""RFC 6716 Section 3.1, Table 2: the configurations whose frames have 20 ms."""


def join_packets(packets: Iterable[bytes]) -> bytes:
    """The ``audio`` of these packets. Raises DecodeError, as ``split_packets`` would."""
    audio = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
    split_packets(audio)
    return audio


def split_packets(audio: bytes) -> tuple[bytes, ...]:
    """The packets, at least one. Raises DecodeError."""
    packets: list[bytes] = []
    position = 0
    while position < len(audio) or not packets:
        start = position + 2
        position = start + int.from_bytes(audio[position:start], "big")
        packet = audio[start:position]
        if position > len(audio) or start > len(audio):
            raise DecodeError(DecodeReason.TRUNCATED, f"packet {len(packets)}")
        # LETTER-5: "1 to 1,276 bytes, whose TOC byte says one frame of 20 ms"
        if not 1 <= len(packet) <= MAX_PACKET:
            raise DecodeError(DecodeReason.BAD_LENGTH, f"packet {len(packets)}")
        if packet[0] >> 3 not in _OF_20_MS or packet[0] & 0b11:
            raise DecodeError(DecodeReason.UNKNOWN_VALUE, f"packet {len(packets)} is not of 20 ms")
        packets.append(packet)
    return tuple(packets)
