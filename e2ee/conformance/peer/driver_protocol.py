"""What the peer and the driver of a client say to each other (``spec/conformance.md``, Live peers): one JSON object a line.

    peer   -> {"type": "hello", "protocol": 1, "specification": "1.0", "role": "driver"}
    driver -> {"type": "hello", "protocol": 1, "name": ..., "version": ..., "features": [...]}
    peer   -> {"type": "do", "number": 1, "action": "call", "account": "probe", "medium": "text"}
    driver -> {"type": "done", "number": 1}
            | {"type": "failed", "number": 1, "reason": "why the client did not do it"}
            | {"type": "unsupported", "number": 1, "reason": "why it cannot be asked to"}
    driver -> {"type": "event", "event": "rings", "account_id": "probe", ...}         at any time

Members that are not named here are ignored. Whatever bytes come, they are a message or ``NotTheProtocol``.

This module imports nothing of the package beside the runner's modules, and nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.conformance.adapter_protocol import MAXIMUM_LINE, PROTOCOL, NotTheProtocol
from e2ee.conformance.shown import shown

__all__ = [
    "ACTIONS",
    "FEATURES",
    "Done",
    "DriverHello",
    "Event",
    "NotDone",
    "do_line",
    "hello_line",
    "read_hello",
    "read_said",
]

FEATURES: Mapping[str, str] = {
    "media": "sends sound and pictures in calls, and plays those that come",
    "tone": "its microphone is a tone of 440 Hz, which the peer listens for",
    "counts": "`state` says how many frames were opened",
    "codes": "`compare` and `begin_code`",
    "block": "`block`",
    "group": "`join` and `leave`",
    "host": "`meet` and `remove`",
}
"""What a driver may declare, and what it says then."""

ACTIONS: Mapping[str, str] = {
    "register": "",
    "call": "",
    "answer": "",
    "decline": "",
    "hang_up": "",
    "say": "",
    "state": "",
    "reset": "",
    "mute": "media",
    "compare": "codes",
    "begin_code": "codes",
    "block": "block",
    "join": "group",
    "leave": "group",
    "meet": "host",
    "remove": "host",
}
"""What a driver is asked to do, and the feature without which it is not."""


@dataclass(frozen=True, slots=True)
class DriverHello:
    """Who the client is, and what its driver declares."""

    name: str
    version: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The client did it; ``members`` is what came of it."""

    number: int
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotDone:
    """The client did not, or its driver cannot ask it to."""

    number: int
    unsupported: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the client told."""

    name: str
    members: Mapping[str, Any]

    def has(self, name: str, fields: Mapping[str, Any]) -> bool:
        """Whether it is an event of this name with these members."""
        return self.name == name and all(self.members.get(key) == fields[key] for key in fields)


def hello_line(specification: str) -> str:
    """The peer's first line, without its end."""
    hello = {"type": "hello", "protocol": PROTOCOL, "specification": specification}
    return json.dumps(hello | {"role": "driver"})


def do_line(number: int, action: str, members: Mapping[str, Any]) -> str:
    """What is to be done."""
    return json.dumps({"type": "do", "number": number, "action": action, **members})


def read_hello(line: bytes) -> DriverHello:
    """The driver's first line. Raises NotTheProtocol."""
    match _object(line):
        case {"type": "hello", "protocol": 1, "name": str(name), "version": str(version)} as said:
            features = said.get("features", [])
            if name and version and isinstance(features, list) and {*map(type, features)} <= {str}:
                return DriverHello(shown(name, 80), shown(version, 80), tuple(features))
    raise NotTheProtocol(f"said no hello of a driver: {shown(line)}")


def read_said(line: bytes) -> Done | NotDone | Event:
    """Any later line of the driver. Raises NotTheProtocol."""
    match _object(line):
        case {"type": "done", "number": int(number)} as said:
            return Done(number, said)
        case {"type": "failed" | "unsupported" as kind, "number": int(number)} as said:
            return NotDone(number, kind == "unsupported", shown(str(said.get("reason", ""))))
        case {"type": "event", "event": str(name)} as said:
            return Event(name, said)
    raise NotTheProtocol(f"said what is no message of a driver: {shown(line)}")


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAXIMUM_LINE:
        raise NotTheProtocol("said a line that is too long")
    try:
        said = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise NotTheProtocol(f"said what is no JSON in UTF-8: {shown(line)}") from error
    return said if isinstance(said, dict) else {}
