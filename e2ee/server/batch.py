"""Group commit: requests that are ready in one turn of the event loop share one transaction of the store.

A transaction costs one flush of the disk, however many requests it holds; while the disk is busy the next ones become
ready. No answer is released before the transaction has ended (DS-9).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from e2ee.delivery.service import ConnectionId, DeliveryService, Outgoing, Requests
from e2ee.signalling.messages import ServiceMessage
from e2ee.system_clock import Clock

__all__ = ["MOST", "Batches"]

MOST = 256
"""Requests in a transaction, so that the first one does not wait long for the last."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, and who waits for it to be handled."""

    connection_id: ConnectionId
    message: ServiceMessage
    user: str | None
    handled: asyncio.Future[None] = field(repr=False)


class Batches:
    """Hands requests to ``service``, and what comes of them to ``release``, in one order.

    ``store_failed`` is called when a transaction could not be ended, or what came of it not be released: sessions may be ahead
    of the store then, or of what was sent, so all connections have to end. Nobody is left waiting.
    """

    def __init__(
        self,
        service: DeliveryService,
        now: Clock,
        release: Callable[[Outgoing], None],
        store_failed: Callable[[], None],
    ) -> None:
        self._service = service
        self._now = now
        self._release = release
        self._store_failed = store_failed
        self._ready: deque[_Request] = deque()

    async def handle(
        self, connection_id: ConnectionId, message: ServiceMessage, user: str | None = None
    ) -> None:
        """Returns when what comes of this request has been released. Raises what handling it raised."""
        loop = asyncio.get_running_loop()
        request = _Request(connection_id, message, user, loop.create_future())
        if not self._ready:
            loop.call_soon(self._handle_ready)
        self._ready.append(request)
        await request.handled

    def disconnected(self, connection_id: ConnectionId) -> None:
        """A connection is gone. It is gone as well if the store fails: nothing goes to it any more, and nobody is told."""
        try:
            self._together(lambda requests: requests.disconnected(connection_id))
        finally:
            self._service.forget(connection_id)

    def _handle_ready(self) -> None:
        batch = [self._ready.popleft() for _ in range(min(MOST, len(self._ready)))]
        if self._ready:
            asyncio.get_running_loop().call_soon(self._handle_ready)
        waiting = [each for each in batch if not each.handled.done()]  # else its connection is gone
        faults: dict[int, Exception] = {}
        self._together(lambda requests: _handled(requests, waiting, faults))
        for number, request in enumerate(waiting):
            if number in faults:
                request.handled.set_exception(faults[number])
            else:
                request.handled.set_result(None)

    def _together(self, handle: Callable[[Requests], Outgoing]) -> None:
        try:
            with self._service.together(self._now()) as requests:
                outgoing = handle(requests)
            self._release(outgoing)
        except BaseException:
            self._store_failed()
            raise


def _handled(requests: Requests, batch: list[_Request], faults: dict[int, Exception]) -> Outgoing:
    """What comes of all of these. A fault of ours in one of them ends its connection, and no other's."""
    outgoing: Outgoing = []
    for number, request in enumerate(batch):
        try:
            outgoing += requests.receive(request.connection_id, request.message, user=request.user)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is raised where the request came from
            faults[number] = fault
    return outgoing
