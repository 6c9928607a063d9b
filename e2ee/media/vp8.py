"""VP8: payload headers (RFC 7741) and forwarding units read the beginning of a frame (CODEC-2).

Bit 0 of the first byte is 0 in a key frame (RFC 6386 Section 9.1). A key frame opens with the 3-byte frame tag, the
start code 9d 01 2a and the dimensions, 10 bytes; of another frame the bit itself is enough.
"""

from __future__ import annotations

__all__ = ["CLEAR_LENGTH", "is_key_frame"]

CLEAR_LENGTH = tuple(1 if first & 1 else 10 for first in range(256))
"""How many bytes of a frame are clear, by its first byte."""


def is_key_frame(frame: bytes) -> bool:
    """Whether a decoder can begin with it."""
    return not frame[0] & 1
