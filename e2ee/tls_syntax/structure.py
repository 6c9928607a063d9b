"""Structures: classes whose annotations are their fields in wire order, composed into one codec each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self, TypeVar, dataclass_transform, get_type_hints

from e2ee.errors import DecodeError, DecodeReason
from e2ee.tls_syntax.codec import (
    MAX_SIZE,
    Codec,
    EncodeError,
    EncodeReason,
    Reader,
    deeper,
    opaque,
    uint8,
    uint16,
    uint32,
    uint64,
    wrong_type,
)
from e2ee.tls_syntax.form import Structure


@dataclass(frozen=True, slots=True)
class select:  # noqa: N801 - the presentation language's own word
    """``select (x.tag) { case A: T; ... }``: the field's type is chosen by an earlier field's value.

    ``tag`` may reach into an earlier structure: ``content.sender.sender_type``. A value without a case is
    refused, unless ``default`` says how the remaining cases are read.
    """

    tag: str
    cases: Mapping[Any, Codec[Any]]
    default: Codec[Any] | None = None

    def codec(self, tag: Any) -> Codec[Any] | None:
        """The codec of the case that ``tag`` chooses."""
        return self.cases.get(tag, self.default)


class Struct:
    """Base of declared structures: ``decode`` and ``encode`` whole values, ``codec`` to nest them."""

    __slots__ = ()
    _codec: ClassVar[Codec[Any]]

    @classmethod
    def codec(cls) -> Codec[Self]:
        """This structure's codec, for fields of other structures."""
        return cls._codec

    @classmethod
    def decode(cls, data: bytes, *, max_size: int = MAX_SIZE) -> Self:
        """The structure that ``data`` encodes, all of it. Raises DecodeError."""
        value: Self = cls._codec.decode(data, max_size=max_size)
        return value

    def encode(self) -> bytes:
        """The encoding of this structure. Raises EncodeError."""
        return self._codec.encode(self)


class EncodedOnce(Struct):
    """Base of structures that are signed and hashed as a whole, and so are encoded again and again.

    A structure never changes, and what was decoded has no second encoding. So its encoding is made when it is first
    asked for, or is the bytes that it was read from, and is kept beside the fields, where ``==``, ``repr`` and
    ``dataclasses.replace`` do not see it. Not for structures that hold secrets.
    """

    __slots__ = ("_encoding",)
    _encoding: bytes
    _fields: ClassVar[Codec[Any]]

    def encode(self) -> bytes:
        """The encoding of this structure. Raises EncodeError."""
        try:
            return self._encoding
        except AttributeError:
            return _keep(self, self._fields.encode(self))


def _keep(value: EncodedOnce, encoding: bytes) -> bytes:
    object.__setattr__(value, "_encoding", encoding)
    return encoding


S = TypeVar("S", bound=Struct)


@dataclass_transform(frozen_default=True)
def struct(cls: type[S]) -> type[S]:
    """Make ``cls`` a frozen dataclass and compose its codec from its annotations, in their order."""
    made = dataclass(frozen=True, slots=True)(cls)
    hints = get_type_hints(made, include_extras=True)
    parts = [(field.name, _annotation(hints[field.name])) for field in dataclass_fields(made)]  # type: ignore[arg-type]
    made._codec = _compose(made, parts)
    if issubclass(made, EncodedOnce):
        made._fields, made._codec = made._codec, _encoded_once(made, made._codec)
    return made


def _encoded_once(made: type[EncodedOnce], fields: Codec[Any]) -> Codec[Any]:
    """The codec of ``made``, whose ``fields`` are read and written by that codec."""

    def read(reader: Reader) -> EncodedOnce:
        start = reader.position
        value: EncodedOnce = fields.read(reader)
        _keep(value, reader.data[start : reader.position])
        return value

    def write(value: EncodedOnce, out: bytearray) -> None:
        if not isinstance(value, made):
            raise wrong_type(made, value)
        out += value.encode()

    return Codec(read, write, fields.min_size, fields.depth, fields.form)


def _annotation(hint: Any) -> Codec[Any] | select:
    """The codec that a field's type carries: its ``Annotated`` metadata, or a nested Struct's own."""
    found = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Codec | select)]
    if not found and isinstance(hint, type) and issubclass(hint, Struct):
        found = [hint.codec()]
    if len(found) != 1:
        raise TypeError(f"{len(found)} codecs for a field of type {hint}")
    return found[0]


def _compose(made: type[S], parts: list[tuple[str, Codec[Any] | select]]) -> Codec[S]:
    names = [name for name, _ in parts]
    readers = [_reader_step(names[:index], part) for index, (_, part) in enumerate(parts)]
    writers = [(name, *_writer_step(part)) for name, part in parts]

    def read(reader: Reader) -> S:
        values: list[Any] = []
        for step, selected in readers:
            values.append(step(reader, values) if selected else step(reader))
        return made(*values)

    def write(value: S, out: bytearray) -> None:
        if not isinstance(value, made):
            raise wrong_type(made, value)
        for name, step, selected in writers:
            field = getattr(value, name)
            if selected:
                step(field, out, value)
            else:
                step(field, out)

    simple = [part for _, part in parts if isinstance(part, Codec)]
    nested = simple + [c for _, part in parts if isinstance(part, select) for c in _cases(part)]
    return Codec(
        read,
        write,
        sum(part.min_size for part in simple),
        deeper(max((part.depth for part in nested), default=0)),
        Structure(made, dict(parts)),
    )


def _cases(choice: select) -> list[Codec[Any]]:
    return [*choice.cases.values(), *([choice.default] if choice.default else [])]


def _itself(value: Any) -> Any:
    return value


_Step = tuple[Callable[..., Any], bool]
"""How one field is read or written, and whether that is selected by a field before it."""


def _reader_step(earlier: list[str], part: Codec[Any] | select) -> _Step:
    if isinstance(part, Codec):
        return part.read, False
    field, _, inner = part.tag.partition(".")
    if field not in earlier:
        raise TypeError(f"select by {part.tag}, which is not an earlier field")
    tag_index, choice = earlier.index(field), part
    tag_of = attrgetter(inner) if inner else _itself

    def read_selected(reader: Reader, values: list[Any]) -> Any:
        tag = tag_of(values[tag_index])
        codec = choice.codec(tag)
        if codec is None:
            raise DecodeError(DecodeReason.UNKNOWN_VALUE, f"no case for {choice.tag} {tag!r}")
        return codec.read(reader)

    return read_selected, True


def _writer_step(part: Codec[Any] | select) -> _Step:
    if isinstance(part, Codec):
        return part.write, False
    choice, tag_of = part, attrgetter(part.tag)

    def write_selected(field: Any, out: bytearray, value: Any) -> None:
        tag = tag_of(value)
        codec = choice.codec(tag)
        if codec is None:
            raise EncodeError(EncodeReason.NO_SUCH_VARIANT, f"{choice.tag} {tag!r}")
        codec.write(field, out)

    return write_selected, True


Uint8 = Annotated[int, uint8]
Uint16 = Annotated[int, uint16]
Uint32 = Annotated[int, uint32]
Uint64 = Annotated[int, uint64]
Opaque = Annotated[bytes, opaque]
