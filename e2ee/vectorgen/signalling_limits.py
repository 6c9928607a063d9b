"""Vectors of the chapter Signalling: how large a message may be, and what of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from e2ee.vectorgen import messagepack as mp
from e2ee.vectorgen.message_tables import LARGEST, encoded
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.signalling_refused import CALL_ID, Refusal

__all__ = ["limits"]

limits = Group(
    "limits",
    "parts, each repeated `times` times and then put in a row, are a message of this family -> its name, and of its encoding"
    " (the same bytes, if decoding and encoding are right) the size and what it begins with, at most 64 bytes; or why it is"
    " refused.",
)

Parts = list[tuple[bytes, int]]
"""(bytes, how often)."""


def _parts(case: Case, family: str, parts: Parts) -> bytes:
    case.input |= {
        "family": family,
        "parts": [{"hex": data, "times": times} for data, times in parts],
    }
    return b"".join(data * times for data, times in parts)


def _taken(case: Case, family: str, name: str, parts: Parts) -> None:
    data = _parts(case, family, parts)
    case.output |= {"message": name, "size": len(data), "begins": data[:64]}


_LONGEST: Mapping[str, tuple[str, list[bytes], Callable[[bytes], bytes]]] = {
    "service": ("send", [CALL_ID], mp.binary),
    "call": ("accepted", [], mp.string),
    "letter": ("voice_message", [mp.integer(1)], mp.binary),
}
"""By the family: a message, the fields before its last one, and the form of that."""


def _of_size(family: str, size: int) -> Parts:
    """A message of so many bytes."""
    name, before, form = _LONGEST[family]
    body = size - len(encoded(name, *before, form(bytes(1 << 15)))) + (1 << 15)
    while len(encoded(name, *before, form(bytes(body)))) > size:
        body -= 1
    head = encoded(name, *before, form(bytes(body)))[:-body]
    return [(head, 1), (b"x", body)]


_FAMILIES = {family: family for family in LARGEST}


@limits.vector("SIG-3", each=_FAMILIES)
def largest(case: Case, family: str) -> None:
    """Exactly as long as a message of this family may be."""
    _taken(case, family, _LONGEST[family][0], _of_size(family, LARGEST[family]))


@limits.vector("SIG-3", reason=Refusal.TOO_LARGE, each=_FAMILIES)
def too_large(case: Case, family: str) -> None:
    """A byte longer, and otherwise a message."""
    _parts(case, family, _of_size(family, LARGEST[family] + 1))


@limits.vector("SIG-3", reason=Refusal.TOO_LARGE, each=_FAMILIES)
def two_faults_too_large_and_no_messagepack(case: Case, family: str) -> None:
    """The size is looked at before anything is decoded."""
    _parts(case, family, [(b"\xc1", LARGEST[family] + 1)])


def _text_of(length: int, unit: bytes = b"x") -> Parts:
    """The longest texts are those of service messages: a call message ends at 64 KiB itself."""
    head = encoded("publish_media", CALL_ID, mp.string(unit * length))[: -length * len(unit)]
    return [(head, 1), (unit, length)]


TEXTS = {
    "of-65535-bytes": _text_of(65_535),
    "of-65536-bytes": _text_of(65_536),
    "of-32768-characters-of-two-bytes": _text_of(32_768, "\u00e9".encode()),
}


@limits.vector("SIG-1", "SIG-2", each=TEXTS)
def text(case: Case, parts: Parts) -> None:
    """64 KiB of UTF-8 are the longest text; the form changes from str 16 to str 32 one byte below."""
    _taken(case, "service", "publish_media", parts)


@limits.vector(
    "SIG-2",
    reason=Refusal.BEYOND_LIMIT,
    each={"bytes": _text_of(65_537), "bytes-of-characters": _text_of(32_769, "\u00e9".encode())},
)
def text_of_too_many(case: Case, parts: Parts) -> None:
    """Bytes count, not characters."""
    _parts(case, "service", parts)


def _bytes_of(length: int) -> Parts:
    return [(encoded("send", CALL_ID, mp.binary(bytes(length)))[:-length], 1), (b"x", length)]


@limits.vector("SIG-1", each={str(length): _bytes_of(length) for length in (65_535, 65_536)})
def bytes_of(case: Case, parts: Parts) -> None:
    """The form changes from bin 16 to bin 32; bytes have no limit but the message's."""
    _taken(case, "service", "send", parts)


def _list_of(name: str, before: list[bytes], element: bytes, count: int) -> Parts:
    return [(encoded(name, *before, mp.array([element] * count))[: -count * len(element)], 1), (element, count)]  # fmt: skip


LISTS: Mapping[str, tuple[str, list[bytes], bytes]] = {
    "u32": ("hello", [], mp.integer((1 << 32) - 1)),
    "bytes": ("publish", [], mp.binary(b"0")),
    "text": ("want_media", [CALL_ID], mp.string(b"0")),
}


@limits.vector("SIG-2", each=LISTS)
def list_of_1024(case: Case, each: tuple[str, list[bytes], bytes]) -> None:
    """The longest list."""
    _taken(case, "service", each[0], _list_of(*each, 1_024))


@limits.vector("SIG-2", reason=Refusal.BEYOND_LIMIT, each=LISTS)
def list_of_1025(case: Case, each: tuple[str, list[bytes], bytes]) -> None:
    """An element more."""
    _parts(case, "service", _list_of(*each, 1_025))


@limits.vector("SIG-2", reason=Refusal.TOO_DEEP, each=_FAMILIES)
def deep(case: Case, family: str) -> None:
    """Arrays in arrays, 60,000 of them, the innermost empty. No message has more than two; a decoder must not run out of stack."""
    _parts(case, family, [(b"\x91", 59_999), (b"\x90", 1)])
