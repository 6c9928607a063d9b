"""What an adapter does: for each group of vectors one operation, from a case's input to an answer.

    @operation("frame-format/protecting")
    def protecting(given: Given) -> Answer:
        ...
        return Accepted({"protected": protected.hex()})

The input is the case's as it stands in the file, and so is the answer's output: bytes in hexadecimal. An operation
answers ``Refused`` for what the protocol refuses, and lets every other exception pass: that is a fault, not an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OPERATIONS", "Accepted", "Answer", "Given", "Operation", "Refused", "operation"]

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came out, and what of the steps on the way this implementation can show."""

    output: Mapping[str, Any] = field(default_factory=dict)
    intermediate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why it is refused, in the words of the vectors; and what came of the steps that were to ``then`` follow, if any."""

    reason: str
    intermediate: Mapping[str, Any] = field(default_factory=dict)
    then: Sequence[Mapping[str, Any]] = ()


Answer = Accepted | Refused
Operation = Callable[[Given], Answer]

OPERATIONS: dict[str, Operation] = {}
"""``chapter/group`` -> its operation."""


def operation(group: str) -> Callable[[Operation], Operation]:
    """Make the function the operation of ``group``, named ``chapter/group``."""

    def register(function: Operation) -> Operation:
        if group in OPERATIONS:
            raise ValueError(f"{group} has two operations")
        OPERATIONS[group] = function
        return function

    return register
