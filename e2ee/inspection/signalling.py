"""Signalling messages, field by field, by their declarations.

``wire`` accepts or refuses; this says where. A message is accepted here exactly when ``wire`` accepts it (SIG-1 to SIG-3).
"""

from __future__ import annotations

from typing import Any

from e2ee.errors import DecodeError
from e2ee.inspection.contents import carried_by_message
from e2ee.inspection.errors import NotDecodable
from e2ee.inspection.messagepack import read_header
from e2ee.inspection.part import Part, references_of
from e2ee.inspection.structures import Reading, as_json, look_into, stopped
from e2ee.inspection.wording import HIDDEN, note
from e2ee.signalling.errors import WireReason
from e2ee.signalling.fields import MAX_LIST, Check, FieldError
from e2ee.signalling.messages import SERVICE, Family, Message
from e2ee.tls_syntax import Reader

__all__ = ["message_of"]


def message_of(family: Family[Any]) -> Reading:
    """How a message of ``family`` is read."""

    def read(reader: Reader, part: Part) -> None:
        start = part.offset = reader.position
        part.type = f"{family.name} message"
        size = reader.end - start
        try:
            if size > family.max_size:
                # SIG-3: "a longer one MUST be refused before it is decoded"
                raise _error(
                    WireReason.TOO_LARGE, start, f"{size} bytes, at most {family.max_size}"
                )
            _Message(family, reader, part).read()
        except DecodeError as error:
            raise stopped(part, reader.position, error) from None
        finally:
            part.size = reader.position - start

    return read


class _Message:
    def __init__(self, family: Family[Any], reader: Reader, part: Part) -> None:
        self._family = family
        self._reader = reader
        self._part = part
        self._longer: tuple[int, Part] | None = None
        """The first value that is not in its shortest form; the message is refused for it last."""

    def read(self) -> None:
        count = self._header(
            self._part, "list", "an array that opens with a name", WireReason.NOT_A_MESSAGE
        )
        if not count:
            raise _error(WireReason.NOT_A_MESSAGE, self._part.offset, "an empty array")
        declared = self._declared()
        self._part.note = declared.name
        self._part.references = references_of(declared) or ("SIG-2",)
        if count - 1 != len(declared.checks):
            detail = f"{count - 1} fields, {len(declared.checks)} are due"
            raise _error(WireReason.WRONG_FIELD_COUNT, self._part.offset, detail)
        for name, check in declared.checks:
            self._field(declared, name, check)
        if self._longer is not None and self._reader.position == self._reader.end:
            offset, part = self._longer
            detail = f"{part.name} is not in its shortest form"
            raise _error(WireReason.NOT_CANONICAL, offset, detail, part)

    def _declared(self) -> type[Message]:
        part = self._part.add("name", "str", self._reader.position)
        name = self._value("text", part, WireReason.NOT_A_MESSAGE)
        declared: type[Message] | None = self._family.messages.get(name)
        if declared is None:
            detail = f"no {self._family.name} message of this name"
            raise _error(WireReason.UNKNOWN_MESSAGE, part.offset, detail, part)
        return declared

    def _field(self, declared: type[Message], name: str, check: Check) -> None:
        part = self._part.add(name, check.name, self._reader.position)
        value = self._value(check.name, part, WireReason.WRONG_TYPE)
        hidden = (declared.name, name) in HIDDEN
        if hidden:  # also one that is too long
            part.value, part.children, part.note = None, [], "secret, not shown"
        try:
            check(value)
        except FieldError as error:
            raise _error(error.reason, part.offset, error.detail, part) from None
        if hidden:
            return
        part.note = part.note or note(declared.name, name, value)
        if self._family is SERVICE:
            self._look_into(part, name, check.name)

    def _look_into(self, part: Part, name: str, type_name: str) -> None:
        reading = carried_by_message(name, type_name)
        if reading is None:
            return
        for each in part.children or [part]:
            size = len(each.value) // 2 if isinstance(each.value, str) else 0
            if size:
                look_into(each, self._reader.data, each.offset + each.size - size, size, reading)

    def _value(self, type_name: str, part: Part, wrong: WireReason) -> Any:
        """The next value, which should be of this type."""
        optional = type_name.endswith(" or nil")
        kind = _KINDS[type_name.removesuffix(" or nil").split("[")[0].split(" ")[0]]
        try:
            if optional and self._reader.data[part.offset : part.offset + 1] == b"\xc0":
                self._reader.take(1)
                part.note = "nil"
                return None
            number = self._header(part, kind, type_name, wrong)
            value = self._body(kind, number, type_name, part)
        except DecodeError as error:
            raise stopped(part, part.offset, error) from None
        finally:
            part.size = self._reader.position - part.offset
        if kind != "list":
            part.value = as_json(value)
        return value

    def _body(self, kind: str, number: int, type_name: str, part: Part) -> Any:
        if kind == "str":
            try:
                return self._reader.take(number).decode()
            except UnicodeDecodeError:
                raise _error(WireReason.NOT_MESSAGEPACK, part.offset, "a str that is not UTF-8") from None  # fmt: skip
        if kind == "bin":
            return self._reader.take(number)
        if kind == "list":
            if number > MAX_LIST:
                raise _error(WireReason.BEYOND_LIMIT, part.offset, f"list of {number} elements")
            element = type_name.removeprefix("list of ")
            return tuple(self._element(element, part, index) for index in range(number))
        return bool(number) if kind == "bool" else number

    def _element(self, type_name: str, part: Part, index: int) -> Any:
        child = part.add(f"[{index}]", type_name, self._reader.position)
        return self._value(type_name, child, WireReason.WRONG_TYPE)

    def _header(self, part: Part, due: str, what: str, wrong: WireReason) -> int:
        """The number, length or count that the next value's header has."""
        start = self._reader.position
        header = read_header(self._reader)
        if header is None:
            raise _error(WireReason.NOT_MESSAGEPACK, start, "the byte c1")
        if header.kind != due:
            raise _error(wrong, start, f"{header.kind} where {what} is due")
        if self._longer is None and not header.is_shortest:
            self._longer = start, part
        return header.number


def _error(reason: WireReason, offset: int, detail: str, part: Part | None = None) -> NotDecodable:
    error = NotDecodable(reason, offset, detail)
    if part is not None:
        part.problem = str(error)
    return error


_KINDS = {
    "u32": "int",
    "u64": "int",
    "bool": "bool",
    "text": "str",
    "name": "str",
    "bytes": "bin",
    "list": "list",
}
"""The chapter's types, without what limits them -> MessagePack's."""
