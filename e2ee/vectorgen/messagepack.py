"""MessagePack as vectors need it: each value in its shortest form, and in every longer one that SIG-1 forbids.

By the MessagePack specification and by nothing of ``e2ee.signalling``, which is what the vectors judge.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["FALSE", "NIL", "TRUE", "array", "binary", "encode", "integer", "signed", "string"]

Value = None | bool | int | bytes | str | Sequence["Value"]

NIL, FALSE, TRUE = b"\xc0", b"\xc2", b"\xc3"


def integer(value: int, size: int | None = None) -> bytes:
    """positive fixint, or uint 8 to uint 64 of ``size`` bytes; the shortest if None."""
    if size is None:
        size = next(size for size, limit in _INTEGERS if value < limit)
    return _UINT[size] + value.to_bytes(size, "big") if size else bytes([value])


def signed(value: int, size: int) -> bytes:
    """int 8 to int 64 of ``size`` bytes; negative fixint if 0."""
    if not size:
        return value.to_bytes(1, "big", signed=True)
    return _INT[size] + value.to_bytes(size, "big", signed=True)


def string(value: bytes, size: int | None = None) -> bytes:
    """fixstr, or str 8 to str 32 with a length of ``size`` bytes; the shortest if None."""
    return _headed(value, len(value), size, (0xA0, 32), b"\xd9\xda\xdb")


def binary(value: bytes, size: int | None = None) -> bytes:
    """bin 8 to bin 32 with a length of ``size`` bytes; the shortest if None."""
    return _headed(value, len(value), size, None, b"\xc4\xc5\xc6")


def array(elements: Sequence[bytes], size: int | None = None) -> bytes:
    """fixarray, or array 16 or 32 with a count of ``size`` bytes; the shortest if None."""
    return _headed(b"".join(elements), len(elements), size, (0x90, 16), b"\x00\xdc\xdd")


def encode(value: Value) -> bytes:
    """The one encoding of SIG-1."""
    match value:
        case None:
            return NIL
        case bool():
            return TRUE if value else FALSE
        case int():
            return integer(value)
        case bytes():
            return binary(value)
        case str():
            return string(value.encode())
    return array([encode(element) for element in value])


_UINT = {1: b"\xcc", 2: b"\xcd", 4: b"\xce", 8: b"\xcf"}
_INT = {1: b"\xd0", 2: b"\xd1", 4: b"\xd2", 8: b"\xd3"}
_INTEGERS = ((0, 1 << 7), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32), (8, 1 << 64))


def _headed(
    body: bytes, length: int, size: int | None, fixed: tuple[int, int] | None, headers: bytes
) -> bytes:
    """``headers`` are those with lengths of 1, 2 and 4 bytes; 0 where there is none."""
    first, most = fixed or (0, 0)
    if size is None and length < most:
        return bytes([first | length]) + body
    if size is None:
        fitting = zip((1, 2, 4), headers, strict=True)
        size = next(each for each, header in fitting if header and length < 1 << 8 * each)
    return (
        bytes([headers[size >> 1]]) + struct.pack({1: ">B", 2: ">H", 4: ">L"}[size], length) + body
    )
