"""What chat tells the application: one frozen class each.

``leaf`` is the member whose message it is. What people say is in no ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.events import CallEvent

__all__ = [
    "CaptionReceived",
    "Delivered",
    "LiveTextReceived",
    "Reacted",
    "Read",
    "TextReceived",
    "TextsMissing",
    "TypingChanged",
]


@dataclass(frozen=True, slots=True)
class TextReceived(CallEvent):
    """The next text of a member (CHAT-1). It is plain text, to be shown in a bidirectional isolate."""

    leaf: int
    number: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextsMissing(CallEvent):
    """The texts ``first`` to ``last`` of a member did not come, and will not be shown (CHAT-2)."""

    leaf: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Reacted(CallEvent):
    """A member's reaction to the text ``number`` of ``author``, in the place of its earlier one; empty: none (CHAT-4)."""

    leaf: int
    author: int
    number: int
    reaction: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TypingChanged(CallEvent):
    """A member began or ceased to write."""

    leaf: int
    typing: bool


@dataclass(frozen=True, slots=True)
class Delivered(CallEvent):
    """A member's device has shown this device's texts up to ``number``, all of them since it came (CHAT-5, CHAT-11)."""

    leaf: int
    number: int


@dataclass(frozen=True, slots=True)
class Read(CallEvent):
    """A member has read this device's texts up to ``number`` (CHAT-5); this says that they were delivered, too."""

    leaf: int
    number: int


@dataclass(frozen=True, slots=True)
class LiveTextReceived(CallEvent):
    """How a line of a member's real-time text stands now; ``ended`` if it will not change any more (CHAT-6)."""

    leaf: int
    line: int
    text: str = field(repr=False)
    ended: bool


@dataclass(frozen=True, slots=True)
class CaptionReceived(CallEvent):
    """What a member says, in the place of an earlier caption of this ``number`` (CHAT-7); ``language`` may be empty."""

    leaf: int
    number: int
    text: str = field(repr=False)
    language: str
    final: bool
