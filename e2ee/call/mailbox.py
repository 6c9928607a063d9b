"""What came out of this device's mailbox: each number is taken once a connection, and acknowledged (DS-9)."""

from __future__ import annotations

from e2ee.signalling.messages import Acknowledge, FromService, MediaOffer

__all__ = ["Mailbox", "mailbox_number"]


def mailbox_number(message: FromService) -> int:
    """A message's number in the mailbox that keeps it; 0 if none does."""
    # a `media_offer` comes through no mailbox: its `number` is SFU-4's
    number: int = 0 if isinstance(message, MediaOffer) else getattr(message, "number", 0)
    return number


class Mailbox:
    """As seen over one connection after the other."""

    def __init__(self) -> None:
        self._taken = 0
        """The number of the last message that was taken."""
        self._acknowledged = 0

    def logged_in(self) -> None:
        """The mailbox comes anew: what was taken over an earlier connection is refused like any repetition."""
        self._taken = self._acknowledged = 0

    def holds(self, number: int) -> bool:
        """Whether this was taken over this connection. 0 is the number of what no mailbox keeps."""
        return 0 < number <= self._taken

    def take(self, number: int) -> None:
        """It was taken, or refused: either way the service need not keep it."""
        self._taken = max(self._taken, number)

    def acknowledgement(self) -> Acknowledge | None:
        """What there is to acknowledge; given once."""
        if self._taken <= self._acknowledged:
            return None
        self._acknowledged = self._taken
        return Acknowledge(self._taken)
