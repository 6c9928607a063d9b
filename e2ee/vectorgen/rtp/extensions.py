"""Header extensions (RFC 8285) of every form, good and bad: nothing of them is of the frame."""

from __future__ import annotations

from e2ee.vectorgen.rtp.packets import (
    ONE_BYTE,
    TWO_BYTE,
    one_byte_elements,
    padded_to_words,
    two_byte_elements,
)

__all__ = ["HEADER_EXTENSIONS"]

MID, SEND_TIME, TRANSPORT_WIDE = (1, b"0"), (3, b"\x12\x34\x56"), (4, b"\x00\x07")

HEADER_EXTENSIONS = {
    "one-byte": (ONE_BYTE, padded_to_words(one_byte_elements(MID, SEND_TIME, TRANSPORT_WIDE))),
    "one-byte-with-padding-between": (
        ONE_BYTE,
        padded_to_words(one_byte_elements(MID) + b"\0\0\0" + one_byte_elements(SEND_TIME)),
    ),
    "one-byte-of-unknown-identifiers": (
        ONE_BYTE,
        padded_to_words(one_byte_elements((14, bytes(16)), (9, b"\xff"))),
    ),
    "one-byte-ended-by-identifier-15": (
        ONE_BYTE,
        padded_to_words(one_byte_elements(MID) + b"\xff\x31"),
    ),
    "one-byte-cut-off": (ONE_BYTE, padded_to_words(one_byte_elements(MID) + b"\x0f\x3f")),
    "one-byte-of-an-unexpected-length": (ONE_BYTE, padded_to_words(one_byte_elements((3, b"\1")))),
    "two-byte": (
        TWO_BYTE,
        padded_to_words(two_byte_elements(MID, (200, bytes(40)), SEND_TIME)),
    ),
    "two-byte-with-an-empty-element": (
        TWO_BYTE,
        padded_to_words(two_byte_elements((77, b""), MID)),
    ),
    "two-byte-with-application-bits": (TWO_BYTE | 0xF, padded_to_words(two_byte_elements(MID))),
    "without-a-word": (ONE_BYTE, b""),
    "of-another-profile": (0x4242, bytes(range(16))),
    "that-looks-like-a-frame": (0x2000, b"\x20" + bytes(19)),
}
