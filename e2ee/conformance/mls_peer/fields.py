"""The fields of requests: what JSON value each holds, and what it is read as.

A handler's signature is the table of its fields. Its parameters are annotated with the types below, each of which
carries its ``Kind``; one with a default value may be omitted, or be null. So what a handler is given is typed, and what
the help prints is what is read.
"""

from __future__ import annotations

import inspect
from binascii import unhexlify
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_type_hints

from e2ee.conformance.mls_peer.errors import RequestError, RequestReason
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.errors import DecodeError
from e2ee.mls.extension import Extension
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage, MLSMessageBody
from e2ee.mls.welcome import Welcome

__all__ = [
    "REQUIRED",
    "AnyMessage",
    "ClientId",
    "CodePoints",
    "ExtensionList",
    "Field",
    "Flag",
    "GroupInfoMessage",
    "Hex",
    "HexList",
    "KeyPackageList",
    "KeyPackageMessage",
    "Kind",
    "LeafIndex",
    "LeafIndexList",
    "Length",
    "OwnLeaf",
    "SecretHex",
    "Suite",
    "Text",
    "WelcomeMessage",
    "fields_of",
    "read_fields",
]

_SHOWN = 60
"""How much of an unknown name an error repeats, in characters."""

T = TypeVar("T")
B = TypeVar("B", bound=MLSMessageBody)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """``name`` is for people; ``read`` takes where the value stands and the value, and raises RequestError."""

    name: str
    read: Callable[[str, Any], T]


def _bad(where: str, due: str) -> RequestError:
    return RequestError(RequestReason.BAD_FIELD, f"{where}: {due} is due")


# One value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _is_unicode(value):
        raise _bad(where, "text")
    return value


def _is_unicode(value: str) -> bool:
    """JSON can name halves of characters, which stand for nothing and have no encoding."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _client_id(where: str, value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _bad(where, "text or a number")
    return value


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(where, "true or false")
    return value


def _number(bits: int) -> Callable[[str, Any], int]:
    def read(where: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise _bad(where, f"a number of {bits} bits")
        return value

    return read


def _hex(where: str, value: Any) -> bytes:
    try:
        if isinstance(value, str):
            return unhexlify(value)
    except ValueError:
        pass
    raise _bad(where, "hex, two digits a byte,")


def _secret(where: str, value: Any) -> Secret:
    return Secret(_hex(where, value))


def _suite(where: str, value: Any) -> CipherSuite:
    if isinstance(value, str):
        for suite in CIPHER_SUITES.values():
            if suite.name == value:
                return suite
        raise _bad(where, "the name of a suite that `suites` lists")
    return cipher_suite(_number(16)(where, value))


def _own_leaf(where: str, value: Any) -> bool | int:
    return value if isinstance(value, bool) else _number(32)(where, value)


def _message(where: str, value: Any) -> MLSMessage:
    try:
        return MLSMessage.decode(_hex(where, value))
    except DecodeError as error:
        raise DecodeError(error.reason, f"{where}: {error.detail}") from None


def _message_with(body: type[B]) -> Callable[[str, Any], B]:
    def read(where: str, value: Any) -> B:
        message = _message(where, value)
        if not isinstance(message.body, body):
            found = f"{where}: a {body.__name__} is due, not a {type(message.body).__name__}"
            raise RequestError(RequestReason.WRONG_MESSAGE, found)
        return message.body

    return read


# Lists


def _list_of(kind: Kind[T]) -> Callable[[str, Any], tuple[T, ...]]:
    def read(where: str, value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _bad(where, "a list")
        return tuple(kind.read(f"{where}[{i}]", item) for i, item in enumerate(value))

    return read


def _extension(where: str, value: Any) -> Extension:
    if not isinstance(value, list) or len(value) != 2:
        raise _bad(where, "[type, hex]")
    return Extension(_number(16)(f"{where}[0]", value[0]), _hex(f"{where}[1]", value[1]))


_CODE_POINT = Kind("number", _number(16))
_HEX = Kind("hex", _hex)
_KEY_PACKAGE = Kind("KeyPackage", _message_with(KeyPackage))
_LEAF_INDEX = Kind("leaf", _number(32))

Text = Annotated[str, Kind("text", _text)]
ClientId = Annotated[str | int, Kind("id", _client_id)]
Flag = Annotated[bool, Kind("bool", _flag)]
Length = Annotated[int, _CODE_POINT]
LeafIndex = Annotated[int, _LEAF_INDEX]
OwnLeaf = Annotated[bool | int, Kind("bool or leaf", _own_leaf)]
Hex = Annotated[bytes, _HEX]
SecretHex = Annotated[Secret, Kind("hex", _secret)]
Suite = Annotated[CipherSuite, Kind("code point or name", _suite)]
AnyMessage = Annotated[MLSMessage, Kind("MLSMessage", _message)]
KeyPackageMessage = Annotated[KeyPackage, _KEY_PACKAGE]
WelcomeMessage = Annotated[Welcome, Kind("Welcome", _message_with(Welcome))]
GroupInfoMessage = Annotated[GroupInfo, Kind("GroupInfo", _message_with(GroupInfo))]
CodePoints = Annotated[tuple[int, ...], Kind("list of number", _list_of(_CODE_POINT))]
ExtensionList = Annotated[
    tuple[Extension, ...], Kind("list of extension", _list_of(Kind("extension", _extension)))
]
HexList = Annotated[tuple[bytes, ...], Kind("list of hex", _list_of(_HEX))]
KeyPackageList = Annotated[
    tuple[KeyPackage, ...], Kind("list of KeyPackage", _list_of(_KEY_PACKAGE))
]
LeafIndexList = Annotated[tuple[int, ...], Kind("list of leaf", _list_of(_LEAF_INDEX))]


# All fields of a request

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an operation; ``default`` is ``REQUIRED``, or what omitting it and null stand for."""

    kind: Kind[Any]
    default: Any

    @property
    def optional(self) -> bool:
        """Whether it may be omitted."""
        return self.default is not REQUIRED


def fields_of(handler: Callable[..., object]) -> Mapping[str, Field]:
    """The fields that ``handler`` takes: its keyword-only parameters, in their order."""
    hints = get_type_hints(handler, include_extras=True)
    return {
        parameter.name: Field(_kind(hints[parameter.name]), parameter.default)
        for parameter in inspect.signature(handler).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _kind(hint: Any) -> Kind[Any]:
    """The one that an annotation carries, also beside ``| None``."""
    for part in (hint, *get_args(hint)):
        for note in getattr(part, "__metadata__", ()):
            if isinstance(note, Kind):
                return note
    raise TypeError(f"{hint} has no kind")


def read_fields(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """The typed values of the fields that are given. Raises RequestError, DecodeError, UnsupportedCipherSuite."""
    for name in given:
        if name not in fields:
            raise RequestError(RequestReason.UNKNOWN_FIELD, f"{name:.{_SHOWN}}")
    for name, field in fields.items():
        if name not in given and not field.optional:
            raise RequestError(RequestReason.MISSING_FIELD, name)
    return {
        name: fields[name].kind.read(name, value)
        for name, value in given.items()
        if value is not None or not fields[name].optional
    }
