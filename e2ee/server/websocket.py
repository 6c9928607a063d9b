"""The asyncio shell around ``DeliveryService``: WebSockets in, WebSockets out.

A connection is four tasks: one reads and hands what decodes to the service, one writes what waits in the connection's
outbox, one waits for the outbox to close, one for the login. The first that fails ends the connection. The service itself
runs between two awaits and so never in two places at a time (``batch``). A connection's next message is read when what came
of the one before has been released. Nothing is logged here; an observer, if one was handed in, sees every message, and a
watcher what happens to connections.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.delivery.errors import DeliveryError
from e2ee.delivery.forwarding import ForwardEnd, ForwardRequest
from e2ee.delivery.limits import CONNECTION_BYTES, CONNECTION_EXCESS, CONNECTION_MESSAGES
from e2ee.delivery.rates import Rates
from e2ee.delivery.service import ConnectionId, DeliveryService, Outgoing, refusal
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.server.authentication import Authenticate, authenticated
from e2ee.server.batch import Batches
from e2ee.server.errors import CloseReason
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.frames import Close, read, watch, why_disconnected, write
from e2ee.server.limits import ConnectionLimits, LoginDeadline
from e2ee.server.outbox import Outbox
from e2ee.server.watching import Watcher, Watchers
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError
from e2ee.signalling.messages import SERVICE, FromService, Login, Register, ServiceMessage
from e2ee.system_clock import Clock

__all__ = ["Observer", "WebSocketShell"]

Observer = Callable[[ConnectionId, ServiceMessage], None]
"""Told of every message, from a device or to one, with its connection, in the order of the service."""


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
        forwarding: ForwardingRouter | None = None,
    ) -> None:
        self._service = service
        self._now = now
        self._observer = observer
        self._new_outbox = new_outbox
        self._watcher = watcher or Watchers()
        self._authenticate = authenticate
        self._login_within = login_within
        self._forwarding = forwarding
        self._batches = Batches(service, now, self)
        if forwarding is not None:
            forwarding.answers_to(self._batches.forwarded)
        self._messages: Rates[ConnectionId] = Rates("messages", CONNECTION_MESSAGES)
        self._bytes: Rates[ConnectionId] = Rates("bytes", CONNECTION_BYTES)
        self._excess: Rates[ConnectionId] = Rates("messages too many", CONNECTION_EXCESS)
        self._ids = itertools.count(1)
        self._outboxes: dict[ConnectionId, Outbox] = {}
        self._deadlines: dict[ConnectionId, LoginDeadline] = {}

    async def connection(self, websocket: WebSocket, origin: str = "") -> None:
        """Serve one connection until its end. ``origin`` is as what it is counted, if it is."""
        await websocket.accept()
        connection_id = next(self._ids)
        outbox = self._outboxes[connection_id] = self._new_outbox()
        self._service.connected(connection_id, origin)
        self._watcher.opened(connection_id)
        ended: str = CloseReason.FAULT
        try:
            await self._until_end(connection_id, websocket, outbox)
        except* WebSocketDisconnect as group:
            ended = why_disconnected(group)
        except* Close as group:
            close = next(error for error in group.exceptions if isinstance(error, Close))
            ended = close.reason
            await close.tell(websocket)
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
                tasks.create_task(write(websocket, outbox))
                tasks.create_task(watch(outbox))
        finally:
            del self._outboxes[connection_id], self._deadlines[connection_id]
            self._batches.disconnected(connection_id)

    async def _read(self, connection_id: ConnectionId, websocket: WebSocket) -> None:
        while True:
            await self._handle(connection_id, await read(websocket, SERVICE.max_size))

    async def _handle(self, connection_id: ConnectionId, data: bytes) -> None:
        limited = self._spend(connection_id, len(data))
        try:
            message = wire.decode(SERVICE, data)
        except WireError as error:
            # SIG-5: "A service MUST answer a binary frame that is no message with `refused`"
            self._refuse(connection_id, limited or error)
            return
        if limited is not None:
            self._refuse(connection_id, limited, message)
            return
        self._observe(connection_id, message)
        await self._batches.handle(connection_id, message, await self._user(message))
        if isinstance(message, Login) and self._forwarding is not None:
            self._forwarding.came(message.signature_key)

    def _spend(self, connection_id: ConnectionId, size: int) -> DeliveryError | None:
        """DS-7: "2,000 messages and 32 MiB in 20 s"."""
        now = self._now()
        try:
            self._messages.spend(connection_id, now)
            self._bytes.spend(connection_id, now, size)
        except DeliveryError as error:
            self._require_patience(connection_id, now)
            return error
        return None

    def _require_patience(self, connection_id: ConnectionId, now: int) -> None:
        """DS-7: "1,000 messages in 20 s that are refused for these; it is closed"."""
        try:
            self._excess.spend(connection_id, now)
        except DeliveryError as error:
            raise Close(error.reason) from None

    async def _user(self, message: ServiceMessage) -> str | None:
        """The application's user whom the token of a ``register`` names (DS-8)."""
        if self._authenticate is None or not isinstance(message, Register):
            return None
        return await authenticated(self._authenticate, message.token)

    def _refuse(
        self,
        connection_id: ConnectionId,
        error: RemoteProtocolError,
        message: ServiceMessage | None = None,
    ) -> None:
        self.release([(connection_id, refusal(error, message))])

    # What ``batch.Shell`` asks for

    def release(self, outgoing: Outgoing) -> None:
        for connection_id, message in outgoing:
            self._observe(connection_id, message)
            self._outboxes[connection_id].put(message)

    def close(self, connection_id: ConnectionId, reason: Reason) -> None:
        outbox = self._outboxes.get(connection_id)
        if outbox is not None:
            outbox.close(reason)

    def forward(self, forwarding: Sequence[ForwardRequest | ForwardEnd]) -> None:
        if self._forwarding is not None:
            self._forwarding.take(forwarding)

    def missed(self, call_id: bytes, signature_key: bytes, message: FromService) -> None:
        if self._forwarding is not None:
            self._forwarding.missed(call_id, signature_key, message)

    def store_failed(self) -> None:
        if self._forwarding is not None:
            self._forwarding.service_forgot()
        for outbox in self._outboxes.values():
            outbox.close(CloseReason.STORE_FAILED)

    def _observe(self, connection_id: ConnectionId, message: ServiceMessage) -> None:
        self._deadlines[connection_id].handled(message)
        self._watcher.handled(connection_id, message)
        if self._observer is not None:
            self._observer(connection_id, message)


async def _require_login(deadline: LoginDeadline) -> None:
    if await deadline.missed():
        raise Close(CloseReason.NO_LOGIN_IN_TIME)
