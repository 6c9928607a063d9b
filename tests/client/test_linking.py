"""A second device: it shows a text, the primary takes it in, and gives it what the account knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.key_store import Service
from e2ee.client.linking import Linking
from e2ee.client.profile import Profile
from e2ee.client.transport import Transport, websocket
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import Role
from e2ee.identity.device_link import read_link
from e2ee.identity.errors import IdentityReason, LinkError
from e2ee.signalling import wire
from e2ee.signalling.messages import SERVICE
from tests.client.conftest import SERVER_NAME, Platform

Tell = Callable[..., None]


def nowhere(platform: Platform) -> Service:
    """All that a new device knows of its service."""
    return Service(platform.service.url, SERVER_NAME, DirectoryKeys({}))


@pytest.mark.requirement("IDENT-17", "IDENT-23")
def test_a_device_is_linked_and_belongs_to_the_account(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            alice.trust.block("mallory")
            linking = Linking.create(suites=[0x0001], roles=Role.BOT)
            waiting = asyncio.create_task(linking.opened(nowhere(platform)))
            await alice.link(read_link(linking.text()), "kitchen")
            opened = await waiting
            assert opened.account_id == "alice"
            kitchen = Profile.in_memory()
            kitchen.take(opened.confirmed(), nowhere(platform))
            platform.profiles["kitchen"] = kitchen
            async with platform.client("kitchen") as second:
                assert (second.account_id, second.device_id) == ("alice", 2)
                assert second.trust.is_blocked("mallory")
                assert not kitchen.is_primary
                with pytest.raises(ClientUsageError) as refused:
                    second.revoke(1)
                assert refused.value.reason is ClientReason.NOT_THE_PRIMARY
            assert kitchen.keys.certificate.roles is Role.BOT
            with pytest.raises(LinkError):
                linking.text()

    tell(story)


class Watched:
    """A transport that tells what is sent over it."""

    def __init__(self, transport: Transport, sent: asyncio.Queue[str]) -> None:
        self._transport = transport
        self._sent = sent
        self.receive = transport.receive

    async def send(self, message: bytes) -> None:
        await self._transport.send(message)
        self._sent.put_nowait(wire.decode(SERVICE, message).name)


@pytest.mark.requirement("IDENT-22")
def test_what_somebody_else_sent_is_passed_by(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        sent: asyncio.Queue[str] = asyncio.Queue()

        @contextlib.asynccontextmanager
        async def connect(url: str) -> AsyncIterator[Transport]:
            async with websocket(url) as transport:
                yield Watched(transport, sent)

        linking = Linking.create(suites=[0x0001])
        link = read_link(linking.text())
        async with platform.client("mallory") as mallory, platform.client("alice") as alice:
            await mallory.link(replace(link, signature=bytes(64)), "not hers")
            waiting = asyncio.create_task(linking.opened(nowhere(platform), connect))
            assert [await sent.get() for _ in range(3)] == ["hello", "await_link", "await_link"]
            await alice.link(link, "kitchen")
            assert (await waiting).account_id == "alice"

    tell(story)


@pytest.mark.requirement("IDENT-17")
def test_nobody_takes_it_in_time(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        now = [0]
        linking = Linking.create(suites=[0x0001], clock=lambda: now[0])
        now[0] = linking.expires_at - 10
        with pytest.raises(LinkError) as late:
            await linking.opened(nowhere(platform))
        assert late.value.reason is IdentityReason.LINK_EXPIRED

    tell(story)
