"""Codecs: how one type is read from bytes and written to them, and the combinators that build codecs from codecs.

Every error of decoding and of encoding is raised here or in ``structure``, and nowhere else. A tree of a thousand
members has thirty thousand fields, so the readers and writers of the smallest types call nothing that they need not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from types import NoneType
from typing import Generic, TypeVar

from e2ee.errors import DecodeError, DecodeReason, LocalProtocolError, Reason
from e2ee.tls_syntax.form import Enumeration, Form, Nothing, Number, Octets, Optional, Vector

MAX_SIZE = 1 << 26
"""Largest encoding that is read unless the caller allows more, in bytes (the tree of 20,000 hybrid members)."""

_A_FEW = 256
"""Elements of a vector that may be as short as they like."""

MAX_DEPTH = 16
"""Deepest nesting of structures and vectors that a declaration may have."""

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class EncodeReason(Reason):
    """Why a value cannot be encoded."""

    OUT_OF_RANGE = "OUT_OF_RANGE"
    WRONG_TYPE = "WRONG_TYPE"
    WRONG_LENGTH = "WRONG_LENGTH"
    NO_SUCH_VARIANT = "NO_SUCH_VARIANT"


class EncodeError(LocalProtocolError):
    """A value that its declared type cannot hold."""


def wrong_type(due: type, value: object) -> EncodeError:
    """A field of another type would be written as something that reads back different, or as nothing."""
    return EncodeError(
        EncodeReason.WRONG_TYPE, f"{type(value).__name__} where {due.__name__} is due"
    )


class Reader:
    """A position in bytes that are being decoded. ``end`` is where the innermost vector stops."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.end = len(data)

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes."""
        start = self.position
        stop = start + length
        if stop > self.end:
            raise _truncated(length, self.end - start)
        self.position = stop
        return self.data[start:stop]


def _truncated(wanted: int, left: int) -> DecodeError:
    return DecodeError(DecodeReason.TRUNCATED, f"{wanted} bytes wanted, {left} left")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a type is read and written; ``min_size`` in bytes; ``depth`` of nesting; ``form``: what was declared."""

    read: Callable[[Reader], T]
    write: Callable[[T, bytearray], None]
    min_size: int
    depth: int = 0
    form: Form | None = None

    def decode(self, data: bytes, *, max_size: int = MAX_SIZE) -> T:
        """The value that ``data`` encodes, all of it. Raises DecodeError."""
        if len(data) > max_size:
            detail = f"{len(data)} bytes, at most {max_size} allowed"
            raise DecodeError(DecodeReason.TOO_LARGE, detail)
        reader = Reader(bytes(data))
        value = self.read(reader)
        if reader.position != reader.end:
            left = reader.end - reader.position
            raise DecodeError(DecodeReason.TRAILING_BYTES, f"{left} bytes after the end")
        return value

    def encode(self, value: T) -> bytes:
        """The encoding of ``value``. Raises EncodeError."""
        out = bytearray()
        self.write(value, out)
        return bytes(out)


def _uint(size: int) -> Codec[int]:
    """uint8 .. uint64: big-endian, ``size`` bytes."""
    limit = 1 << (8 * size)

    def read(reader: Reader) -> int:
        start = reader.position
        reader.position = stop = start + size
        if stop > reader.end:
            raise _truncated(size, reader.end - start)
        return int.from_bytes(reader.data[start:stop], "big")

    def write(value: int, out: bytearray) -> None:
        if not isinstance(value, int):
            raise wrong_type(int, value)
        if not 0 <= value < limit:
            raise EncodeError(EncodeReason.OUT_OF_RANGE, f"not a number of {size} unsigned bytes")
        out += value.to_bytes(size, "big")

    return Codec(read, write, size, form=Number(size))


uint8, uint16, uint32, uint64 = _uint(1), _uint(2), _uint(4), _uint(8)


def read_length(reader: Reader) -> int:
    """RFC 9420 Section 2.1.2: a variable-size vector's length, in its shortest form."""
    start = reader.position
    if start >= reader.end:
        raise _truncated(1, 0)
    reader.position = start + 1
    first = reader.data[start]
    # With the prefix 0b00, as most have it, a byte is its own length.
    length = first if first < 0x40 else _longer_length(first, reader)
    if length > reader.end - reader.position:
        raise _truncated(length, reader.end - reader.position)
    return length


def _longer_length(first: int, reader: Reader) -> int:
    prefix = first >> 6
    if prefix == 3:
        raise DecodeError(DecodeReason.BAD_LENGTH, "length prefix 0b11")
    size = 1 << prefix
    length = int.from_bytes(bytes([first & 0x3F]) + reader.take(size - 1), "big")
    # "Decoders MUST check that the value is encoded using the minimum number of bits required."
    if length < 1 << (8 * (size >> 1) - 2):
        raise DecodeError(DecodeReason.NON_MINIMAL_LENGTH, f"{length} in {size} bytes")
    return length


def write_length(length: int, out: bytearray) -> None:
    """RFC 9420 Section 2.1.2: the shortest encoding of ``length``."""
    if length < 1 << 6:
        out.append(length)
    elif length < 1 << 14:
        out += (0x4000 | length).to_bytes(2, "big")
    elif length < 1 << 30:
        out += (0x80000000 | length).to_bytes(4, "big")
    else:
        raise EncodeError(EncodeReason.OUT_OF_RANGE, f"vector of {length} bytes")


def fixed(length: int) -> Codec[bytes]:
    """``opaque x[length]``."""

    def read(reader: Reader) -> bytes:
        return reader.take(length)

    def write(value: bytes, out: bytearray) -> None:
        if not isinstance(value, bytes):
            raise wrong_type(bytes, value)
        if len(value) != length:
            detail = f"{len(value)} bytes where {length} are due"
            raise EncodeError(EncodeReason.WRONG_LENGTH, detail)
        out += value

    return Codec(read, write, length, form=Octets(length))


def _read_opaque(reader: Reader) -> bytes:
    length = read_length(reader)  # so much is left
    start = reader.position
    reader.position = stop = start + length
    return reader.data[start:stop]


def _write_opaque(value: bytes, out: bytearray) -> None:
    if not isinstance(value, bytes):
        raise wrong_type(bytes, value)
    write_length(len(value), out)
    out += value


opaque: Codec[bytes] = Codec(_read_opaque, _write_opaque, 1, form=Octets(None))
"""``opaque x<V>``."""


def _read_nothing(_: Reader) -> None:
    return None


def _write_nothing(value: None, _: bytearray) -> None:
    if value is not None:
        raise wrong_type(NoneType, value)


nothing: Codec[None] = Codec(_read_nothing, _write_nothing, 0, form=Nothing())
"""``struct {}``: no bytes."""


def deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise TypeError(f"declaration nested deeper than {MAX_DEPTH}")
    return depth + 1


def vector(element: Codec[T], *, most: int = MAX_SIZE, shortest: int = 1) -> Codec[tuple[T, ...]]:
    """``T x<V>``: as many elements as fill the vector's bytes.

    Tiny elements are many times the work of true ones, byte for byte. So no more than ``most`` are read, and no more than a few
    hundred that take fewer than ``shortest`` bytes on average.
    """
    if element.min_size < 1:
        raise TypeError("elements of a vector take at least one byte each")
    read_element, write_element = element.read, element.write

    def read(reader: Reader) -> tuple[T, ...]:
        length = read_length(reader)
        outer_end = reader.end
        reader.end = stop = reader.position + length
        most_here = min(most, max(_A_FEW, length // shortest))
        values: list[T] = []
        while reader.position < stop:
            if len(values) == most_here:
                raise DecodeError(DecodeReason.TOO_LARGE, f"more than {most_here} elements")
            values.append(read_element(reader))
        reader.end = outer_end
        return tuple(values)

    def write(values: tuple[T, ...], out: bytearray) -> None:
        if not isinstance(values, tuple):
            raise wrong_type(tuple, values)
        body = bytearray()
        for value in values:
            write_element(value, body)
        write_length(len(body), out)
        out += body

    return Codec(read, write, 1, deeper(element.depth), Vector(element, most))


def optional(codec: Codec[T]) -> Codec[T | None]:
    """``optional<T>``: a presence octet, then the value if it is 1 (RFC 9420 Section 2.1.1)."""

    def read(reader: Reader) -> T | None:
        presence = reader.take(1)[0]
        if presence > 1:
            raise DecodeError(DecodeReason.BAD_PRESENCE, f"presence octet {presence}")
        return codec.read(reader) if presence else None

    def write(value: T | None, out: bytearray) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            codec.write(value, out)

    return Codec(read, write, 1, codec.depth, Optional(codec))


def enum(members: type[E], integer: Codec[int]) -> Codec[E]:
    """A closed enumeration over ``integer``; a value that is not a member is refused."""
    by_value = {int(member): member for member in members}

    def read(reader: Reader) -> E:
        value = integer.read(reader)
        try:
            return by_value[value]
        except KeyError:
            raise DecodeError(DecodeReason.UNKNOWN_VALUE, f"{members.__name__} {value}") from None

    def write(value: E, out: bytearray) -> None:
        if not isinstance(value, members):
            raise wrong_type(members, value)
        integer.write(value, out)

    return Codec(read, write, integer.min_size, form=Enumeration(members))
