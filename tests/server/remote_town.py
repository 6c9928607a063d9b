"""The town of tests/delivery whose service is a process of its own, on a store in a file, behind real WebSockets.

town = RemoteTown(directory)      makes the store
with town.served():               a server process that ends by SIGKILL, whatever it is doing
    alice = town.member("alice")
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.server.app import PATH, create_app
from e2ee.server.limits import ConnectionLimits
from e2ee.server.serve import serve
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage
from e2ee.system_clock import system_clock
from tests.delivery.conftest import SERVER_NAME, Town

MARK = messages.AskRelays()
"""Asked after each request: requests of a connection are answered in order, so what comes before its answer is all."""

SERVED = "import tests.server.remote_town as t; t.main()"


class RemoteTown(Town):
    """See the module. Its devices take no notice: they send, and take what arrived."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.now = system_clock()()
        self.path = directory / "service.db"
        store = SqliteStore(self.path)
        self.identity = ServiceIdentity.of(store, SERVER_NAME, self.entropy.fork(b"remote"))
        store.close()
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.standby = self._process()
        self.sockets: dict[int, ClientConnection] = {}
        self._open = contextlib.ExitStack()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{PATH}"

    def start(self) -> None:
        """Start a server, always on the same port; it listens when this returns."""
        self.process, self.standby = self.standby, self._process()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{self.port}\n")
        self.process.stdin.flush()
        self.port = int(self.process.stdout.readline())

    def _process(self) -> subprocess.Popen[str]:
        """The next server process, which has read its modules when it is needed."""
        return subprocess.Popen(  # noqa: S603 - this interpreter, our own file
            [sys.executable, "-c", SERVED, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def kill(self) -> None:
        """``kill -9``: nothing of the process runs after this."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()
            self.process = None

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """A server process while the context lasts."""
        self.start()
        try:
            yield
        finally:
            self.kill()
            self.standby.kill()
            self.standby.communicate()
            self._open.close()

    def connect(self, origin: str = "") -> int:
        del origin  # the server sees where it comes from
        connection = len(self.inboxes) + 1
        self.inboxes[connection] = []
        self.sockets[connection] = self._open.enter_context(
            connect(self.url, compression=None, max_size=SERVICE.max_size)
        )
        return connection

    def send(
        self, connection: int, message: ServiceMessage, user: str | None = None
    ) -> list[FromService]:
        del user
        self.sockets[connection].send(wire.encode(message))
        return self.take(connection)

    def take(self, connection: int) -> list[FromService]:
        socket = self.sockets[connection]
        socket.send(wire.encode(MARK))
        while not _answers_mark(arrived := wire.decode(SERVICE, socket.recv(decode=False))):
            assert isinstance(arrived, FromService)
            self._arrive([(connection, arrived)])
        return super().take(connection)


def _answers_mark(message: ServiceMessage) -> bool:
    refused = isinstance(message, messages.Refused) and message.request == MARK.name
    return refused or isinstance(message, messages.Relays)


async def _serve(path: Path, port: int) -> None:
    store, entropy = SqliteStore(path), SystemEntropy()
    identity = ServiceIdentity.of(store, SERVER_NAME, SeededEntropy(b"made before"))
    service = DeliveryService(identity, store, entropy)
    limits = ConnectionLimits(connections=20_000, per_address=None)
    async with serve(create_app(service, limits=limits), port=port) as bound:
        sys.stdout.write(f"{bound}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """A server process: serve the store that is named, on the port that is read, until it is killed."""
    line = sys.stdin.readline()
    if line:
        asyncio.run(_serve(Path(sys.argv[1]), int(line)))
