"""Another member of the chat: what came of it so far, and what of it still waits."""

from __future__ import annotations

from typing import NamedTuple

from e2ee.call.chat.content import ChatMessage
from e2ee.call.chat.errors import ChatReason, ChatRefused
from e2ee.call.chat.in_order import InOrder
from e2ee.call.chat.live_text import LiveTextReader
from e2ee.call.chat.receipts import Receipts
from e2ee.call.chat.typing import TypingReader
from e2ee.signalling.messages import Caption, Chat, LiveText, Typing

__all__ = ["ChatMember", "Position"]

PATIENCE = 5_000
"""CHAT-2: how long a text waits for those before it, in milliseconds."""


class Position(NamedTuple):
    """Where a message stands among all messages of its sender: MLS authenticates both numbers."""

    epoch: int
    generation: int


class ChatMember:
    """The member at ``leaf``; ``from_first`` tells that this device was there when it came."""

    def __init__(self, leaf: int, *, from_first: bool = True) -> None:
        self.leaf = leaf
        self.texts: InOrder[str] = InOrder(PATIENCE, from_first=from_first)
        self.live_text = LiveTextReader(from_first=from_first)
        self.waiting = 0
        """How many of its characters wait for those before them, as ``waits_anew`` found it."""
        self.typing = TypingReader()
        self.receipts = Receipts(leaf)
        self._caption: Caption | None = None
        self._latest: dict[type[ChatMessage], Position] = {}

    def check_latest(self, message: ChatMessage, position: Position) -> None:
        """CHAT-8. Texts and real-time text have numbers for it. Raises ChatRefused."""
        latest = self._latest.get(type(message))
        if latest is not None and position < latest and not isinstance(message, Chat | LiveText):
            raise ChatRefused(ChatReason.OVERTAKEN, f"{message.name} at {position}, after {latest}")

    def note(self, message: ChatMessage, position: Position) -> None:
        """A message was taken, and nothing of its kind that was sent before it counts any more."""
        kind = Typing if isinstance(message, Chat) else type(message)  # a text ends the typing
        self._latest[kind] = max(position, self._latest.get(kind, position))

    def take_caption(self, caption: Caption) -> None:
        """CHAT-7. Raises ChatRefused."""
        last = self._caption
        if caption.number < (1 if last is None else last.number):
            raise ChatRefused(ChatReason.NUMBER_PASSED, f"caption {caption.number}")
        if last is not None and caption.number == last.number and last.final:
            raise ChatRefused(ChatReason.CAPTION_FINAL, f"caption {caption.number}")
        self._caption = caption

    def waits_anew(self) -> int:
        """By how much more waits now, or less if negative."""
        before, self.waiting = self.waiting, self.texts.size + self.live_text.waiting
        return self.waiting - before

    def get_timer(self) -> int | None:
        """When something of this member is due."""
        each = (self.texts, self.live_text, self.typing)
        timers = [self.receipts.due_at, *(part.get_timer() for part in each)]
        return min((timer for timer in timers if timer is not None), default=None)
