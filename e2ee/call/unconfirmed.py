"""What was sent and the service has not said it has: it goes once more after a reconnection (DS-9).

Twice is no harm: who receives an application message a second time refuses it (RFC 9420), and an epoch takes one commit.
"""

from __future__ import annotations

from e2ee.signalling.messages import Commit, FromDevice, Link, Post, Send

__all__ = ["Unconfirmed"]

_CONFIRMED_ONE_BY_ONE = (Send, Post, Link, Commit)


class Unconfirmed:
    """One connection's; in the order in which it was sent."""

    def __init__(self) -> None:
        self._waiting: list[FromDevice] = []

    def sent(self, message: FromDevice) -> None:
        """``message`` is on its way."""
        if isinstance(message, _CONFIRMED_ONE_BY_ONE):
            self._waiting.append(message)

    def holds(self, message: FromDevice) -> bool:
        """Whether this very message waits here."""
        return any(each is message for each in self._waiting)

    def confirm(self, request: str, call_id: bytes | None) -> None:
        """The service has the oldest request of this name (and call), or refused it."""
        for index, message in enumerate(self._waiting):
            if message.name == request and getattr(message, "call_id", None) == call_id:
                del self._waiting[index]
                return

    def drop_commit(self, call_id: bytes) -> None:
        """The call's log has a new entry, so that a commit of ours was it or was overtaken; or the call is over here."""
        self._waiting = [
            message
            for message in self._waiting
            if not (isinstance(message, Commit) and message.call_id == call_id)
        ]

    def again(self) -> list[FromDevice]:
        """All of it."""
        return list(self._waiting)
