"""What a codec was declared to be, for tools that make or change values instead of reading them.

A ``Codec`` reads and writes, and its functions say nothing about themselves. Its ``form`` says what they were composed
of: one of the classes here, or None for a codec that was written by hand. Nothing that decodes or encodes looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from e2ee.tls_syntax.codec import Codec
    from e2ee.tls_syntax.structure import Struct, select

__all__ = [
    "Converted",
    "Enumeration",
    "Form",
    "Nothing",
    "Number",
    "Octets",
    "Optional",
    "Structure",
    "Vector",
]


@dataclass(frozen=True, slots=True)
class Number:
    """``uint8`` to ``uint64``; ``size`` in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Octets:
    """``opaque x[length]``, or ``opaque x<V>`` if ``length`` is None."""

    length: int | None


@dataclass(frozen=True, slots=True)
class Converted:
    """What is read as ``of`` and given to ``to``: octets that hide themselves, say."""

    of: Octets
    to: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Vector:
    """``T x<V>`` of at most ``most`` elements."""

    element: Codec[Any]
    most: int


@dataclass(frozen=True, slots=True)
class Optional:
    """``optional<T>``."""

    value: Codec[Any]


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A closed enumeration."""

    members: type[IntEnum]


@dataclass(frozen=True, slots=True)
class Nothing:
    """``struct {}``."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A declared structure; ``fields`` are its fields in wire order."""

    made: type[Struct]
    fields: Mapping[str, Codec[Any] | select]


Form = Number | Octets | Converted | Vector | Optional | Enumeration | Nothing | Structure
