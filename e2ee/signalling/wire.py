"""Messages to bytes and back: canonical MessagePack (SIG-1 to SIG-3), the only module that knows MessagePack.

Strategy of ``decode``: size first; then MessagePack with limits of its own, so that no header makes it allocate
what the bytes do not hold; then name, number and type of fields; then the value is encoded again and compared.
So each message has exactly one encoding, and extension types, maps, floats and timestamps have none. ``decode``
either returns a message or raises ``WireError``; ``encode`` either returns bytes that decode to an equal message
or raises ``MessageError``.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgpack  # type: ignore[import-untyped]

from e2ee.signalling.errors import MessageError, WireError, WireReason
from e2ee.signalling.fields import MAX_LIST, FieldError
from e2ee.signalling.messages import Family, Message

__all__ = ["decode", "encode"]

M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """The one encoding of ``message``. Raises MessageError if a field is beyond its type."""
    try:
        values = _checked_fields(message)
    except FieldError as error:
        raise MessageError(error.reason, error.detail) from None
    data = _pack((message.name, *values))
    if len(data) > message.family.max_size:
        raise MessageError(WireReason.TOO_LARGE, f"{message.name} of {len(data)} bytes")
    return data


def decode(family: Family[M], data: bytes) -> M:
    """The message of ``family`` that ``data`` encodes. Raises WireError."""
    if len(data) > family.max_size:
        # SIG-3: "a longer one MUST be refused before it is decoded"
        raise WireError(WireReason.TOO_LARGE, f"{len(data)} bytes, at most {family.max_size}")
    value = _unpack(data)
    message = _message(family, value)
    if _pack(value) != data:
        # SIG-1: "A receiver MUST refuse bytes that are not the encoding of what they decode to."
        raise WireError(WireReason.NOT_CANONICAL, f"{message.name} is not in its shortest form")
    return message


def _message(family: Family[M], value: object) -> M:
    """SIG-2: name, number of fields, and each field's type and limits."""
    if type(value) is not tuple or not value or type(value[0]) is not str:
        raise WireError(WireReason.NOT_A_MESSAGE, "not an array that opens with a name")
    name, values = value[0], value[1:]
    declared = family.messages.get(name)
    if declared is None:
        raise WireError(WireReason.UNKNOWN_MESSAGE, f"no {family.name} message of this name")
    if len(values) != len(declared.checks):
        raise WireError(
            WireReason.WRONG_FIELD_COUNT,
            f"{name} with {len(values)} fields, {len(declared.checks)} are due",
        )
    message = declared(*values)
    try:
        _checked_fields(message)
    except FieldError as error:
        raise WireError(error.reason, error.detail) from None
    return message


def _checked_fields(message: Message) -> list[object]:
    """The values of ``message`` in wire order, each found to be of its field's type. Raises FieldError."""
    values = []
    for name, check in message.checks:
        value = getattr(message, name)
        try:
            check(value)
        except FieldError as error:
            raise FieldError(error.reason, f"{message.name}.{name}: {error.detail}") from None
        values.append(value)
    return values


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def _unpack(data: bytes) -> Any:
    """The one MessagePack value in ``data``, with arrays as tuples. Raises WireError."""
    unpacker = msgpack.Unpacker(
        use_list=False,
        raw=False,
        strict_map_key=False,
        object_pairs_hook=_Map,
        max_buffer_size=max(len(data), 1),
        max_str_len=_UNBOUNDED,
        max_bin_len=_UNBOUNDED,
        max_array_len=MAX_LIST,
        max_map_len=MAX_LIST,
        max_ext_len=_UNBOUNDED,
    )
    unpacker.feed(data)
    try:
        value = unpacker.unpack()
    except tuple(_UNPACK_REASONS) as error:
        reason = next(why for kind, why in _UNPACK_REASONS.items() if isinstance(error, kind))
        raise WireError(reason) from None
    if unpacker.tell() != len(data):
        raise WireError(WireReason.TRAILING_BYTES, f"{len(data) - unpacker.tell()} bytes left")
    return value


class _Map(tuple[object, ...]):
    """What a map is read as. No field's type is one, nor an extension: of whatever content, they are of a wrong type."""


_UNBOUNDED = (1 << 32) - 1
"""For str, bin and ext, which take no memory before their bytes are there; ``fields`` bounds them. An array does."""

_UNPACK_REASONS: dict[type[Exception], WireReason] = {
    msgpack.OutOfData: WireReason.TRUNCATED,
    msgpack.StackError: WireReason.TOO_DEEP,
    msgpack.FormatError: WireReason.NOT_MESSAGEPACK,
    UnicodeDecodeError: WireReason.NOT_MESSAGEPACK,
    ValueError: WireReason.BEYOND_LIMIT,
}
"""What MessagePack raises, the particular before the general (all but the first are ValueErrors)."""
