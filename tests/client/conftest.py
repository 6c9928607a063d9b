"""A real service on loopback, and clients at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import Network
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.admission import invite
from e2ee.delivery.service import DeliveryService, ServiceIdentity, no_relays
from e2ee.delivery.store import MemoryStore
from e2ee.delivery.transaction import Store
from e2ee.server.app import PATH, create_app
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.serve import serve
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.sfu.unit import OnLost, OnOffer
from e2ee.signalling.messages import Relays
from e2ee.system_clock import Clock, system_clock

SERVER_NAME = "calls.example"

LOOPBACK = Network(host_addresses=["127.0.0.1"])

PATIENCE = 60.0
"""Seconds in which a story has to come to its end."""


@dataclass
class Platform:
    """A service that runs, and the profiles of accounts at it."""

    store: Store = field(default_factory=MemoryStore)
    relays: Callable[[int, Entropy], Relays] = no_relays
    forwards: bool = False
    """Whether there is a forwarding unit, for group calls."""
    port: int = 0
    profiles: dict[str, Profile] = field(default_factory=dict)
    running: AsyncExitStack = field(default_factory=AsyncExitStack)
    advanced: int = 0
    """By how many milliseconds everybody's clock is ahead of the system's."""
    unit: AiortcForwardingUnit | None = None
    _clock: Clock = field(default_factory=system_clock)

    def now(self) -> int:
        """Everybody's clock, in Unix milliseconds."""
        return self._clock() + self.advanced

    @property
    def service(self) -> Service:
        """What a client is told of it."""
        identity = ServiceIdentity.of(self.store, SERVER_NAME, SystemEntropy())
        url = f"ws://127.0.0.1:{self.port}{PATH}"
        return Service(url, SERVER_NAME, identity.directory_keys())

    async def start(self) -> None:
        """Run the service, again on the port that it had."""
        entropy = SystemEntropy()
        identity = ServiceIdentity.of(self.store, SERVER_NAME, entropy)
        service = DeliveryService(
            identity, self.store, entropy, relays=self.relays, forwarding=self.forwards
        )
        router = ForwardingRouter(self._new_unit) if self.forwards else None
        if router is not None:
            self.running.push_async_callback(router.close)
        app = create_app(service, now=self.now, forwarding=router)
        self.port = await self.running.enter_async_context(serve(app, port=self.port))

    def _new_unit(self, on_offer: OnOffer, on_lost: OnLost) -> AiortcForwardingUnit:
        self.unit = AiortcForwardingUnit(on_offer, on_lost, self.now, host_addresses=["127.0.0.1"])
        return self.unit

    async def stop(self) -> None:
        """End it. What the store keeps, it keeps."""
        await self.running.aclose()

    def invite(self, account_id: str) -> str:
        """A token that replaces the key of this account."""
        with self.store.transaction() as tx:
            return invite(tx, SystemEntropy(), self.now() + 60_000, account_id)

    def profile(self, name: str) -> Profile:
        """The profile of this name; a new one is a new account's."""
        profile = self.profiles.setdefault(name, Profile.in_memory())
        if profile.is_new:
            profile.create(name, self.service)
        return profile

    @contextlib.asynccontextmanager
    async def client(self, name: str, **options: Any) -> AsyncIterator[Client]:
        """A client of the profile ``name`` that can be called; ``options`` are those of ``online``."""
        given = {"suites": [0x0001], "network": LOOPBACK, "clock": self.now, **options}
        async with online(self.profile(name), **given) as client:
            await client.published()
            yield client


Story = Callable[[Platform], Coroutine[Any, Any, None]]


@pytest.fixture
def tell() -> Callable[..., None]:
    """Runs a story on a platform of its own, which may be given a store and relays."""

    async def told(story: Story, platform: Platform) -> None:
        await platform.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await story(platform)
        finally:
            await platform.stop()

    return lambda story, **given: asyncio.run(told(story, Platform(**given)))
