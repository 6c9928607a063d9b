"""Headers of MessagePack values: what each says, and whether a shorter one would have said it (SIG-1)."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.tls_syntax import Reader

__all__ = ["Header", "read_header"]


@dataclass(frozen=True, slots=True)
class Header:
    """``number`` is an integer's or a bool's value, a length in bytes, or a count of elements."""

    kind: str
    number: int
    is_shortest: bool = True


def read_header(reader: Reader) -> Header | None:
    """The header at the reader's position; None for the byte that is none. Raises DecodeError if it is cut off."""
    first = reader.take(1)[0]
    if first < 0x80:
        return Header("int", first)
    if first >= 0xE0:
        return Header("int", first - 0x100)
    if first < 0xC0:
        return next(Header(kind, first - low) for low, kind in _SHORT if first >= low)
    form = _LONG.get(first)
    if form is None:
        return None
    kind, size, signed = form
    number = int.from_bytes(reader.take(size), "big", signed=signed) if size else first & 1
    return Header(kind, number, is_shortest=not signed and size == _shortest(kind, number, size))


def _shortest(kind: str, number: int, size: int) -> int:
    limits = _LIMITS.get(kind, ())
    return next((each for each, limit in limits if number < limit), size)


_SHORT = ((0xA0, "str"), (0x90, "list"), (0x80, "map"))
"""The least first byte, of forms that have their length in it."""

_LONG: dict[int, tuple[str, int, bool]] = {
    0xC0: ("nil", 0, False),
    0xC2: ("bool", 0, False),
    0xC3: ("bool", 0, False),
    **{0xC4 + n: ("bin", 1 << n, False) for n in range(3)},
    **{0xC7 + n: ("ext", 1 << n, False) for n in range(3)},
    0xCA: ("float", 4, False),
    0xCB: ("float", 8, False),
    **{0xCC + n: ("int", 1 << n, False) for n in range(4)},
    **{0xD0 + n: ("int", 1 << n, True) for n in range(4)},
    **{0xD4 + n: ("ext", 0, False) for n in range(5)},
    **{0xD9 + n: ("str", 1 << n, False) for n in range(3)},
    **{0xDC + n: ("list", 2 << n, False) for n in range(2)},
    **{0xDE + n: ("map", 2 << n, False) for n in range(2)},
}
"""First byte -> what it begins, bytes of the number that follows, whether that is signed."""

_LIMITS = {
    "int": ((0, 1 << 7), (1, 1 << 8), (2, 1 << 16), (4, 1 << 32)),
    "str": ((0, 1 << 5), (1, 1 << 8), (2, 1 << 16)),
    "bin": ((1, 1 << 8), (2, 1 << 16)),
    "list": ((0, 1 << 4), (2, 1 << 16)),
}
"""Bytes of the number -> below what it is the shortest that serves."""
