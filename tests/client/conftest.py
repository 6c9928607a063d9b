"""A real service on loopback, and clients at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2ee.call.configuration import Configuration
from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve

SERVER_NAME = "calls.example"


@dataclass
class Platform:
    """A service that runs, and the profiles of accounts at it."""

    identity: ServiceIdentity
    url: str
    profiles: dict[str, Profile] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def client(
        self, name: str, configuration: Configuration | None = None
    ) -> AsyncIterator[Client]:
        """A client of the account ``name`` that can be called."""
        profile = self.profiles.setdefault(name, Profile.in_memory())
        if profile.is_new:
            keys = self.identity.authority.directory_keys()
            profile.create(name, Service(self.url, SERVER_NAME, keys))
        going_online = online(
            profile,
            suites=[0x0001],
            configuration=configuration,
            network=Network(host_addresses=["127.0.0.1"]),
        )
        async with going_online as client:
            await client.published()
            yield client


Story = Callable[[Platform], Coroutine[Any, Any, None]]


@pytest.fixture
def tell() -> Callable[[Story], None]:
    """Runs a story on a platform of its own."""

    async def told(story: Story) -> None:
        entropy = SystemEntropy()
        identity = ServiceIdentity.create(SERVER_NAME, entropy)
        app = create_app(DeliveryService(identity, MemoryStore(), entropy))
        async with serve(app) as port:
            await story(Platform(identity, f"ws://127.0.0.1:{port}{PATH}"))

    return lambda story: asyncio.run(told(story))
