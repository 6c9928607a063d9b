"""Group commit: requests that are ready in one turn of the event loop share one transaction of the store.

A transaction costs one flush of the disk, however many requests it holds; while the disk is busy the next ones become
ready. No answer is released before the transaction has ended (DS-9). What the forwarding unit says to members takes its turn
among the requests, and what the service does by itself at its time has a transaction of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from e2ee.delivery.forwarding import ForwardEnd, ForwardRequest
from e2ee.delivery.service import ConnectionId, DeliveryService, Outgoing, Requests
from e2ee.errors import Reason
from e2ee.signalling.messages import FromService, ServiceMessage
from e2ee.system_clock import Clock

__all__ = ["MOST", "Batches", "Shell"]

MOST = 256
"""Requests in a transaction, so that the first one does not wait long for the last."""


class Shell(Protocol):
    """Who has the connections, and the way to the forwarding unit."""

    def release(self, outgoing: Outgoing, /) -> None:
        """Send these."""

    def close(self, connection_id: ConnectionId, reason: Reason, /) -> None:
        """The service wants this connection to end; it may have ended."""

    def forward(self, forwarding: Sequence[ForwardRequest | ForwardEnd], /) -> None:
        """Hand these to the forwarding unit; does not wait for it."""

    def missed(self, call_id: bytes, signature_key: bytes, message: FromService, /) -> None:
        """What the forwarding unit said to a device that is not connected."""

    def store_failed(self) -> None:
        """A transaction could not be ended, or what came of it not be released: sessions may be ahead of the store then, or of
        what was sent, so all connections have to end."""


class _Ready(Protocol):
    """What takes its turn in a batch."""

    def do(self, requests: Requests, /) -> Outgoing:
        """Handle it."""

    def handled(self, fault: Exception | None, /) -> None:
        """What came of it has been released, or handling it raised ``fault``."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, and who waits for it to be handled."""

    connection_id: ConnectionId
    message: ServiceMessage
    user: str | None
    waiting: asyncio.Future[None] = field(repr=False)

    def do(self, requests: Requests) -> Outgoing:
        if self.waiting.done():  # its connection is gone
            return []
        return requests.receive(self.connection_id, self.message, user=self.user)

    def handled(self, fault: Exception | None) -> None:
        if self.waiting.done():
            return
        if fault is None:
            self.waiting.set_result(None)
        else:
            self.waiting.set_exception(fault)


@dataclass(frozen=True, slots=True)
class _Forwarded:
    """What the forwarding unit says to a device."""

    call_id: bytes
    signature_key: bytes
    message: FromService
    missed: Callable[[bytes, bytes, FromService], None] = field(repr=False)

    def do(self, requests: Requests) -> Outgoing:
        said = self.call_id, self.signature_key, self.message
        outgoing = requests.forwarded(*said)
        if not outgoing:
            self.missed(*said)
        return outgoing

    def handled(self, fault: Exception | None) -> None:
        if fault is not None:  # a fault of ours
            context = {"message": "what the forwarding unit said was not sent", "exception": fault}
            asyncio.get_running_loop().call_exception_handler(context)


class Batches:
    """Hands requests to ``service``, and what comes of them to ``shell``, in one order. If the store fails nobody is left
    waiting."""

    def __init__(self, service: DeliveryService, now: Clock, shell: Shell) -> None:
        self._service = service
        self._now = now
        self._shell = shell
        self._ready: deque[_Ready] = deque()
        self._due: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def handle(
        self, connection_id: ConnectionId, message: ServiceMessage, user: str | None = None
    ) -> None:
        """Returns when what comes of this request has been released. Raises what handling it raised."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line_up(_Request(connection_id, message, user, waiting))
        await waiting

    def forwarded(self, call_id: bytes, signature_key: bytes, message: FromService) -> None:
        """The forwarding unit has this for a device."""
        self._line_up(_Forwarded(call_id, signature_key, message, self._shell.missed))

    def disconnected(self, connection_id: ConnectionId) -> None:
        """A connection is gone. It is gone as well if the store fails: nothing goes to it any more, and nobody is told."""
        try:
            self._together(lambda requests: requests.disconnected(connection_id))
        finally:
            self._service.forget(connection_id)

    def _line_up(self, ready: _Ready) -> None:
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._handle_ready)
        self._ready.append(ready)

    def _handle_ready(self) -> None:
        batch = [self._ready.popleft() for _ in range(min(MOST, len(self._ready)))]
        if self._ready:
            asyncio.get_running_loop().call_soon(self._handle_ready)
        faults: dict[int, Exception] = {}
        self._together(lambda requests: _done(requests, batch, faults))
        for number, each in enumerate(batch):
            each.handled(faults.get(number))

    def _together(self, handle: Callable[[Requests], Outgoing]) -> None:
        try:
            with self._service.together(self._now()) as requests:
                outgoing = handle(requests)
        except BaseException:
            self._service.take_forwarding()  # it was undone with the rest
            self._shell.store_failed()
            raise
        try:
            self._shell.release(outgoing)
        except BaseException:
            self._shell.store_failed()
            raise
        finally:
            self._settle()

    def _settle(self) -> None:
        for connection_id, reason in self._service.take_closing():
            self._shell.close(connection_id, reason)
        self._shell.forward(self._service.take_forwarding())
        self._set_timer(self._service.get_timer())

    def _set_timer(self, due: int | None) -> None:
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            delay = max(0, due - self._now()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self._timer_due)

    def _timer_due(self) -> None:
        self._due = self._timer = None
        self._together(lambda requests: requests.handle_timer())


def _done(requests: Requests, batch: list[_Ready], faults: dict[int, Exception]) -> Outgoing:
    """What comes of all of these. A fault of ours in one of them ends its connection, and no other's."""
    outgoing: Outgoing = []
    for number, each in enumerate(batch):
        try:
            outgoing += each.do(requests)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is raised where the request came from
            faults[number] = fault
    return outgoing
