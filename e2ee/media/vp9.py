"""VP9: packetisers take what they need from the encoder, and write it before the frame (RFC 9628); of a frame nothing is clear.

Whether a frame is a key frame stands in its uncompressed header (VP9 bitstream specification, Section 6.2), which is encrypted:
depacketisers and forwarding units know it from the bit P of the payload descriptor (RFC 9628 Section 4.2).
"""

from __future__ import annotations

__all__ = ["CLEAR_LENGTH", "is_key_frame"]

CLEAR_LENGTH = (0,) * 256
"""How many bytes of a frame are clear, by its first byte."""

_FRAME_MARKER = 0b10


def is_key_frame(frame: bytes) -> bool:
    """Whether a decoder can begin with it: ``frame_marker`` 2, ``show_existing_frame`` and ``frame_type`` 0."""
    first = frame[0]
    if first >> 6 != _FRAME_MARKER:
        return False
    profile = (first >> 5 & 1) | (first >> 4 & 1) << 1
    return not first >> (1 if profile == 3 else 2) & 3
