"""The asyncio shell around ``DeliveryService``: WebSockets in, WebSockets out.

A connection is four tasks: one reads and hands what decodes to the service, one writes what waits in the connection's
outbox, one watches the outbox's bounds, one waits for the login. The first that fails ends the connection. The service itself
runs between two awaits and so never in two places at a time. Nothing is logged here; an observer, if one was handed in,
sees every message, and a watcher what happens to connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.delivery.service import ConnectionId, DeliveryService, Outgoing, refusal
from e2ee.errors import E2EEError
from e2ee.server.authentication import Authenticate
from e2ee.server.errors import CloseReason
from e2ee.server.limits import ConnectionLimits, LoginDeadline
from e2ee.server.outbox import Outbox
from e2ee.server.watching import Watcher, Watchers
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError, WireReason
from e2ee.signalling.messages import SERVICE, ServiceMessage
from e2ee.system_clock import Clock

__all__ = ["Observer", "WebSocketShell"]

Observer = Callable[[ConnectionId, ServiceMessage], None]
"""Told of every message, from a device or to one, with its connection, in the order of the service."""

# Close codes of RFC 6455 Section 7.4.1
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
SERVICE_RESTART = 1012

_CLOSING = 5.0
"""Seconds in which a connection that is closed has to take notice."""


class _Close(Exception):
    """Ends a connection with a code and a reason for the other side."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class WebSocketShell:
    """All connections of one service."""

    def __init__(
        self,
        service: DeliveryService,
        now: Clock,
        observer: Observer | None = None,
        new_outbox: Callable[[], Outbox] = Outbox,
        watcher: Watcher | None = None,
        authenticate: Authenticate | None = None,
        login_within: float = ConnectionLimits().login_within,
    ) -> None:
        self._service = service
        self._now = now
        self._observer = observer
        self._new_outbox = new_outbox
        self._watcher = watcher or Watchers()
        self._authenticate = authenticate
        self._login_within = login_within
        self._ids = itertools.count(1)
        self._outboxes: dict[ConnectionId, Outbox] = {}
        self._deadlines: dict[ConnectionId, LoginDeadline] = {}

    async def connection(self, websocket: WebSocket) -> None:
        """Serve one connection until its end."""
        await websocket.accept()
        connection_id = next(self._ids)
        outbox = self._outboxes[connection_id] = self._new_outbox()
        self._service.connected(connection_id)
        self._watcher.opened(connection_id)
        ended: str = CloseReason.FAULT
        try:
            await self._until_end(connection_id, websocket, outbox)
        except* WebSocketDisconnect as group:
            ended = _why_disconnected(group)
        except* _Close as group:
            close = next(error for error in group.exceptions if isinstance(error, _Close))
            ended = close.reason
            # Whoever does not read may not read this either, or be gone.
            with contextlib.suppress(WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await websocket.close(close.code, close.reason)
        finally:
            self._watcher.closed(connection_id, ended)

    async def _until_end(
        self, connection_id: ConnectionId, websocket: WebSocket, outbox: Outbox
    ) -> None:
        deadline = self._deadlines[connection_id] = LoginDeadline(self._login_within)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_require_login(deadline))
                tasks.create_task(self._read(connection_id, websocket))
                tasks.create_task(_write(websocket, outbox))
                tasks.create_task(_watch(outbox))
        finally:
            del self._outboxes[connection_id], self._deadlines[connection_id]
            self._service.disconnected(connection_id)

    async def _read(self, connection_id: ConnectionId, websocket: WebSocket) -> None:
        while True:
            event = await websocket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event["code"])
            data = event.get("bytes")
            if data is None:
                raise _Close(UNSUPPORTED_DATA, "binary frames only")
            if len(data) > SERVICE.max_size:
                # SIG-3: "a longer one MUST be refused before it is decoded"
                raise _Close(MESSAGE_TOO_BIG, WireReason.TOO_LARGE)
            self._send(self._receive(connection_id, data))

    def _receive(self, connection_id: ConnectionId, data: bytes) -> Outgoing:
        try:
            message = wire.decode(SERVICE, data)
        except WireError as error:
            return [(connection_id, refusal(error))]
        self._observe(connection_id, message)
        return self._service.receive(connection_id, message, self._now())

    def _send(self, outgoing: Outgoing) -> None:
        for connection_id, message in outgoing:
            self._observe(connection_id, message)
            self._outboxes[connection_id].put(wire.encode(message))

    def _observe(self, connection_id: ConnectionId, message: ServiceMessage) -> None:
        self._deadlines[connection_id].handled(message)
        self._watcher.handled(connection_id, message)
        if self._observer is not None:
            self._observer(connection_id, message)


def _why_disconnected(group: ExceptionGroup[WebSocketDisconnect]) -> CloseReason:
    codes = {each.code for each in group.exceptions if isinstance(each, WebSocketDisconnect)}
    return CloseReason.SERVER_STOPS if SERVICE_RESTART in codes else CloseReason.LEFT


async def _require_login(deadline: LoginDeadline) -> None:
    if await deadline.missed():
        raise _Close(POLICY_VIOLATION, CloseReason.NO_LOGIN_IN_TIME)


async def _write(websocket: WebSocket, outbox: Outbox) -> None:
    while True:
        await websocket.send_bytes(await outbox.get())


async def _watch(outbox: Outbox) -> None:
    error: E2EEError = await outbox.overflow()
    raise _Close(POLICY_VIOLATION, error.reason)
