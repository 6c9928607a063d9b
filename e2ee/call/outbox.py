"""What a device has to send, in order, and what of it the service has not confirmed (DS-9).

With the connection goes what was on its way. Over the next one goes once more what the service may not have, and nothing that a
call asks for anew, or that its log has overtaken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from e2ee.call.unconfirmed import Unconfirmed
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice

__all__ = ["Outbox"]

_ASKED_ANEW = (messages.Open, messages.Join, messages.AskTree)


class Outbox:
    """See the module."""

    def __init__(self) -> None:
        self._waiting: deque[FromDevice] = deque()
        self._unconfirmed = Unconfirmed()

    def send(self, message: FromDevice) -> None:
        """``message`` goes out."""
        self._unconfirmed.sent(message)
        self._waiting.append(message)

    def take(self) -> list[FromDevice]:
        """All that waits; given once."""
        outgoing = list(self._waiting)
        self._waiting.clear()
        return outgoing

    def confirm(self, request: str, call_id: bytes | None) -> None:
        """The service has the oldest request of this name (and call), or refused it."""
        self._unconfirmed.confirm(request, call_id)

    def disconnected(self) -> None:
        """What waits was for a connection that is gone."""
        self._waiting.clear()

    def logged_in(self, asks_anew: Iterable[bytes]) -> None:
        """There is a new connection; these calls ask for themselves what they were asking for."""
        anew = frozenset(asks_anew)
        unsent = [each for each in self._waiting if not self._unconfirmed.holds(each)]
        self._waiting = deque([*self._unconfirmed.again(), *unsent])
        self._keep(lambda each: not (isinstance(each, _ASKED_ANEW) and each.call_id in anew))

    def drop_commit(self, call_id: bytes) -> None:
        """What was not sent yet, or not confirmed, was overtaken or is over (CALL-16: no invitation that nobody waits for)."""
        self._unconfirmed.drop_commit(call_id)
        self._keep(lambda each: not (isinstance(each, messages.Commit) and each.call_id == call_id))

    def _keep(self, is_kept: Callable[[FromDevice], bool]) -> None:
        self._waiting = deque(filter(is_kept, self._waiting))
