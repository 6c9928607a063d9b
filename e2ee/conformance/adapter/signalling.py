"""The chapter Signalling: messages to bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from e2ee.conformance.adapter.operations import (
    Accepted,
    Answer,
    Given,
    Operation,
    Refused,
    operation,
)
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError
from e2ee.signalling.messages import CALL, LETTER, SERVICE, Family, FromDevice, FromService, Message

__all__: list[str] = []

FAMILIES: Mapping[str, Family[Any]] = {family.name: family for family in (SERVICE, CALL, LETTER)}

GROUPS: Mapping[str, tuple[Family[Any], type[Message]]] = {
    "from-device": (SERVICE, FromDevice),
    "from-service": (SERVICE, FromService),
    "call-message": (CALL, Message),
    "letter-message": (LETTER, Message),
}
"""Group -> the family, and what of it may come."""


def _shown(message: Message) -> dict[str, Any]:
    """The fields as vectors have them."""
    return {name: _as_json(check.name, getattr(message, name)) for name, check in message.checks}


def _as_json(type_name: str, value: Any) -> Any:
    if type_name == "u64":
        return f"{value:016x}"
    if isinstance(value, tuple):
        return [_as_json("", element) for element in value]
    return value.hex() if isinstance(value, bytes) else value


def _read(type_name: str, value: Any) -> Any:
    """The other way."""
    if isinstance(value, list):
        return tuple(_read(type_name, element) for element in value)
    if type_name == "u64":
        return int(value, 16)
    return bytes.fromhex(value) if "bytes" in type_name and value is not None else value


def _decoding(family: Family[Any], due: type[Message]) -> Operation:
    def decode(given: Given) -> Answer:
        try:
            message: Message = wire.decode(family, bytes.fromhex(given["bytes"]))
        except WireError as error:
            return Refused(error.reason)
        if not isinstance(message, due):
            return Refused("UNEXPECTED_MESSAGE")
        return Accepted({"message": message.name, "fields": _shown(message)})

    return decode


for group, (family, due) in GROUPS.items():
    operation(f"signalling/{group}")(_decoding(family, due))


@operation("signalling/encoding")
def encoding(given: Given) -> Answer:
    declared: type[Message] = next(
        family.messages[given["message"]]
        for family in FAMILIES.values()
        if given["message"] in family.messages
    )
    values = {name: _read(check.name, given["fields"][name]) for name, check in declared.checks}
    return Accepted({"bytes": wire.encode(declared(**values)).hex()})


@operation("signalling/limits")
def limits(given: Given) -> Answer:
    data = b"".join(bytes.fromhex(part["hex"]) * part["times"] for part in given["parts"])
    try:
        message: Message = wire.decode(FAMILIES[given["family"]], data)
    except WireError as error:
        return Refused(error.reason)
    encoded = wire.encode(message)
    return Accepted({"message": message.name, "size": len(encoded), "begins": encoded[:64].hex()})
