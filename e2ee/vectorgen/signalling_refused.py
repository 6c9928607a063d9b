"""Vectors of the chapter Signalling: bytes that are no message, each for one reason."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import StrEnum

from e2ee.vectorgen import messagepack as mp
from e2ee.vectorgen.message_tables import TABLES, Row, encoded, samples
from e2ee.vectorgen.registry import Case, Group

__all__ = [
    "CALL_ID",
    "GROUPS",
    "Refusal",
    "call_message",
    "from_device",
    "from_service",
    "letter_message",
    "rows_of",
]

_FIELDS = (
    " -> its name and its fields (bytes in hexadecimal, a u64 as its 8 bytes, everything else as JSON has it), or why it"
    " is refused."
)

from_device = Group("from-device", "The bytes of a service message from a device" + _FIELDS)
from_service = Group("from-service", "The bytes of a service message from the service" + _FIELDS)
call_message = Group(
    "call-message", "The bytes of a message between the devices of a call" + _FIELDS
)
letter_message = Group("letter-message", "The bytes of what a letter says" + _FIELDS)

GROUPS = (from_device, from_service, call_message, letter_message)


class Refusal(StrEnum):
    """Why bytes are no message, the chapter's table of reasons; and of one that is not for this side to send (SIG-6)."""

    TOO_LARGE = "TOO_LARGE"
    TRUNCATED = "TRUNCATED"
    NOT_MESSAGEPACK = "NOT_MESSAGEPACK"
    TOO_DEEP = "TOO_DEEP"
    TRAILING_BYTES = "TRAILING_BYTES"
    NOT_A_MESSAGE = "NOT_A_MESSAGE"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    WRONG_FIELD_COUNT = "WRONG_FIELD_COUNT"
    WRONG_TYPE = "WRONG_TYPE"
    BEYOND_LIMIT = "BEYOND_LIMIT"
    NOT_CANONICAL = "NOT_CANONICAL"
    UNEXPECTED_MESSAGE = "UNEXPECTED_MESSAGE"


# What every message of the tables is refused for

_BEYOND: Mapping[str, tuple[bytes, Refusal]] = {
    "u32": (mp.integer(1 << 32), Refusal.BEYOND_LIMIT),
    "u64": (mp.signed(-1, 0), Refusal.BEYOND_LIMIT),
    "bool": (mp.integer(1), Refusal.WRONG_TYPE),
    "text": (mp.binary(b"text"), Refusal.WRONG_TYPE),
    "name": (mp.string("e\u0301".encode()), Refusal.BEYOND_LIMIT),
    "bytes": (mp.string(b"bytes"), Refusal.WRONG_TYPE),
    "bytes or nil": (mp.FALSE, Refusal.WRONG_TYPE),
    "bytes[16]": (mp.binary(bytes(17)), Refusal.BEYOND_LIMIT),
    "bytes[16] or nil": (mp.binary(b""), Refusal.BEYOND_LIMIT),
    "bytes[32]": (mp.binary(bytes(31)), Refusal.BEYOND_LIMIT),
    "bytes[64]": (mp.binary(bytes(63)), Refusal.BEYOND_LIMIT),
    "list of u32": (mp.array([mp.integer(1 << 32)]), Refusal.BEYOND_LIMIT),
    "list of text": (mp.array([mp.binary(b"0")]), Refusal.WRONG_TYPE),
    "list of bytes": (mp.array([mp.string(b"0")]), Refusal.WRONG_TYPE),
}
"""By the type of a field: what is almost of it."""


def _group_of(message: Row) -> Group:
    if message.family == "service":
        return from_device if message.sender == "device" else from_service
    return call_message if message.family == "call" else letter_message


def rows_of(group: Group) -> dict[str, Row]:
    """The messages of a group, by what their cases' ids end with."""
    rows = [each for each in TABLES if _group_of(each) is group]
    return {each.name.replace("_", "-"): each for each in rows}


def _encoded_samples(case: Case, message: Row) -> list[bytes]:
    return [mp.encode(value) for value in samples(message, case.entropy).values()]


def _almost(group: Group, reason: Refusal) -> dict[str, tuple[Row, str]]:
    return {
        f"{key}-{name}".replace("_", "-"): (message, name)
        for key, message in rows_of(group).items()
        for name, type_name in message.fields.items()
        if _BEYOND[type_name][1] is reason
    }


def field(case: Case, which: tuple[Row, str]) -> None:
    """One field is almost of its type: a byte too many or too few, a bit too many, text for bytes, a number for a bool."""
    message, name = which
    fields = dict(zip(message.fields, _encoded_samples(case, message), strict=True))
    fields[name] = _BEYOND[message.fields[name]][0]
    case.input["bytes"] = encoded(message.name, *fields.values())


def with_more(case: Case, message: Row) -> None:
    """A field more than the message has."""
    case.input["bytes"] = encoded(message.name, *_encoded_samples(case, message), mp.NIL)


def with_less(case: Case, message: Row) -> None:
    """The last field is left out."""
    case.input["bytes"] = encoded(message.name, *_encoded_samples(case, message)[:-1])


for _group in GROUPS:
    for _reason in (Refusal.WRONG_TYPE, Refusal.BEYOND_LIMIT):
        _group.vector("SIG-2", reason=_reason, each=_almost(_group, _reason))(field)
    _rows = rows_of(_group)
    _group.vector("SIG-2", reason=Refusal.WRONG_FIELD_COUNT, each=_rows)(with_more)
    _some = {key: message for key, message in _rows.items() if message.fields}
    _group.vector("SIG-2", reason=Refusal.WRONG_FIELD_COUNT, each=_some)(with_less)


# Of one message each: what no table shows


CALL_ID = mp.binary(bytes(16))

NOT_SHORTEST: Mapping[str, bytes] = {
    "array-16": mp.array([mp.string(b"find"), mp.string(b"alice")], 2),
    "array-32": mp.array([mp.string(b"find"), mp.string(b"alice")], 4),
    "str-8-of-the-name": mp.array([mp.string(b"find", 1), mp.string(b"alice")]),
    "str-8": encoded("find", mp.string(b"alice", 1)),
    "str-16": encoded("find", mp.string(b"alice", 2)),
    "str-32": encoded("find", mp.string(b"alice", 4)),
    "bin-16": encoded("send", CALL_ID, mp.binary(b"message", 2)),
    "bin-32": encoded("send", CALL_ID, mp.binary(b"message", 4)),
    "list-of-array-16": encoded("hello", mp.array([mp.integer(256)], 2)),
    "list-of-array-32": encoded("hello", mp.array([mp.integer(256)], 4)),
    **{f"uint-{8 * size}": encoded("acknowledge", mp.integer(7, size)) for size in (1, 2, 4, 8)},
    "uint-64-of-32-bits": encoded("acknowledge", mp.integer((1 << 32) - 1, 8)),
    **{f"int-{8 * size}": encoded("acknowledge", mp.signed(7, size)) for size in (1, 2, 4, 8)},
    "int-64-of-63-bits": encoded("acknowledge", mp.signed((1 << 63) - 1, 8)),
    "element": encoded("hello", mp.array([mp.integer(7, 1)])),
}


@from_device.vector("SIG-1", reason=Refusal.NOT_CANONICAL, each=NOT_SHORTEST)
def longer(case: Case, data: bytes) -> None:
    """A longer form than the value needs; everything else is right."""
    case.input["bytes"] = data


@call_message.vector("SIG-1", reason=Refusal.NOT_CANONICAL)
def longer_number_of_a_text(case: Case) -> None:
    """Call messages are as canonical as others."""
    case.input["bytes"] = encoded("chat", mp.integer(1, 1), mp.string(b"x"))


@letter_message.vector("SIG-1", reason=Refusal.NOT_CANONICAL)
def longer_text_of_a_note(case: Case) -> None:
    """And letters."""
    case.input["bytes"] = encoded("note", mp.integer(1), mp.string(b"x", 1))


_MAP, _EXTENSION = b"\x81\xa1a\x01", b"\xd4\x05\x00"
_TIMESTAMP = b"\xd6\xff\x00\x00\x00\x01"

OTHER_TYPES: Mapping[str, bytes] = {
    "nil": mp.NIL,
    "true": mp.TRUE,
    "integer": mp.integer(1),
    "float-32": b"\xca" + struct.pack(">f", 256.0),
    "float-64": b"\xcb" + struct.pack(">d", 256.0),
    "str": mp.string(b"0"),
    "bin": mp.binary(b"0"),
    "array": mp.array([]),
    "map": b"\x80",
    "map-of-an-entry": _MAP,
    "extension": _EXTENSION,
    "timestamp": _TIMESTAMP,
}

_FIELD_OF: Mapping[str, tuple[str, list[bytes], set[str]]] = {
    "u32": ("claim", [mp.string(b"alice")], {"integer"}),
    "u64": ("acknowledge", [], {"integer"}),
    "text": ("publish_media", [CALL_ID], {"str"}),
    "name": ("find", [], {"str"}),
    "bytes": ("send", [CALL_ID], {"bin"}),
    "bytes-16": ("leave", [], {"bin"}),
    "bytes-or-nil": ("commit", [CALL_ID, mp.binary(b"0"), mp.NIL], {"bin", "nil"}),
    "list": ("hello", [], {"array"}),
    "element": ("hello", [], {"integer"}),
}
"""By a type: a message whose last field is of it, the fields before that, and what may be there."""

WRONG: Mapping[str, bytes] = {
    f"{other}-for-{due}": encoded(
        message, *before, mp.array([value]) if due == "element" else value
    )
    for due, (message, before, right) in _FIELD_OF.items()
    for other, value in OTHER_TYPES.items()
    if other not in right
}


@from_device.vector("SIG-2", reason=Refusal.WRONG_TYPE, each=WRONG)
def wrong(case: Case, data: bytes) -> None:
    """A field of another type: what is almost the same (a float that is whole, nil, text for bytes) is not the same."""
    case.input["bytes"] = data


_NOT_BOOL = {other: value for other, value in OTHER_TYPES.items() if other != "true"}


@call_message.vector("SIG-2", reason=Refusal.WRONG_TYPE, each=_NOT_BOOL)
def no_bool(case: Case, value: bytes) -> None:
    """A bool is true or false; neither 1 nor nil."""
    case.input["bytes"] = encoded("hand", value)


BEYOND: Mapping[str, bytes] = {
    "negative-u32": encoded("claim", mp.string(b"alice"), mp.signed(-1, 0)),
    "negative-int-8": encoded("acknowledge", mp.signed(-128, 1)),
    "negative-int-64": encoded("acknowledge", mp.signed(-(1 << 63), 8)),
    "negative-element": encoded("hello", mp.array([mp.signed(-1, 0)])),
    "bytes-16-of-15": encoded("leave", mp.binary(bytes(15))),
    "bytes-16-of-0": encoded("leave", mp.binary(b"")),
}


@from_device.vector("SIG-2", reason=Refusal.BEYOND_LIMIT, each=BEYOND)
def beyond(case: Case, data: bytes) -> None:
    """A field of its type, and outside of what the type may be."""
    case.input["bytes"] = data


NO_NAMES: Mapping[str, str] = {
    "empty": "",
    "of-65-bytes": "a" * 65,
    "of-65-bytes-in-33-characters": "\u00e9" * 32 + "a",
    "not-normalised": "e\u0301",
    "with-a-line-feed": "a\nb",
    "with-nul": "a\x00",
    "with-delete": "a\x7f",
    "with-a-c1-control": "a\x85",
    "with-a-line-separator": "a\u2028b",
    "that-turns-direction": "\u202ea",
    "with-a-direction-mark": "a\u200f",
    "with-an-isolate": "a\u2067",
    "with-an-arabic-letter-mark": "a\u061c",
}


@from_device.vector("SIG-2", "IDENT-1", reason=Refusal.BEYOND_LIMIT, each=NO_NAMES)
def name_that_is(case: Case, account_id: str) -> None:
    """What no account may be called is no `name`, wherever one stands."""
    case.input["bytes"] = encoded("find", mp.string(account_id.encode()))


NO_MESSAGES: Mapping[str, bytes] = {
    "nil": mp.NIL,
    "text": mp.string(b"logged_in"),
    "map": b"\x81" + mp.string(b"logged_in") + mp.NIL,
    "empty-array": mp.array([]),
    "array-that-opens-with-bytes": mp.array([mp.binary(b"ask_relays")]),
    "array-that-opens-with-a-number": mp.array([mp.integer(1)]),
    "array-in-an-array": mp.array([encoded("ask_relays")]),
}


@from_device.vector("SIG-2", reason=Refusal.NOT_A_MESSAGE, each=NO_MESSAGES)
def no_message(case: Case, data: bytes) -> None:
    """A message is an array, and opens with a text."""
    case.input["bytes"] = data


UNKNOWN = {"other": "howdy", "empty": "", "capital": "Ask_relays", "longer": "ask_relays ", "of-a-call": "ringing"}  # fmt: skip


@from_device.vector("SIG-2", reason=Refusal.UNKNOWN_MESSAGE, each=UNKNOWN)
def unknown_name(case: Case, name: str) -> None:
    """A name that the family does not have; each family has its own."""
    case.input["bytes"] = encoded(name)


@from_device.vector("SIG-6", reason=Refusal.UNEXPECTED_MESSAGE, each=rows_of(from_service))
@from_service.vector("SIG-6", reason=Refusal.UNEXPECTED_MESSAGE, each=rows_of(from_device))
def not_for_this_side_to_send(case: Case, message: Row) -> None:
    """A message of the family, all of it right, that the other side sends."""
    case.input["bytes"] = encoded(message.name, *_encoded_samples(case, message))


@call_message.vector("SIG-2", reason=Refusal.UNKNOWN_MESSAGE)
def service_message_in_a_call(case: Case) -> None:
    """What the delivery service may be sent is nothing that a member says."""
    case.input["bytes"] = encoded("ask_relays")


@letter_message.vector("SIG-2", reason=Refusal.UNKNOWN_MESSAGE)
def call_message_in_a_letter(case: Case) -> None:
    """A text of a call is no letter."""
    case.input["bytes"] = encoded("chat", mp.integer(1), mp.string(b"x"))


NOT_MESSAGEPACK: Mapping[str, bytes] = {
    "byte-that-is-never-used": b"\xc1",
    "field-that-is-never-used": encoded("find", b"\xc1"),
    "lone-continuation-byte": encoded("publish_media", CALL_ID, mp.string(b"\x80")),
    "overlong-utf-8": encoded("publish_media", CALL_ID, mp.string(b"\xc0\xaf")),
    "surrogate-in-utf-8": encoded("publish_media", CALL_ID, mp.string(b"\xed\xa0\x80")),
    "utf-8-beyond-unicode": encoded("publish_media", CALL_ID, mp.string(b"\xf4\x90\x80\x80")),
    "utf-8-cut-short": encoded("publish_media", CALL_ID, mp.string(b"\xe6\xbc")),
}


@from_device.vector("SIG-2", reason=Refusal.NOT_MESSAGEPACK, each=NOT_MESSAGEPACK)
def no_messagepack(case: Case, data: bytes) -> None:
    """No MessagePack: a byte that no form begins with, or a str that is not UTF-8."""
    case.input["bytes"] = data


CUT_SHORT: Mapping[str, bytes] = {
    "before-its-begin": b"",
    "before-its-name": b"\x92",
    "in-its-name": b"\x92\xa4fin",
    "before-a-field": b"\x92\xa4find",
    "in-a-field": b"\x92\xa4find\xa5alic",
    "in-a-length": b"\x93\xa4send" + CALL_ID + b"\xc5\x01",
    "in-a-number": b"\x92\xabacknowledge\xcf" + bytes(7),
    "with-a-length-of-4-gib": b"\x92\xa4find\xdb\xff\xff\xff\xff",
}


@from_device.vector("SIG-2", reason=Refusal.TRUNCATED, each=CUT_SHORT)
def ends(case: Case, data: bytes) -> None:
    """The bytes end before the message does. A length says nothing about what is there: nothing is allocated for it."""
    case.input["bytes"] = data


@from_device.vector(
    "SIG-2",
    reason=Refusal.TRAILING_BYTES,
    each={"zero": b"\x00", "nil": mp.NIL, "itself": encoded("ask_relays"), "half": b"\xdc"},
)
def followed_by(case: Case, more: bytes) -> None:
    """A whole message, and more: a frame is one message."""
    case.input["bytes"] = encoded("ask_relays") + more
