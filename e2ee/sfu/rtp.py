"""RTP packets, as far as a forwarding unit looks at them: the header, and no byte of a frame beyond what the codec leaves clear.

source's packet    header | extensions | payload [| padding]
sink's packet      header | own send time | the same payload [| the same padding]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from types import MappingProxyType

__all__ = [
    "BEGINS_KEY_FRAME",
    "HEADER",
    "MARKER",
    "PADDING",
    "Packet",
    "abs_send_time",
    "begins_h264_key_frame",
    "begins_vp8_key_frame",
    "payload_of",
    "send_time",
]

HEADER = Struct("!BBHLL")
"""RFC 3550 Section 5.1: V, P, X, CC; M, PT; sequence number; timestamp; SSRC."""

MARKER = 0x80
PADDING = 0x20
_EXTENSION = 0x10
_ONE_BYTE_EXTENSIONS = 0xBEDE

_EXTENSION_HEADER = Struct("!HH")

_NAL_TYPE = 0x1F
_SPS, _STAP_A, _FU_A = 7, 24, 28
"""Types of NAL units and of payloads that hold several, or a part of one (RFC 6184 Section 5.2)."""


class Packet:
    """A packet of a stream on its way from a source to its sinks, which share it.

    ``index`` is its sequence number, extended so that it never wraps. ``flags`` has the padding bit of the first byte,
    ``marker`` the marker bit of the second one.
    """

    __slots__ = ("flags", "index", "marker", "payload", "timestamp")

    def __init__(self, index: int, flags: int, marker: int, timestamp: int, payload: bytes) -> None:
        self.index = index
        self.flags = flags
        self.marker = marker
        self.timestamp = timestamp
        self.payload = payload


def payload_of(data: bytes) -> tuple[int, bytes] | None:
    """(flags, payload with its padding) of an RTP packet; None if it is cut off, or nothing but padding."""
    first = data[0]
    start = HEADER.size + 4 * (first & 0x0F)
    if first & _EXTENSION:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * _EXTENSION_HEADER.unpack_from(data, start)[1]
    if start >= len(data):
        return None
    flags = first & PADDING
    if flags and not 0 < data[-1] < len(data) - start:
        return None
    return flags, data[start:]


def abs_send_time(data: bytes, extension_id: int) -> int | None:
    """The 24 bits of that header extension (RFC 8285 Section 4.2, one-byte headers), if the packet has them."""
    first = data[0]
    position = HEADER.size + 4 * (first & 0x0F)
    if not first & _EXTENSION or len(data) < position + 4:
        return None
    profile, words = _EXTENSION_HEADER.unpack_from(data, position)
    end = min(position + 4 + 4 * words, len(data))
    position += 4
    if profile != _ONE_BYTE_EXTENSIONS:
        return None
    while position < end:
        element = data[position]
        length = (element & 0x0F) + 1 if element else 0
        if element >> 4 == extension_id and length == 3 and position + 4 <= end:
            return int.from_bytes(data[position + 1 : position + 4], "big")
        position += 1 + length
    return None


def send_time(extension_id: int, time: int) -> bytes:
    """The header extension block that says that a packet was sent at ``time`` (24 bits)."""
    element = extension_id << 4 | 2
    return _EXTENSION_HEADER.pack(_ONE_BYTE_EXTENSIONS, 1) + (element << 24 | time).to_bytes(
        4, "big"
    )


def begins_vp8_key_frame(payload: bytes) -> bool:
    """Whether this payload is the first of a key frame (RFC 7741 Section 4.2, RFC 6386 Section 9.1; the bit is clear, CODEC-2)."""
    if (
        len(payload) < 2 or payload[0] & 0x17 != 0x10
    ):  # S is set and PID is 0 in the first packet of a frame only
        return False
    position = 1
    if payload[0] & 0x80:  # X: which of the optional fields there are
        optional = payload[1]
        position = 2
        if optional & 0x80 and len(payload) > position:  # I: PictureID, of 7 or 15 bits
            position += 2 if payload[position] & 0x80 else 1
        position += bool(optional & 0x40) + bool(optional & 0x30)  # L; T or K
    return len(payload) > position and not payload[position] & 1


def begins_h264_key_frame(payload: bytes) -> bool:
    """Whether this payload brings a sequence parameter set, with which a key frame begins (RFC 6184 Section 5.4; CODEC-10).

    Who joined at the slice behind it would lack a part of the frame that is authenticated.
    """
    type_ = payload[0] & _NAL_TYPE if payload else 0
    if type_ == _STAP_A:  # each NAL unit behind its length, of two bytes
        position = 1
        while position + 2 < len(payload):
            if payload[position + 2] & _NAL_TYPE == _SPS:
                return True
            position += 2 + int.from_bytes(payload[position : position + 2], "big")
        return False
    if type_ == _FU_A:
        return len(payload) > 1 and bool(payload[1] & 0x80) and payload[1] & _NAL_TYPE == _SPS
    return type_ == _SPS


BEGINS_KEY_FRAME: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {"VP8": begins_vp8_key_frame, "H264": begins_h264_key_frame}
)
"""By the name of a codec in SDP. A codec that is not here has no key frames: its streams can be joined anywhere."""
