"""The SFrame header (RFC 9605 Section 4.3).

     0 1 2 3 4 5 6 7
    +-+-+-+-+-+-+-+-+------------+------------+
    |X|  K  |Y|  C  |   KID...   |   CTR...   |
    +-+-+-+-+-+-+-+-+------------+------------+

X = 0: K is the KID itself, 0 to 7. X = 1: the KID follows in K + 1 bytes. Y and C say the same of the CTR. So the
config byte is two nibbles, one for each value: 0 to 7 is the value, 7 + n is the length n of what follows.

Each pair of KID and CTR has one encoding, and only that one is accepted, so that a header is authenticated as it
came: "the value MUST be encoded with the minimum number of bytes required".
"""

from __future__ import annotations

from typing import NamedTuple

from e2ee.sframe.errors import HeaderError, OutOfRange, SFrameReason

__all__ = ["MAX_VALUE", "HeaderPrefixes", "decode_header", "encode_header", "header_prefixes"]

MAX_VALUE = (1 << 64) - 1
"""Largest KID and largest CTR."""

HeaderPrefixes = tuple[bytes, ...]
"""Config byte and KID of one KID's headers, by the CTR's nibble."""


def encode_header(KID: int, CTR: int) -> bytes:
    """The header of ``KID`` and ``CTR``, 1 to 17 bytes. Raises OutOfRange."""
    (kid_nibble, kid_bytes), (ctr_nibble, ctr_bytes) = _encode_value(KID), _encode_value(CTR)
    return bytes([kid_nibble << 4 | ctr_nibble]) + kid_bytes + ctr_bytes


def header_prefixes(KID: int) -> HeaderPrefixes:
    """What the headers of ``KID`` begin with. Raises OutOfRange."""
    nibble, kid_bytes = _encode_value(KID)
    return tuple(bytes([nibble << 4 | ctr_nibble]) + kid_bytes for ctr_nibble in range(16))


def _encode_value(value: int) -> tuple[int, bytes]:
    """Its nibble of the config byte, and the bytes that follow."""
    if not 0 <= value <= MAX_VALUE:
        raise OutOfRange(f"KID or CTR {value}")
    if value < 8:
        return value, b""
    length = value.bit_length() + 7 >> 3
    return 7 + length, value.to_bytes(length, "big")


class _Nibble(NamedTuple):
    """What one nibble of the config byte says."""

    length: int
    """How many bytes follow for the value."""
    value: int
    """The value if none follow, else 0."""
    smallest: int
    """The smallest value that is encoded so."""


_NIBBLES = (
    *(_Nibble(0, value, value) for value in range(8)),
    _Nibble(1, 0, 8),
    *(_Nibble(length, 0, 1 << 8 * (length - 1)) for length in range(2, 9)),
)


class _Form(NamedTuple):
    """What a config byte says: how long the header is, how its bytes divide, and both fields."""

    length: int
    ctr_bits: int
    ctr_mask: int
    KID: int
    CTR: int
    smallest_kid: int
    smallest_ctr: int


def _form(kid: _Nibble, ctr: _Nibble) -> _Form:
    length, ctr_bits = 1 + kid.length + ctr.length, 8 * ctr.length
    mask = (1 << ctr_bits) - 1
    return _Form(length, ctr_bits, mask, kid.value, ctr.value, kid.smallest, ctr.smallest)


_FORMS = tuple(_form(kid, ctr) for kid in _NIBBLES for ctr in _NIBBLES)
"""By the config byte."""


def decode_header(data: bytes, start: int = 0) -> tuple[int, int, int]:
    """(KID, CTR, end) of the header that is data[start:end]. Raises HeaderError."""
    if start >= len(data):
        raise HeaderError(SFrameReason.TRUNCATED, "no config byte")
    length, ctr_bits, ctr_mask, KID, CTR, smallest_kid, smallest_ctr = _FORMS[data[start]]
    end = start + length
    if end > len(data):
        raise HeaderError(SFrameReason.TRUNCATED, f"{end - len(data)} bytes missing")
    values = int.from_bytes(data[start + 1 : end], "big")
    KID |= values >> ctr_bits
    CTR |= values & ctr_mask
    # FRAME-4: "A header in which KID or CTR is encoded longer than necessary MUST be refused."
    if smallest_kid > KID:
        raise HeaderError(SFrameReason.NON_MINIMAL_KID, f"KID {KID}")
    if smallest_ctr > CTR:
        raise HeaderError(SFrameReason.NON_MINIMAL_CTR, f"CTR {CTR}")
    return KID, CTR, end
