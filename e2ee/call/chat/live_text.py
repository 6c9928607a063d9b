"""Real-time text (CHAT-6): a buffer at the writer, a line at the reader.

Characters are collected for a moment, so that a fast writer does not send a message for each, and go out soon enough to be
seen while they are written. As in T.140 (and RFC 4103), U+0008 takes back the last character and U+FFFD stands where something was lost.
What is taken back before it was sent is never sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.chat.content import BACKSPACE, NEW_LINE
from e2ee.call.chat.in_order import Gap, InOrder, Item

__all__ = ["LiveLine", "LiveTextBuffer", "LiveTextReader"]

SENDING_DELAY = 300
"""CHAT-6: "what is written MUST be sent within 300 ms"."""

PATIENCE = 1_000
"""CHAT-6: how long a receiver waits for a missing message, in milliseconds."""

MAX_LINE = 1_024
"""CHAT-6: "so does its 1,024th character"."""

LOST = "\N{REPLACEMENT CHARACTER}"


class LiveTextBuffer:
    """What the person of this device wrote and was not sent yet."""

    def __init__(self) -> None:
        self._text = ""
        self._due_at: int | None = None

    def with_written(self, characters: str) -> str:
        """What there would be to send after ``characters``, too. Changes nothing."""
        text = self._text
        for character in characters:
            if character == BACKSPACE and text and text[-1] not in (BACKSPACE, NEW_LINE):
                text = text[:-1]
            else:
                text += character
        return text

    def set(self, text: str, now: int) -> None:
        """Keep what ``with_written`` gave; it is due after the delay from the oldest of it."""
        self._text = text
        if not text:
            self._due_at = None
        elif self._due_at is None:
            self._due_at = now + SENDING_DELAY

    def get_timer(self) -> int | None:
        """When there is something to send."""
        return self._due_at

    def take_due(self, now: int) -> str:
        """What is to be sent at ``now``, or nothing."""
        if self._due_at is None or now < self._due_at:
            return ""
        text, self._text, self._due_at = self._text, "", None
        return text


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A line as it stands; ``ended`` if it stays so."""

    number: int
    text: str = field(repr=False)
    ended: bool


class LiveTextReader:
    """The real-time text of another member, from its first message on or from the first that comes."""

    def __init__(self, *, from_first: bool = True) -> None:
        self._messages: InOrder[str] = InOrder(PATIENCE, from_first=from_first)
        self._line, self._text = 1, ""

    @property
    def waiting(self) -> int:
        """How many characters wait for those before them."""
        return self._messages.size

    def take(self, number: int, text: str, now: int, *, room: bool = True) -> list[LiveLine]:
        """A message that came; gives the lines that it changed. Without ``room`` none waits. Raises ChatRefused."""
        return self._apply(self._messages.take(number, text, now, room=room))

    def handle_timer(self, now: int) -> list[LiveLine]:
        """The lines that change because something did not come."""
        return self._apply(self._messages.handle_timer(now))

    def release_all(self) -> list[LiveLine]:
        """The lines that change by what still waits."""
        return self._apply(self._messages.release_all())

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        return self._messages.get_timer()

    def _apply(self, released: list[Item[str] | Gap]) -> list[LiveLine]:
        changed: list[LiveLine] = []
        for each in released:
            for character in LOST if isinstance(each, Gap) else each.content:
                if self._write(character):
                    changed.append(LiveLine(self._line, self._text, ended=True))
                    self._line, self._text = self._line + 1, ""
        if released and (self._text or not changed):
            changed.append(LiveLine(self._line, self._text, ended=False))
        return changed

    def _write(self, character: str) -> bool:
        """One character; true if it ends the line."""
        match character:
            case "\b":
                self._text = self._text[:-1]
            case "\n":
                return True
            case _:
                self._text += character
        return len(self._text) == MAX_LINE
