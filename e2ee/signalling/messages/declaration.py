"""How a message is declared, and the three families (SIG-3).

A declaration is the whole knowledge of a message: its name, and its fields in wire order, each with the type of
``fields``. This package knows no encoding; ``wire`` reads the declarations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform, get_type_hints

from e2ee.signalling.fields import Check

__all__ = [
    "CALL",
    "LETTER",
    "SERVICE",
    "CallMessage",
    "Family",
    "FromDevice",
    "FromService",
    "LetterContent",
    "Message",
    "SealedMessage",
    "ServiceMessage",
    "message",
]


class Message:
    """Base of every message. ``name`` opens its encoding; ``checks`` are its fields' types in wire order."""

    __slots__ = ()
    family: ClassVar[Family[Any]]
    name: ClassVar[str]
    checks: ClassVar[tuple[tuple[str, Check], ...]]


class ServiceMessage(Message):
    """A message between a device and the delivery service."""

    __slots__ = ()


class FromDevice(ServiceMessage):
    """What a device sends."""

    __slots__ = ()


class FromService(ServiceMessage):
    """What the delivery service sends."""

    __slots__ = ()


class SealedMessage(Message):
    """A message that only people's devices read. Its fields are not printed: what people say is in no log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class CallMessage(SealedMessage):
    """A message between the devices of a call."""

    __slots__ = ()


class LetterContent(SealedMessage):
    """What a letter says."""

    __slots__ = ()


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Family(Generic[M]):
    """A family of messages: all of its messages by name, and the largest encoding of one, in bytes."""

    name: str
    max_size: int
    messages: dict[str, type[M]] = field(default_factory=dict)


# SIG-3: "A service message MUST be at most 1 MiB, a call message at most 64 KiB, a letter at most 512 KiB"
SERVICE: Family[ServiceMessage] = Family("service", 1 << 20)
CALL: Family[CallMessage] = Family("call", 1 << 16)
LETTER: Family[LetterContent] = Family("letter", 1 << 19)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def message(family: Family[M], name: str) -> Callable[[type[M]], type[M]]:
    """Make a declaration a frozen class and enter it into its family."""

    def declare(cls: type[M]) -> type[M]:
        printed = not issubclass(cls, SealedMessage)
        made: Any = dataclass(frozen=True, slots=True, repr=printed)(cls)
        hints = get_type_hints(made, include_extras=True)
        made.family, made.name = family, name
        made.checks = tuple((f.name, hints[f.name].__metadata__[0]) for f in fields(made))
        family.messages[name] = made
        declared: type[M] = made
        return declared

    return declare
