"""The town of tests/delivery whose service answers behind real WebSockets in this process, in a thread with an event loop.

town = ServedTown(directory)
with town.served():
    meeting, (alice, bob) = meet(town, "alice", "bob")

Its forwarding unit is the test's (``scripted_unit``), and its clock the town's.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from e2ee.delivery.service import DeliveryService
from e2ee.server.app import PATH, create_app
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.limits import ConnectionLimits
from e2ee.server.serve import serve
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage
from tests.delivery.conftest import Device, Town
from tests.server.remote_town import MARK
from tests.server.scripted_unit import ScriptedUnit

__all__ = ["ServedTown"]


class ServedTown(Town):
    """See the module. A device takes what arrived when it sends something, or is told to ``hear``."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.path = directory / "service.db"
        self.sockets: dict[int, ClientConnection] = {}
        self.url = ""
        self.unit: ScriptedUnit
        self.loop: asyncio.AbstractEventLoop
        self._open = contextlib.ExitStack()

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """A server while the context lasts."""
        listens, stop = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(listens, stop)))
        thread.start()
        try:
            assert listens.wait(30)
            yield
        finally:
            self._open.close()
            self.loop.call_soon_threadsafe(stop.set)
            thread.join()

    async def _serve(self, listens: threading.Event, stop: asyncio.Event) -> None:
        self.loop = asyncio.get_running_loop()
        with contextlib.closing(SqliteStore(self.path)) as store:
            nonces = self.entropy.fork(b"served")
            service = DeliveryService(self.identity, store, nonces, forwarding=True)
            router = ForwardingRouter(self._unit)
            app = create_app(
                service,
                now=lambda: self.now,
                forwarding=router,
                limits=ConnectionLimits(per_address=None),
            )
            async with serve(app) as port:
                self.url = f"ws://127.0.0.1:{port}{PATH}"
                listens.set()
                await stop.wait()
            await router.close()

    def _unit(self, *callbacks: object) -> ScriptedUnit:
        self.unit = ScriptedUnit(*callbacks)  # type: ignore[arg-type]
        return self.unit

    def connect(self, origin: str = "") -> int:
        del origin  # the server sees where it comes from
        connection = len(self.inboxes) + 1
        self.inboxes[connection] = []
        self.sockets[connection] = self._open.enter_context(
            connect(self.url, compression=None, max_size=SERVICE.max_size)
        )
        return connection

    def disconnect(self, connection: int) -> None:
        self.sockets[connection].close()

    def send(
        self, connection: int, message: ServiceMessage, user: str | None = None
    ) -> list[FromService]:
        del user
        self.sockets[connection].send(wire.encode(message))
        return self.take(connection)

    def take(self, connection: int) -> list[FromService]:
        self.sockets[connection].send(wire.encode(MARK))
        while not isinstance(arrived := self._next(connection), messages.Relays):
            if isinstance(arrived, messages.Refused) and arrived.request == MARK.name:
                break
            self._arrived(connection, arrived)
        taken, self.inboxes[connection] = self.inboxes[connection], []
        return taken

    def hear(self, device: Device, due: type[FromService]) -> FromService:
        """Wait for a message of this kind; what came before it stays."""
        while not isinstance(arrived := self._next(device.connection), due):
            self._arrived(device.connection, arrived)
        return arrived

    def tell(self, device: Device, message: ServiceMessage) -> None:
        """Send, and wait for nothing."""
        self.sockets[device.connection].send(wire.encode(message))

    def _next(self, connection: int) -> FromService:
        arrived = wire.decode(SERVICE, self.sockets[connection].recv(timeout=30, decode=False))
        assert isinstance(arrived, FromService)
        return arrived

    def _arrived(self, connection: int, message: FromService) -> None:
        if isinstance(message, messages.MediaOffer):  # its number is not one of a mailbox
            self.inboxes[connection].append(message)
        else:
            self._arrive([(connection, message)])
