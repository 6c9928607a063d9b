"""Declared structures, field by field: the walk follows the form of their codecs, whatever they are.

Each leaf is read by its own codec, so a structure is accepted here exactly when its codec accepts it. A codec that was
written by hand has no form and has an entry in ``BY_HAND``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.errors import DecodeError, DecodeReason
from e2ee.inspection.errors import NotDecodable
from e2ee.inspection.part import CARRIED, Json, Part, references_of
from e2ee.inspection.wording import note
from e2ee.mls.capabilities import ProposalType
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.framing import ContentType, auth_data
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import (
    PRIVATE_USE,
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from e2ee.tls_syntax import Codec, Reader, Struct, opaque, read_length, select, uint16
from e2ee.tls_syntax.form import (
    Converted,
    Enumeration,
    Nothing,
    Number,
    Octets,
    Optional,
    Structure,
    Vector,
)

__all__ = ["Reading", "structure", "whole"]

Reading = Callable[[Reader, Part], Any]
"""Reads what stands between ``reader.position`` and ``reader.end`` into the children of a part. Raises NotDecodable."""

MOST_PARTS = 1 << 16
"""Of one vector."""

Contents = Callable[[str, str, Mapping[str, Any]], Reading | None]
"""(structure, field, the fields before it) -> how what an opaque field carries is read, if it is known."""


def structure(codec: Codec[Any], contents: Contents) -> Reading:
    """How a whole of this type is read."""

    def read(reader: Reader, part: Part) -> Any:
        return _Walk(reader, contents).into(codec, part, "", part.name, {})

    return read


def whole(reading: Reading) -> Reading:
    """The same, up to the last byte."""

    def read(reader: Reader, part: Part) -> Any:
        value = reading(reader, part)
        if reader.position != reader.end:
            raise NotDecodable.trailing(reader.position, reader.end - reader.position)
        return value

    return read


class _Walk:
    """One walk over one reader."""

    def __init__(self, reader: Reader, contents: Contents) -> None:
        self.reader = reader
        self._contents = contents

    def into(
        self, codec: Codec[Any], part: Part, owner: str, field: str, before: Mapping[str, Any]
    ) -> Any:
        """Read a value of this type into ``part``, which is a ``field`` of ``owner``. Raises NotDecodable."""
        start = self.reader.position
        part.offset, part.type = start, _type_name(codec)
        try:
            if (by_hand := _by_hand(codec)) is not None:
                value = by_hand(self, part)
                self._judge(codec, start, self.reader.position)
            else:
                value = self._of_form(codec, part, owner, field, before)
        except DecodeError as error:
            raise stopped(part, start, error) from None
        finally:
            # A number that is cut off leaves the reader beyond the end.
            part.size = min(self.reader.position, self.reader.end) - start
        return value

    def _of_form(
        self, codec: Codec[Any], part: Part, owner: str, field: str, before: Mapping[str, Any]
    ) -> Any:
        match codec.form:
            case Structure(made, fields):
                value = self._structure(made, fields, part)
                if codec is not made.codec():
                    self._judge(codec, part.offset, self.reader.position)
                return value
            case Vector(element, _) if not _is_leaf(element):
                return self.vector(codec, element, part)
            case Optional(inner):
                return self._optional(inner, part, owner, field, before)
        value = codec.read(self.reader)
        _show(part, owner, field, value)
        if isinstance(value, bytes) and value:
            self._carried(part, owner, field, before, len(value))
        return value

    def field(self, codec: Codec[Any], part: Part, owner: str, name: str) -> Any:
        """Read a field of a structure that was written by hand."""
        child = part.add(name, "", self.reader.position)
        return self.into(codec, child, owner, name, {})

    def _structure(
        self, made: type[Any], fields: Mapping[str, Codec[Any] | select], part: Part
    ) -> SimpleNamespace:
        part.made, part.references = made, references_of(made)
        values: dict[str, Any] = {}
        for name, declared in fields.items():
            child = part.add(name, "", self.reader.position)
            codec = (
                declared if isinstance(declared, Codec) else self._chosen(declared, values, child)
            )
            values[name] = self.into(codec, child, made.__name__, name, values)
        return SimpleNamespace(**values)

    def _chosen(self, choice: select, values: Mapping[str, Any], part: Part) -> Codec[Any]:
        tag = attrgetter(choice.tag)(SimpleNamespace(**values))
        codec = choice.codec(tag)
        if codec is None:
            error = DecodeError(DecodeReason.UNKNOWN_VALUE, f"no case for {choice.tag} {tag!r}")
            raise stopped(part, self.reader.position, error)
        return codec

    def vector(self, codec: Codec[Any], element: Codec[Any], part: Part) -> tuple[Any, ...]:
        """Read ``T x<V>``, each element as a part of its own."""
        self._bound(codec)
        length = read_length(self.reader)
        outer, self.reader.end = self.reader.end, self.reader.position + length
        values: list[Any] = []
        while self.reader.position < self.reader.end:
            if len(values) == MOST_PARTS:
                raise DecodeError(DecodeReason.TOO_LARGE, f"more than {MOST_PARTS} elements")
            child = part.add(f"[{len(values)}]", "", self.reader.position)
            values.append(self.into(element, child, part.type, "", {}))
        self.reader.end = outer
        part.note = f"{len(values)} of them" if len(values) != 1 else ""
        return tuple(values)

    def _optional(
        self, inner: Codec[Any], part: Part, owner: str, field: str, before: Mapping[str, Any]
    ) -> Any:
        # The codec itself judges the presence octet; an absent value has no second byte to read.
        if self.reader.data[self.reader.position : self.reader.position + 1] != b"\x01":
            Codec(lambda reader: reader.take(1)[0], inner.write, 1).read(self.reader)
            part.note = "absent"
            return None
        self.reader.take(1)
        start = self.reader.position
        try:
            return self.into(inner, part, owner, field, before)
        finally:
            part.offset = start

    def _judge(self, codec: Codec[Any], start: int, end: int) -> None:
        """What a codec refuses beside what its parts do."""
        again = Reader(self.reader.data)
        again.position, again.end = start, end
        codec.read(again)

    def _bound(self, codec: Codec[Any]) -> None:
        """A vector of too many elements is refused before each becomes a part; everything else is found on the way."""
        try:
            self._judge(codec, self.reader.position, self.reader.end)
        except DecodeError as error:
            if error.reason is DecodeReason.TOO_LARGE:
                raise

    def _carried(
        self, part: Part, owner: str, field: str, before: Mapping[str, Any], size: int
    ) -> None:
        """Look into an opaque field; if it is not what it should be, that is no fault of what it stands in."""
        reading = self._contents(owner, field, before)
        if reading is not None:
            look_into(part, self.reader.data, self.reader.position - size, size, reading)


def look_into(part: Part, data: bytes, start: int, size: int, reading: Reading) -> None:
    """Read what a field carries into the field's part; a problem there stays there."""
    inner = Reader(data)
    inner.position, inner.end = start, start + size
    carried = part.add(CARRIED, "", start)
    try:
        whole(reading)(inner, carried)
    except NotDecodable as error:
        if not any(each.problem for each in carried.walk()):
            carried.problem = str(error)
    carried.size = carried.size or min(inner.position, inner.end) - start


def stopped(part: Part, offset: int, error: DecodeError) -> NotDecodable:
    """The error with its place; the part where it arose says so."""
    if isinstance(error, NotDecodable):
        return error
    part.problem = str(error)
    return NotDecodable(error.reason, offset, f"{part.name}: {error.detail}".rstrip(": "))


def _is_leaf(codec: Codec[Any]) -> bool:
    return isinstance(codec.form, Number | Octets | Enumeration) and codec.form != Octets(None)


def _show(part: Part, owner: str, field: str, value: Any) -> None:
    if isinstance(value, Secret):
        part.note = "secret, not shown"
        return
    part.value, part.note = as_json(value), note(owner, field, value)


def as_json(value: Any) -> Json:
    """Bytes in hexadecimal, numbers as they are."""
    if isinstance(value, tuple):
        return [as_json(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if isinstance(value, IntEnum) else value


_TYPE_NAMES: Mapping[type[Any], Callable[[Any], str]] = {
    Number: lambda form: f"uint{8 * form.size}",
    Octets: lambda form: "opaque<V>" if form.length is None else f"opaque[{form.length}]",
    Converted: lambda form: _TYPE_NAMES[Octets](form.of),
    Vector: lambda form: f"{_type_name(form.element)}<V>",
    Optional: lambda form: f"optional<{_type_name(form.value)}>",
    Enumeration: lambda form: form.members.__name__,
    Nothing: lambda _: "nothing",
    Structure: lambda form: form.made.__name__,
}


def _type_name(codec: Codec[Any]) -> str:
    for each, name in ((_EXTENSIONS, "Extension<V>"), (_PROPOSAL, "proposal")):
        if codec is each:
            return name
    words = _TYPE_NAMES.get(type(codec.form))
    return words(codec.form) if words else ""


# Codecs that were written by hand


def _field_codec(declared: type[Any], field: str) -> Codec[Any]:
    return declared.codec().form.fields[field]  # type: ignore[no-any-return]


_EXTENSIONS = _field_codec(LeafNode, "extensions")
_PROPOSAL = _field_codec(Proposal, "content")
_PROPOSALS: Mapping[int, type[Struct]] = {
    ProposalType.ADD: Add,
    ProposalType.UPDATE: Update,
    ProposalType.REMOVE: Remove,
    ProposalType.PSK: PreSharedKey,
    ProposalType.REINIT: ReInit,
    ProposalType.EXTERNAL_INIT: ExternalInit,
    ProposalType.GROUP_CONTEXT_EXTENSIONS: GroupContextExtensions,
}


def _extensions(walk: _Walk, part: Part) -> tuple[Any, ...]:
    return walk.vector(_EXTENSIONS, Extension.codec(), part)


def _proposal(walk: _Walk, part: Part) -> Any:
    proposal_type = walk.field(uint16, part, "Proposal", "proposal_type")
    if proposal_type in PRIVATE_USE:
        return walk.field(opaque, part, "CustomProposal", "data")
    content = _PROPOSALS.get(proposal_type)
    if content is None:
        raise DecodeError(Rule.PROPOSAL_TYPE_UNKNOWN, f"{proposal_type:#06x}")
    return walk.field(content.codec(), part, "Proposal", content.__name__)


def _auth_data(walk: _Walk, part: Part) -> None:
    part.type, part.references = "FramedContentAuthData", ("RFC 9420 Section 6.1",)
    walk.field(opaque, part, part.type, "signature")


def _auth_data_of_commit(walk: _Walk, part: Part) -> None:
    _auth_data(walk, part)
    walk.field(opaque, part, part.type, "confirmation_tag")


_BY_HAND: Sequence[tuple[Codec[Any], Callable[[_Walk, Part], Any]]] = (
    (_EXTENSIONS, _extensions),
    (_PROPOSAL, _proposal),
    (auth_data[ContentType.APPLICATION], _auth_data),
    (auth_data[ContentType.PROPOSAL], _auth_data),
    (auth_data[ContentType.COMMIT], _auth_data_of_commit),
)


def _by_hand(codec: Codec[Any]) -> Callable[[_Walk, Part], Any] | None:
    return next((read for each, read in _BY_HAND if each is codec), None)
