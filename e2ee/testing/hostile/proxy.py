"""A delivery service that lies, over real WebSockets: clients connect to it, and it to the real service.

    async with hostile_platform() as platform:
        platform.down = rule                  (name, message from the service) -> what the client gets instead
        platform.up = rule                    (name, message of the client) -> what the service gets instead
        async with platform.client("alice") as alice: ...

``name`` is the account that registered or logged in on the connection. Clients are the library's own, and the real service
is the real server: everything between the two is the adversary's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.server.app import PATH, create_app
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.serve import serve
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.signalling import messages
from e2ee.signalling.messages import SERVICE, ServiceMessage
from e2ee.signalling.wire import decode, encode
from e2ee.system_clock import Clock, system_clock

__all__ = ["HostileProxy", "WireRule", "honest", "hostile_platform"]

SERVER_NAME = "calls.example"

_connections = logging.getLogger(f"{__name__}.connections")
_connections.setLevel(logging.INFO)  # frames are the adversary's to see, and not for a log

WireRule = Callable[[str, ServiceMessage], Iterable[ServiceMessage | bytes]]
"""What comes through in the place of a message; bytes go out as they are."""


def honest(_: str, message: ServiceMessage) -> Iterable[ServiceMessage | bytes]:
    """Passes everything on as it is."""
    return (message,)


@dataclass
class HostileProxy:
    """See the module."""

    identity: ServiceIdentity
    service_url: str
    url: str = ""
    up: WireRule = honest
    down: WireRule = honest
    clients: dict[str, ServerConnection] = field(default_factory=dict)
    """The newest connection of each account."""
    profiles: dict[str, Profile] = field(default_factory=dict)
    clock: Clock = field(default_factory=system_clock)

    @contextlib.asynccontextmanager
    async def client(self, name: str, token: str = "") -> AsyncIterator[Client]:
        """A client of the account ``name``, which believes that this is its service."""
        profile = self.profiles.setdefault(name, Profile.in_memory())
        if profile.is_new:
            keys = self.identity.authority.directory_keys()
            profile.create(name, Service(self.url, SERVER_NAME, keys))
        network = Network(host_addresses=["127.0.0.1"])
        going_online = online(
            profile, token=token, suites=[0x0001], network=network, clock=self.clock
        )
        async with going_online as client:
            await client.published()
            yield client

    async def inject(self, name: str, message: ServiceMessage | bytes) -> None:
        """Send an account's client something of one's own."""
        await self.clients[name].send(message if isinstance(message, bytes) else encode(message))

    async def carry(self, front: ServerConnection) -> None:
        """One connection of a client, and one to the service for it."""
        behind_connecting = connect(
            self.service_url,
            max_size=SERVICE.max_size,
            compression=None,
            proxy=None,
            logger=_connections,
        )
        async with behind_connecting as behind:
            carrier = _Carrier(self, front, behind)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(carrier.carry_up())
                tasks.create_task(carrier.carry_down())


@dataclass
class _Carrier:
    proxy: HostileProxy
    front: ServerConnection
    behind: ClientConnection
    name: str = ""

    async def carry_up(self) -> None:
        """From the client to the service."""
        with contextlib.suppress(ConnectionClosed):
            async for data in self.front:
                for each in self._sent(decode(SERVICE, _bytes(data))):
                    await self.behind.send(_encoded(each))
        await self.behind.close()

    async def carry_down(self) -> None:
        """From the service to the client."""
        with contextlib.suppress(ConnectionClosed):
            async for data in self.behind:
                for each in self.proxy.down(self.name, decode(SERVICE, _bytes(data))):
                    await self.front.send(_encoded(each))
        await self.front.close()

    def _sent(self, message: ServiceMessage) -> Iterable[ServiceMessage | bytes]:
        if isinstance(message, messages.Register):
            self.name = message.account_id
        if isinstance(message, messages.Login):
            statement = DeviceCertificate.decode(message.certificate).statement
            self.name = statement.account_id.decode()
        self.proxy.clients[self.name] = self.front
        return self.proxy.up(self.name, message)


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def _encoded(message: ServiceMessage | bytes) -> bytes:
    return message if isinstance(message, bytes) else encode(message)


@contextlib.asynccontextmanager
async def _forwarding() -> AsyncIterator[ForwardingRouter]:
    """A forwarding unit on loopback, and the way to it."""
    router = ForwardingRouter(
        lambda on_offer, on_lost: AiortcForwardingUnit(
            on_offer, on_lost, system_clock(), host_addresses=["127.0.0.1"]
        )
    )
    try:
        yield router
    finally:
        await router.close()


@contextlib.asynccontextmanager
async def hostile_platform(
    identity: ServiceIdentity | None = None, *, forwarding: bool = False
) -> AsyncIterator[HostileProxy]:
    """A real server on loopback, and the adversary in front of it; with ``forwarding`` it has a forwarding unit, too.

    With the ``identity`` of another one it is its second face.
    """
    entropy = SystemEntropy()
    identity = identity or ServiceIdentity.create(SERVER_NAME, entropy)
    service = DeliveryService(identity, MemoryStore(), entropy, forwarding=forwarding)
    async with (
        _forwarding() if forwarding else contextlib.nullcontext() as router,
        serve(create_app(service, forwarding=router)) as port,
    ):
        proxy = HostileProxy(identity, f"ws://127.0.0.1:{port}{PATH}")
        serving = serve_websockets(
            proxy.carry,
            "127.0.0.1",
            0,
            max_size=SERVICE.max_size,
            compression=None,
            logger=_connections,
        )
        async with serving as server:
            own_port = next(iter(server.sockets)).getsockname()[1]
            proxy.url = f"ws://127.0.0.1:{own_port}"
            yield proxy
