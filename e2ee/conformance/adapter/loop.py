"""The adapter protocol, version 1, from the implementation's side: JSON lines in, JSON lines out (chapter Conformance).

A message is answered before the next one is read. What an operation raises is not caught: the process ends with its
traceback on stderr, and the runner shows a crash where a false answer would hide the fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import e2ee
from e2ee.conformance.adapter.operations import OPERATIONS, Accepted, Refused
from e2ee.crypto.cipher_suite import CIPHER_SUITES

__all__ = ["FEATURES", "PROTOCOL", "answers"]

PROTOCOL = 1

HYBRID_SUITE = 0xF0E2

FEATURES = (
    "hybrid",
    "H264",
    "VP9",
    "sframe-rtp",
    *(f"mls-0x{suite:04x}" for suite in sorted(CIPHER_SUITES) if suite != HYBRID_SUITE),
)
"""The optional parts of the protocol that this implementation has: all."""

Message = dict[str, Any]


def answers(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The answer to each line, each a JSON object and a newline. Raises ValueError at what is no message."""
    for line in lines:
        yield json.dumps(_answer(json.loads(line))).encode() + b"\n"


def _answer(message: Mapping[str, Any]) -> Message:
    match message:
        case {"type": "hello", "protocol": int() as protocol}:
            if protocol != PROTOCOL:
                raise ValueError(f"this adapter speaks version {PROTOCOL}, not {protocol}")
            return _hello()
        case {"type": "case", "number": number, "group": str() as group, "input": dict() as given}:
            return {"type": "answer", "number": number, **_judged(group, given)}
    raise ValueError("neither a hello nor a case")


def _hello() -> Message:
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "name": "e2ee-calling",
        "version": e2ee.__version__,
        "groups": sorted(OPERATIONS),
        "features": list(FEATURES),
    }


def _judged(group: str, given: Mapping[str, Any]) -> Message:
    if group not in OPERATIONS:
        return {"result": "unsupported", "reason": f"no operation for {group}"}
    match OPERATIONS[group](given):
        case Accepted(output, intermediate):
            return {"result": "valid", "output": output, "intermediate": intermediate}
        case Refused(reason, intermediate, then):
            refused = {"result": "invalid", "reason": reason, "intermediate": intermediate}
            return refused | {"then": list(then)} if then else refused
