"""What runner and adapter say to each other (``spec/conformance.md``): one JSON object a line.

    runner  -> {"type": "hello", "protocol": 1, "specification": "1.0"}
    adapter -> {"type": "hello", "protocol": 1, "name": ..., "version": ..., "groups": [...], "features": [...]}
    runner  -> {"type": "case", "number": 17, "group": "frame-format/receiving", "input": {...}}
    adapter -> {"type": "answer", "number": 17, "result": "valid", "output": {...}, "intermediate": {...}}
             | {"type": "answer", "number": 17, "result": "invalid", "reason": "REPLAYED"}
             | {"type": "answer", "number": 17, "result": "unsupported", "reason": "why"}

Members that are not named here are ignored. Whatever bytes come, they are a message or ``NotTheProtocol``.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from e2ee.conformance.shown import shown

__all__ = [
    "MAXIMUM_LINE",
    "PROTOCOL",
    "Answer",
    "Hello",
    "NotTheProtocol",
    "case_line",
    "hello_line",
    "read_answer",
    "read_hello",
]

PROTOCOL = 1

MAXIMUM_LINE = 16 * 2**20
"""Bytes of a line (CONF-5)."""

MAXIMUM_DEPTH = 64
"""Of arrays and objects in each other; a case has a handful."""

MOST_NAMES = 1000
"""Groups, and features, that a hello declares (CONF-6)."""

RESULTS = ("valid", "invalid", "unsupported")


class NotTheProtocol(Exception):
    """What the adapter said is no message, or not the one that was due. The text shows it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the adapter is, and what it declares."""

    name: str
    version: str
    groups: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """To one case. ``reason`` is None where none was given; ``then`` is what came of what followed a refusal."""

    result: str
    output: Mapping[str, Any] = field(default_factory=dict)
    intermediate: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    released: str = ""
    then: tuple[Any, ...] | None = None


def hello_line(specification: str) -> str:
    """The runner's first line, without its end."""
    return json.dumps({"type": "hello", "protocol": PROTOCOL, "specification": specification})


def case_line(number: int, group: str, given: Mapping[str, Any]) -> str:
    """A case without its id and what is expected of it (CONF-9)."""
    return json.dumps({"type": "case", "number": number, "group": group, "input": given})


def read_hello(line: bytes) -> Hello:
    """The adapter's first line. Raises NotTheProtocol."""
    said = _message(line, "hello")
    if (version := said.get("protocol")) != PROTOCOL or version is True:
        raise NotTheProtocol(
            f"the adapter speaks protocol {version!r:.40}, not {PROTOCOL}: {shown(line)}"
        )
    return Hello(
        name=_text(said, "name", line),
        version=_text(said, "version", line),
        groups=_names(said, "groups", line),
        features=_names(said, "features", line),
    )


def read_answer(line: bytes, number: int) -> Answer:
    """The answer to the case of this number. Raises NotTheProtocol."""
    said = _message(line, "answer")
    if type(said.get("number")) is not int or said["number"] != number:
        raise NotTheProtocol(f"answered another number than {number}: {shown(line)}")
    if said.get("result") not in RESULTS:
        raise NotTheProtocol(f"the result is none of {', '.join(RESULTS)}: {shown(line)}")
    return Answer(
        result=said["result"],
        output=_member(said, "output", dict, line) or {},
        intermediate=_member(said, "intermediate", dict, line) or {},
        reason=_member(said, "reason", str, line),
        released=_member(said, "released", str, line) or "",
        then=None if (then := _member(said, "then", list, line)) is None else tuple(then),
    )


def _message(line: bytes, kind: str) -> dict[str, Any]:
    try:
        said = json.loads(
            line.decode(),
            object_pairs_hook=_object,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise NotTheProtocol(f"said what is no JSON in UTF-8: {shown(line)}") from error
    if _depth(said) > MAXIMUM_DEPTH:
        raise NotTheProtocol(f"nested deeper than {MAXIMUM_DEPTH}: {shown(line)}")
    if not isinstance(said, dict) or said.get("type") != kind:
        raise NotTheProtocol(f"said what is no message of type {kind}: {shown(line)}")
    return said


def _finite(text: str) -> float:
    """A number; NaN and Infinity, which JSON has not, and what is too large for one, are refused."""
    if not isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that has a member twice, of which the second could hide what the first tells, is refused."""
    if len(found := dict(members)) < len(members):
        raise ValueError("a member twice")
    return found


def _depth(value: Any) -> int:
    """How many arrays and objects stand in each other."""
    layer, depth = [value], 0
    while layer := [each for each in layer if isinstance(each, list | dict)]:
        layer = [
            item for each in layer for item in (each.values() if isinstance(each, dict) else each)
        ]
        depth += 1
    return depth


def _member(said: dict[str, Any], name: str, kind: type, line: bytes) -> Any:
    """The member, None if it is absent or null."""
    value = said.get(name)
    if value is not None and not isinstance(value, kind):
        raise NotTheProtocol(f"{name} is not of the right type: {shown(line)}")
    return value


def _text(said: dict[str, Any], name: str, line: bytes) -> str:
    if not (text := _member(said, name, str, line)):
        raise NotTheProtocol(f"the hello has no {name}: {shown(line)}")
    return shown(text, 80)


def _names(said: dict[str, Any], name: str, line: bytes) -> tuple[str, ...]:
    names = _member(said, name, list, line)
    if names is None or not all(isinstance(each, str) for each in names):
        raise NotTheProtocol(f"the hello's {name} are not a list of texts: {shown(line)}")
    if len(names) > MOST_NAMES:
        raise NotTheProtocol(f"the hello has more than {MOST_NAMES} {name}: {shown(line)}")
    return tuple(dict.fromkeys(names))
