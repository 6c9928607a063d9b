"""Receipts (CHAT-5): what this device owes another member, and what that member has of its own texts.

What is owed is collected for a moment and then said once, with the highest numbers: at most one receipt of each kind about a
member in that time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.chat.errors import ChatReason, ChatRefused
from e2ee.signalling.messages import Receipt

__all__ = ["Receipts"]

RECEIPT_DELAY = 500
"""CHAT-5: "500 ms after it showed one"."""


@dataclass(slots=True)
class _UpTo:
    """Texts up to a number were delivered, and up to a number read."""

    delivered: int = 0
    read: int = 0

    def add(self, number: int, *, read: bool) -> bool:
        """Count them as delivered, and as read if they were; tells whether that is something new."""
        news = number > (self.read if read else self.delivered)
        self.delivered = max(self.delivered, number)
        self.read = max(self.read, number if read else 0)
        return news


@dataclass(slots=True)
class Receipts:
    """Both ways, between this device and the member at ``leaf``."""

    leaf: int
    theirs: _UpTo = field(default_factory=_UpTo)
    """What this device has of the member's texts."""
    told: _UpTo = field(default_factory=_UpTo)
    """What this device has said of it."""
    ours: _UpTo = field(default_factory=_UpTo)
    """What the member has said that it has of this device's texts."""
    due_at: int | None = None

    def owe(self, number: int, now: int, *, read: bool) -> None:
        """This device has shown the member's texts up to ``number``, or its person has ``read`` them."""
        if self.theirs.add(number, read=read) and self.due_at is None:
            self.due_at = now + RECEIPT_DELAY

    def take_due(self, now: int) -> list[Receipt]:
        """What is to be said at ``now``: first what was read, then what was delivered beyond that."""
        if self.due_at is None or now < self.due_at:
            return []
        self.due_at = None
        owed = (
            Receipt(self.leaf, self.theirs.read, read=True),
            Receipt(self.leaf, self.theirs.delivered, read=False),
        )
        return [each for each in owed if self.told.add(each.number, read=each.read)]

    def take(self, receipt: Receipt) -> None:
        """What the member says about this device's texts. Raises ChatRefused (NOTHING_NEW)."""
        known = self.ours.read if receipt.read else self.ours.delivered
        # CHAT-5: "MUST refuse ... one that says nothing new, so that receipts never go back"
        if receipt.number <= known:
            raise ChatRefused(ChatReason.NOTHING_NEW, f"{receipt.number}, {known} is known")
        self.ours.add(receipt.number, read=receipt.read)
