"""Why a fault that no vector shows is none, or can be shown by none: ``survivors.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Explanations"]

FILE = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True)
class Family:
    """Faults of which one reason holds. ``*`` in a name stands for anything."""

    name: str
    reason: str
    faults: tuple[str, ...]


class Explanations:
    """All families."""

    def __init__(self) -> None:
        document = tomllib.loads(FILE.read_text())
        self._families = tuple(
            Family(name, each["reason"], tuple(each["faults"])) for name, each in document.items()
        )

    def of(self, fault: str) -> Family | None:
        """The family of the fault."""
        return next((each for each in self._families if _any_is(each.faults, fault)), None)

    def without_need(self, survivors: Iterable[str]) -> Iterator[str]:
        """What stands in the file, and is shown by a vector or is not there any more."""
        survivors = list(survivors)
        for family in self._families:
            for pattern in family.faults:
                if not any(_is(pattern, fault) for fault in survivors):
                    yield f"{family.name}: {pattern}"


def _any_is(patterns: Iterable[str], fault: str) -> bool:
    return any(_is(pattern, fault) for pattern in patterns)


def _is(pattern: str, fault: str) -> bool:
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), fault))
