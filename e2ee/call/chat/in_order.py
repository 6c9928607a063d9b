"""Numbered items of one sender, released in the order of their numbers (CHAT-1, CHAT-2, CHAT-6).

A service may hold back what it carries. What comes too early waits, a limited time and in limited number, and is then
released with the gap before it. The order is never taken back: who comes after its gap was released is refused.

Who comes late does not know where a sender stands (CHAT-11): then the first item that is taken is the next one, and only the
sender's word (``begin_after``) says that there was none between.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from e2ee.call.chat.errors import ChatReason, ChatRefused

__all__ = ["Gap", "InOrder", "Item"]

MAX_WAITING = 64
"""CHAT-2: "at most 64 texts of a member MUST wait"."""

T = TypeVar("T", bound=Sized)


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """The next item."""

    number: int
    content: T = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """The items ``first`` to ``last`` did not come."""

    first: int
    last: int


class InOrder(Generic[T]):
    """See the module. Numbers begin with 1; an item waits at most ``patience`` ms.

    ``from_first`` tells that this device was there before the sender's first item.
    """

    def __init__(self, patience: int, *, from_first: bool = True) -> None:
        self._patience = patience
        self._begun = from_first
        self._waiting: dict[int, tuple[T, int]] = {}
        self.last = 0
        """The last number that was released, as an item or in a gap."""
        self.complete = 0
        """All items up to this number that this device could get were released: there is no gap among them."""
        self.size = 0
        """How much waits."""

    def check(self, number: int) -> None:
        """Raises ChatRefused if ``take`` would not take an item of this number."""
        if number <= self.last:
            raise ChatRefused(ChatReason.NUMBER_PASSED, f"{number} after {self.last}")
        if number in self._waiting:
            raise ChatRefused(ChatReason.NUMBER_TAKEN, f"{number}")

    def begin_after(self, number: int) -> None:
        """The sender says that its items up to ``number`` were before this device's time. Only before the first was taken."""
        if not self._begun:
            self._begun = True
            self.last = self.complete = number

    def take(self, number: int, content: T, now: int, *, room: bool = True) -> list[Item[T] | Gap]:
        """An item that came; gives what can be released, in order: all, without ``room``. Raises ChatRefused."""
        self.check(number)
        if not self._begun:
            self._begun, self.last = True, number - 1
        self._waiting[number] = (content, now + self._patience)
        self.size += len(content)
        if not room:
            return self.release_all()
        # CHAT-2: "when a 65th comes, those after the first gap"
        crowded = number != self.last + 1 and len(self._waiting) > MAX_WAITING
        return self._release(min(self._waiting) if crowded else self.last)

    def handle_timer(self, now: int) -> list[Item[T] | Gap]:
        """What is released because something waited long enough."""
        # CHAT-2: "When one has waited for 5 s, all up to it MUST be shown"
        due = [number for number, (_, until) in self._waiting.items() if now >= until]
        return self._release(max(due, default=self.last))

    def release_all(self) -> list[Item[T] | Gap]:
        """What still waits, for the sender will not go on."""
        return self._release(max(self._waiting, default=self.last))

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        return min((until for _, until in self._waiting.values()), default=None)

    def _release(self, up_to: int) -> list[Item[T] | Gap]:
        """All that waits up to a number, with the gaps, and what follows without one."""
        released: list[Item[T] | Gap] = []
        for number in sorted(self._waiting):
            if number > max(up_to, self.last + 1):
                break
            if number > self.last + 1:
                released.append(Gap(self.last + 1, number - 1))
            elif self.complete == self.last:
                self.complete = number
            content, _ = self._waiting.pop(number)
            self.size -= len(content)
            released.append(Item(number, content))
            self.last = number
        return released
