"""Extensions (RFC 9420 Sections 7.2 and 13.4): typed data that can be added to many messages.

An extension is a type and opaque data; an unknown type is carried like any other. A list of extensions is read and
written with the one rule that holds wherever a list stands: no type twice. What may stand where, and who must support
what, is checked by the modules of those messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated

from e2ee.errors import DecodeError
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError
from e2ee.tls_syntax import (
    Codec,
    Opaque,
    Reader,
    Struct,
    Uint16,
    struct,
    vector,
)

__all__ = [
    "Extension",
    "ExtensionType",
    "Extensions",
    "ExternalPub",
    "ExternalSender",
    "external_senders",
    "find",
]


class ExtensionType(IntEnum):
    """RFC 9420 Section 17.3: the default types, which every client implements and none lists."""

    APPLICATION_ID = 1
    RATCHET_TREE = 2
    REQUIRED_CAPABILITIES = 3
    EXTERNAL_PUB = 4
    EXTERNAL_SENDERS = 5


@struct
class Extension(Struct):
    """RFC 9420 Section 7.2. ``extension_type`` is any code point."""

    extension_type: Uint16
    extension_data: Opaque


_vector = vector(Extension.codec(), most=1 << 8)


def _repeated(extensions: Iterable[Extension]) -> int | None:
    """The first type that stands twice in the list."""
    seen: set[int] = set()
    for extension in extensions:
        if extension.extension_type in seen:
            return extension.extension_type
        seen.add(extension.extension_type)
    return None


def _read(reader: Reader) -> tuple[Extension, ...]:
    extensions = _vector.read(reader)
    # "Any field containing a list of extensions MUST NOT have more than one extension of any given type."
    if (repeated := _repeated(extensions)) is not None:
        raise DecodeError(Rule.DUPLICATE_EXTENSION, f"type {repeated:#06x}")
    return extensions


def _write(extensions: tuple[Extension, ...], out: bytearray) -> None:
    if (repeated := _repeated(extensions)) is not None:
        raise UsageError(Rule.DUPLICATE_EXTENSION, f"type {repeated:#06x}")
    _vector.write(extensions, out)


Extensions = Annotated[tuple[Extension, ...], Codec(_read, _write, _vector.min_size, _vector.depth)]
"""``Extension extensions<V>``, no type twice."""


@struct
class ExternalPub(Struct):
    """RFC 9420 Section 12.4.3.2."""

    external_pub: Opaque


@struct
class ExternalSender(Struct):
    """RFC 9420 Section 12.1.8.1."""

    signature_key: Opaque
    credential: Credential


external_senders: Codec[tuple[ExternalSender, ...]] = vector(ExternalSender.codec())
"""The data of an ``external_senders`` extension: a vector, also for one sender."""


def find(extensions: Iterable[Extension], extension_type: int) -> bytes | None:
    """The data of the extension of this type, or None."""
    for extension in extensions:
        if extension.extension_type == extension_type:
            return extension.extension_data
    return None
