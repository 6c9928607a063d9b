"""The types that fields of messages have: the table of the chapter Signalling, as checks.

A check looks at a value as MessagePack gives it and raises ``FieldError`` unless the value is one of the type,
within its limits. Types are compared exactly: a bool is no integer, and a ``Secret`` is not ``bytes``, so that
no secret is ever encoded by mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from e2ee.account_id import flaw
from e2ee.signalling.errors import WireReason

__all__ = [
    "MAX_LIST",
    "MAX_TEXT",
    "U32",
    "U64",
    "Bool",
    "Bytes",
    "Bytes16",
    "Bytes32",
    "Bytes64",
    "Check",
    "FieldError",
    "ListOfBytes",
    "ListOfText",
    "ListOfU32",
    "Name",
    "OptionalBytes",
    "OptionalBytes16",
    "Text",
]

MAX_LIST = 1024
"""Most elements of a list."""

MAX_TEXT = 1 << 16
"""Longest text, in bytes of UTF-8."""

Judge = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Check:
    """A type: its ``name`` in the chapter's tables, and what raises ``FieldError`` for everything that is none of it."""

    name: str
    judge: Judge

    def __call__(self, value: object) -> None:
        self.judge(value)


class FieldError(Exception):
    """A value that is not of its field's type; ``wire`` turns it into its own errors."""

    def __init__(self, reason: WireReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _wrong_type(value: object, due: str) -> FieldError:
    return FieldError(WireReason.WRONG_TYPE, f"{type(value).__name__} where {due} is due")


def _beyond(detail: str) -> FieldError:
    return FieldError(WireReason.BEYOND_LIMIT, detail)


def _unsigned(bits: int) -> Judge:
    def check(value: object) -> None:
        if type(value) is not int:
            raise _wrong_type(value, f"u{bits}")
        if not 0 <= value < 1 << bits:
            raise _beyond(f"integer outside u{bits}")

    return check


def _binary(length: int | None = None) -> Judge:
    def check(value: object) -> None:
        if type(value) is not bytes:
            raise _wrong_type(value, "bytes")
        if length is not None and len(value) != length:
            raise _beyond(f"{len(value)} bytes where {length} are due")

    return check


def _utf8(value: object) -> bytes:
    if type(value) is not str:
        raise _wrong_type(value, "text")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _beyond("text with a lone surrogate") from None


def _check_text(value: object) -> None:
    if len(_utf8(value)) > MAX_TEXT:
        raise _beyond(f"text longer than {MAX_TEXT} bytes")


def _check_name(value: object) -> None:
    if type(value) is not str:
        raise _wrong_type(value, "text")
    wrong = flaw(value)
    if wrong is not None:
        raise _beyond(f"not an account id: {wrong}")


def _check_bool(value: object) -> None:
    if type(value) is not bool:
        raise _wrong_type(value, "bool")


def _list_of(element: Judge) -> Judge:
    def check(value: object) -> None:
        if type(value) is not tuple:
            raise _wrong_type(value, "list")
        if len(value) > MAX_LIST:
            raise _beyond(f"list of {len(value)} elements")
        for item in value:
            element(item)

    return check


def _or_nil(inner: Judge) -> Judge:
    def check(value: object) -> None:
        if value is not None:
            inner(value)

    return check


U32 = Annotated[int, Check("u32", _unsigned(32))]
U64 = Annotated[int, Check("u64", _unsigned(64))]
Bool = Annotated[bool, Check("bool", _check_bool)]
Text = Annotated[str, Check("text", _check_text)]
Name = Annotated[str, Check("name", _check_name)]
Bytes = Annotated[bytes, Check("bytes", _binary())]
Bytes16 = Annotated[bytes, Check("bytes[16]", _binary(16))]
Bytes32 = Annotated[bytes, Check("bytes[32]", _binary(32))]
Bytes64 = Annotated[bytes, Check("bytes[64]", _binary(64))]
OptionalBytes = Annotated[bytes | None, Check("bytes or nil", _or_nil(_binary()))]
OptionalBytes16 = Annotated[bytes | None, Check("bytes[16] or nil", _or_nil(_binary(16)))]
ListOfU32 = Annotated[tuple[int, ...], Check("list of u32", _list_of(_unsigned(32)))]
ListOfText = Annotated[tuple[str, ...], Check("list of text", _list_of(_check_text))]
ListOfBytes = Annotated[tuple[bytes, ...], Check("list of bytes", _list_of(_binary()))]
