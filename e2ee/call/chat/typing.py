"""Whether somebody writes (CHAT-9): seldom said, and soon over if it is not said again."""

from __future__ import annotations

__all__ = ["TypingReader", "TypingWriter"]

SPACING = 1_000
"""CHAT-9: "at most one `typing` a second", in milliseconds."""

REPEATED = 3_000
"""CHAT-9: "at most every 3 s", in milliseconds."""

LAPSES = 6_000
"""CHAT-9: "MUST end it 6 s after the last one", in milliseconds."""


class TypingWriter:
    """What this device says of its person."""

    def __init__(self) -> None:
        self._writes = False
        self._said = False
        self._said_at = -REPEATED
        self._due_at: int | None = None

    def set(self, writes: bool, now: int) -> None:
        """The person writes, or ceased to; what follows of it is due at once or a little later."""
        self._writes = writes
        if writes != self._said:
            self._due_at = max(now, self._said_at + SPACING)
        elif writes and now >= self._said_at + REPEATED:
            self._due_at = now
        else:
            self._due_at = None

    def sent_text(self) -> None:
        """A text went out, which ends the typing at all who receive it."""
        self._writes, self._said, self._due_at = False, False, None

    def get_timer(self) -> int | None:
        """When there is something to say."""
        return self._due_at

    def take_due(self, now: int) -> bool | None:
        """What is to be said at ``now``, or None."""
        if self._due_at is None or now < self._due_at:
            return None
        self._said, self._said_at, self._due_at = self._writes, now, None
        return self._said


class TypingReader:
    """What this device knows of another member."""

    def __init__(self) -> None:
        self._until: int | None = None

    def begin(self, now: int) -> bool:
        """The member writes; tells whether that is news."""
        news = self._until is None
        self._until = now + LAPSES
        return news

    def end(self) -> bool:
        """The member does not write any more; tells whether that is news."""
        news, self._until = self._until is not None, None
        return news

    def handle_timer(self, now: int) -> bool:
        """Whether the member's writing is over because it was not said again."""
        return self._until is not None and now >= self._until and self.end()

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        return self._until
