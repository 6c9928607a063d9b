"""Calls over a platform's own connections, with neither WebSocket nor web server. Run it: python -m e2ee.examples.in_memory

A platform that has a connection to its users already carries the messages of calls over it. It writes a class like
``Switchboard``, and nothing else: what it carries is sealed, and the rules are kept by the two ends. Media go from device
to device.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from e2ee.call.chat.events import TextReceived
from e2ee.client.call import Connected
from e2ee.client.client import Client
from e2ee.client.key_store import Service
from e2ee.client.media import Media
from e2ee.client.online import online
from e2ee.client.transport import Transport
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, Outgoing, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.examples._service import HERE, account
from e2ee.rtc.sources import Tone
from e2ee.signalling import wire
from e2ee.signalling.messages import SERVICE
from e2ee.system_clock import system_clock


class Switchboard:
    """Carries messages between devices and the delivery service, whole and in order."""

    def __init__(self, service: DeliveryService) -> None:
        self._service = service
        self._now = system_clock()
        self._numbers = itertools.count(1)
        self._inboxes: dict[int, asyncio.Queue[bytes]] = {}

    @contextlib.asynccontextmanager
    async def connect(self, _url: str) -> AsyncIterator[Transport]:
        """A device's connection, as long as the context lasts."""
        number = next(self._numbers)
        self._inboxes[number] = asyncio.Queue()
        self._service.connected(number)
        try:
            yield Wire(self, number, self._inboxes[number])
        finally:
            del self._inboxes[number]
            self._give(self._service.disconnected(number, self._now()))

    def take(self, number: int, data: bytes) -> None:
        """A device says something. What comes of it goes to whom it is for."""
        message = wire.decode(SERVICE, data)
        self._give(self._service.receive(number, message, self._now()))

    def _give(self, outgoing: Outgoing) -> None:
        for number, message in outgoing:
            self._inboxes[number].put_nowait(wire.encode(message))


class Wire:
    """The ``Transport`` of one device."""

    def __init__(self, switchboard: Switchboard, number: int, inbox: asyncio.Queue[bytes]) -> None:
        self._switchboard = switchboard
        self._number = number
        self.receive = inbox.get

    async def send(self, message: bytes) -> None:
        self._switchboard.take(self._number, message)


async def answer(bob: Client) -> None:
    call = (await bob.invitation()).answer(Media(microphone=Tone(660)))
    async for event in call:
        if isinstance(event, TextReceived):
            print("Bob reads:", event.text)
            call.hang_up()


async def ring(alice: Client) -> None:
    call = alice.call("bob", Media(microphone=Tone(440)))
    async for event in call:
        if isinstance(event, Connected):
            print("connected; the code to compare:", call.call_code)
            call.say("no socket carried this")


async def main() -> None:
    entropy = SystemEntropy()
    identity = ServiceIdentity.create("calls.example", entropy)
    switchboard = Switchboard(DeliveryService(identity, MemoryStore(), entropy))
    service = Service("in memory", identity.server_name, identity.directory_keys())
    async with (
        online(account("alice", service), connect=switchboard.connect, network=HERE) as alice,
        online(account("bob", service), connect=switchboard.connect, network=HERE) as bob,
    ):
        await bob.published()
        await asyncio.gather(answer(bob), ring(alice))


if __name__ == "__main__":
    asyncio.run(main())
