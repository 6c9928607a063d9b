"""The binding ``sframe-rtp``: a protected frame in payloads of RTP packets, each behind one descriptor byte.

    descriptor  S E T 0 0 0 0 0        S: the frame's first payload, E: its last, T: of packets that were encrypted one by one
    payload     descriptor || some bytes of the protected frame

This is the payload format of draft-ietf-avtcore-rtp-sframe-02, Section 4, with T = 0 always: the whole frame is one plaintext,
with empty metadata, whatever its codec (FRAME-17). Descriptors are not authenticated: they only say how bytes belong together.

``payloads_of`` splits, ``PayloadJoiner`` joins what has come in the order of its sequence numbers. Neither knows a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from e2ee.errors import Reason
from e2ee.media import limits

__all__ = ["PayloadJoiner", "PayloadReason", "SFramePayload", "payloads_of"]

FIRST = 0x80
LAST = 0x40
NOT_OURS = 0x3F
"""T, and the bits that are reserved."""


def payloads_of(protected: bytes, largest: int) -> list[bytes]:
    """The payloads of a protected frame, of at most ``largest`` bytes each, all full but the last (FRAME-18).

    Raises ValueError for payloads that have no room for a byte of the frame.
    """
    if largest < 2 or not protected:
        raise ValueError(f"{len(protected)} bytes in payloads of {largest}")
    return list(_described(protected, largest - 1))


def _described(protected: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(protected), size):
        piece = protected[at : at + size]
        descriptor = FIRST * (at == 0) | LAST * (at + size >= len(protected))
        yield bytes([descriptor]) + piece


class PayloadReason(Reason):
    """Why a payload was refused, and the frame with it."""

    BAD_DESCRIPTOR = "BAD_DESCRIPTOR"
    """It has none, or nothing behind it, or one with other bits than S and E."""
    INCOMPLETE = "INCOMPLETE"
    """It does not go on where the payload before it ended, or there are too many."""


@dataclass(frozen=True, slots=True)
class SFramePayload:
    """The payload of a packet, without its padding, and what of its header says where it belongs."""

    sequence_number: int
    timestamp: int
    payload_type: int
    payload: bytes


class PayloadJoiner:
    """Joins the payloads of one stream, which come in the order of their sequence numbers, each once (FRAME-19).

    What is refused takes the frame with it that had begun; the next payload that begins one begins anew.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._last: SFramePayload | None = None

    def take(self, packet: SFramePayload) -> bytes | PayloadReason | None:
        """The frame that is whole with this one, or why not; None: there is more to come."""
        payload, last = packet.payload, self._last
        pieces, self._pieces, self._last = self._pieces, [], None
        if len(payload) < 2 or payload[0] & NOT_OURS:
            return PayloadReason.BAD_DESCRIPTOR
        begins, ends = payload[0] & FIRST, payload[0] & LAST
        if not begins and (last is None or not _follows(last, packet)):
            return PayloadReason.INCOMPLETE
        pieces = [payload[1:]] if begins else [*pieces, payload[1:]]
        if ends:
            return b"".join(pieces)
        if len(pieces) >= limits.PAYLOADS_OF_A_FRAME:
            return PayloadReason.INCOMPLETE
        self._pieces, self._last = pieces, packet
        return None


def _follows(last: SFramePayload, packet: SFramePayload) -> bool:
    """The same frame's next payload."""
    return (
        packet.sequence_number == (last.sequence_number + 1) & 0xFFFF
        and packet.timestamp == last.timestamp
        and packet.payload_type == last.payload_type
    )
