"""What inspection makes: a tree of parts, each with its place in the bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CARRIED", "Part", "references_of"]

CARRIED = "carried"
"""The name of the part below an opaque field that is what the field carries."""

Declared = type[Any]

Json = None | bool | int | str | list["Json"]


@dataclass(slots=True)
class Part:
    """A field, with the fields that it consists of. ``offset`` and ``size`` in bytes."""

    name: str
    type: str
    offset: int
    size: int = 0
    value: Json = None
    """Numbers, texts, bytes in hexadecimal; None for what only has children, and for secrets."""
    note: str = ""
    """The value in words: a date, the name of a code point, the text that bytes are."""
    references: tuple[str, ...] = ()
    """Requirements of the specification, and sections of RFCs."""
    children: list[Part] = field(default_factory=list)
    problem: str = ""
    """Why reading stopped here."""
    made: Declared | None = None
    """The declared structure that this is."""

    def add(self, name: str, type_name: str, offset: int) -> Part:
        """A new child at the end."""
        child = Part(name, type_name, offset)
        self.children.append(child)
        return child

    def child(self, name: str) -> Part:
        """The child of this name. Raises KeyError."""
        for child in self.children:
            if child.name == name:
                return child
        raise KeyError(name)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the bytes."""
        yield self
        for child in self.children:
            yield from child.walk()

    def as_json(self) -> dict[str, Any]:
        """This part as JSON values; what is empty is left out."""
        parts = [child.as_json() for child in self.children]
        told = {
            "value": self.value,
            "note": self.note,
            "references": list(self.references),
            "problem": self.problem,
            "parts": parts,
        }
        kept = {key: value for key, value in told.items() if value not in (None, "", [])}
        head = {"name": self.name, "type": self.type, "offset": self.offset, "size": self.size}
        return head | kept


_REFERENCE = re.compile(r"\b(?:RFC \d+ Section \d+(?:\.\d+)*|[A-Z]{2,}-\d+)\b")


def references_of(declared: type[Any]) -> tuple[str, ...]:
    """What the declaration of a structure or message cites."""
    return tuple(dict.fromkeys(_REFERENCE.findall(declared.__doc__ or "")))
