"""Vectors of the chapter Signalling: each message as bytes and as fields, and what is none.

The messages come from the chapter's own tables (``message_tables``), the bytes from a writer that can also write what is
forbidden (``messagepack``). Cases of what may not be in a field, and of sizes, stand in ``signalling_refused``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from e2ee.vectorgen import messagepack
from e2ee.vectorgen.message_tables import Row, encoded, fields_of, row, samples
from e2ee.vectorgen.registry import Case, Chapter, Group
from e2ee.vectorgen.signalling_limits import limits
from e2ee.vectorgen.signalling_refused import (
    GROUPS,
    call_message,
    from_device,
    from_service,
    letter_message,
    rows_of,
)

__all__ = ["CHAPTER"]

encoding = Group(
    "encoding",
    "A message (of any family; no two have one name) and its fields -> its one encoding. Fields as in the other groups.",
)


def _optional(*groups: Group) -> dict[str, tuple[Row, str]]:
    """The fields that may be nil."""
    return {
        f"{each.name}-{field}".replace("_", "-"): (each, field)
        for group in groups
        for each in rows_of(group).values()
        for field, type_name in each.fields.items()
        if type_name.endswith(" or nil")
    }


def _decoded(case: Case, message: Row, values: Mapping[str, Any]) -> None:
    parts = [messagepack.encode(value) for value in values.values()]
    case.input["bytes"] = encoded(message.name, *parts)
    case.output |= {"message": message.name, "fields": fields_of(message, values)}


@from_device.vector("SIG-1", "SIG-2", each=rows_of(from_device))
@from_service.vector("SIG-1", "SIG-2", each=rows_of(from_service))
@call_message.vector("SIG-1", "SIG-2", each=rows_of(call_message))
@letter_message.vector("SIG-1", "SIG-2", each=rows_of(letter_message))
def message(case: Case, each: Row) -> None:
    """Every field with something in it: in a u64 no u32, in a text no name."""
    _decoded(case, each, samples(each, case.entropy))


@from_device.vector("SIG-1", "SIG-2", each=_optional(from_device))
@from_service.vector("SIG-1", "SIG-2", each=_optional(from_service))
@call_message.vector("SIG-1", "SIG-2", each=_optional(call_message))
def nil(case: Case, optional: tuple[Row, str]) -> None:
    """A field that may be nil is nil."""
    each, field = optional
    _decoded(case, each, samples(each, case.entropy) | {field: None})


@from_device.vector("SIG-1")
def claim_as_in_the_chapter(case: Case) -> None:
    """The chapter's example."""
    _decoded(case, row("claim"), {"account_id": "alice", "suite": 0xF0E2})


NOTHING: Mapping[str, tuple[str, Any]] = {
    "list": ("hello", []),
    "text": ("publish_media", ""),
    "bytes": ("send", b""),
}


@from_device.vector("SIG-1", "SIG-2", each=NOTHING)
def empty(case: Case, said: tuple[str, Any]) -> None:
    """Lists, texts and bytes may be empty (a name may not)."""
    each = row(said[0])
    last = list(each.fields)[-1]
    _decoded(case, each, samples(each, case.entropy) | {last: said[1]})


ACCOUNT_IDS = {
    "of-one-byte": "a",
    "of-64-bytes": "\u6f22" * 21 + "!",
    "of-other-letters": "\u00e9\U0001f98a \u6f22",
}


@from_device.vector("SIG-2", "IDENT-1", each=ACCOUNT_IDS)
def name(case: Case, account_id: str) -> None:
    """What an account may be called."""
    _decoded(case, row("find"), {"account_id": account_id})


# Encoding


def _encoded(case: Case, message: Row, values: Mapping[str, Any]) -> None:
    case.input |= {"message": message.name, "fields": fields_of(message, values)}
    parts = [messagepack.encode(value) for value in values.values()]
    case.output["bytes"] = encoded(message.name, *parts)


@encoding.vector(
    "SIG-1", each={key: each for group in GROUPS for key, each in rows_of(group).items()}
)
def encode(case: Case, each: Row) -> None:
    """The name, then the fields in the table's order."""
    _encoded(case, each, samples(each, case.entropy))


@encoding.vector("SIG-1", each=_optional(*GROUPS))
def encode_nil(case: Case, optional: tuple[Row, str]) -> None:
    """A field that is not there is nil, and is not left out."""
    each, field = optional
    _encoded(case, each, samples(each, case.entropy) | {field: None})


INTEGERS = (0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip


@encoding.vector("SIG-1", each={f"{value:x}": value for value in INTEGERS})
def encode_integer(case: Case, value: int) -> None:
    """On both sides of each form's end: positive fixint, uint 8, uint 16, uint 32, uint 64. A signed form is never the shortest."""
    _encoded(case, row("acknowledge"), {"number": value})


@encoding.vector("SIG-1", each={str(length): length for length in (0, 31, 32, 255, 256)})
def encode_text_of(case: Case, length: int) -> None:
    """On both sides of each form's end: fixstr, str 8, str 16. Bytes count, not characters."""
    text = "\u00e9" * (length // 2) + "x" * (length % 2)
    _encoded(case, row("accepted"), {"description": text})


@encoding.vector("SIG-1", each={str(length): length for length in (0, 1, 255, 256)})
def encode_bytes_of(case: Case, length: int) -> None:
    """On both sides of the end of bin 8."""
    values = samples(row("send"), case.entropy)
    _encoded(case, row("send"), values | {"message": case.entropy.random(length)})


@encoding.vector("SIG-1", each={str(count): count for count in (0, 15, 16)})
def encode_list_of(case: Case, count: int) -> None:
    """On both sides of the end of fixarray; 15 elements are the most that it holds."""
    _encoded(case, row("hello"), {"versions": list(range(count))})


CHAPTER = Chapter(
    "signalling",
    "L4",
    "Messages to bytes and back: the one encoding of each, and why everything else is refused.",
    (*GROUPS, encoding, limits),
)
