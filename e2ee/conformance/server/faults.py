"""What a check finds: each of these is a verdict.

Fault           the service did something else than it must
├── Silent      it did not answer in time
└── Lost        it closed a connection, or was not to be reached
Unsupported     it has no such part, or this run cannot ask for it
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from e2ee.conformance.difference import Difference, first_difference
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Judgement, Verdict

__all__ = ["Fault", "Lost", "Silent", "Unsupported", "claim", "expect"]


class Fault(Exception):
    """``why`` in a line, whatever words of the service's it has; ``difference`` where two values can be shown."""

    verdict: ClassVar[Verdict] = Verdict.FAIL

    def __init__(self, why: str, difference: Difference | None = None) -> None:
        self.why, self.difference = shown(why), difference
        super().__init__(self.why)

    def judgement(self) -> Judgement:
        """For the report."""
        return Judgement(self.verdict, self.why, self.difference)


class Silent(Fault):
    verdict = Verdict.HANG


class Lost(Fault):
    verdict = Verdict.CRASH


class Unsupported(Exception):
    """Why it cannot be asked."""


def claim(holds: bool, why: str) -> None:
    """Raises Fault with ``why`` unless it holds."""
    if not holds:
        raise Fault(why)


def expect(found: object, due: object, what: str) -> None:
    """Raises Fault unless both are equal. ``what`` names the value."""
    if found != due:
        difference = first_difference(_as_json(due), _as_json(found), what)
        raise Fault(f"{what} is not what it must be", difference)


def _as_json(value: Any) -> Any:
    """A message with its name and fields, bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple | list | set | frozenset):
        return [_as_json(each) for each in value]
    if is_dataclass(value):
        name = getattr(value, "name", type(value).__name__)
        return {name: {each.name: _as_json(getattr(value, each.name)) for each in fields(value)}}
    return value
