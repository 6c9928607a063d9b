"""The connection to the service is lost, or the service restarts: calls go on, and what was said meanwhile comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from e2ee.call.chat.events import TextReceived
from e2ee.client.client import Client, ServiceLostEvent, ServiceRegained
from e2ee.client.errors import ServiceRefused
from e2ee.client.media import Media
from e2ee.client.session import Session
from e2ee.rtc.sources import TestPicture
from e2ee.server.stores.sqlite import SqliteStore
from tests.client.conftest import Platform
from tests.client.watching import in_a_call, until, watch

Tell = Callable[..., None]


async def drop(client: Client) -> None:
    """The network between this client and the service breaks."""
    session = client._carrier._session
    assert isinstance(session, Session)
    await session._transport._connection.close()  # type: ignore[attr-defined]


def test_a_call_outlives_its_connection_to_the_service(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(TestPicture()))
            await drop(alice)
            answered.say("are you there?")
            call.say("not quite")
            await until(alice, ServiceRegained)
            assert (await until(call, TextReceived)).text == "are you there?"
            assert (await until(answered, TextReceived)).text == "not quite"
            call.say("I am")
            assert (await until(answered, TextReceived)).text == "I am"
            await watch(answered)
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


@pytest.mark.requirement("DS-9", "DS-10")
def test_a_call_outlives_a_restart_of_the_service(tell: Tell, tmp_path: Path) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(TestPicture()))
            await watch(answered)
            await platform.stop()
            await asyncio.gather(until(alice, ServiceLostEvent), until(bob, ServiceLostEvent))
            call.say("while nobody carries it")
            await watch(answered)
            await platform.start()
            assert (await until(answered, TextReceived)).text == "while nobody carries it"
            await asyncio.gather(until(alice, ServiceRegained), until(bob, ServiceRegained))
            answered.say("it came")
            assert (await until(call, TextReceived)).text == "it came"
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())
            call, answered = await in_a_call(bob, alice)
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    with contextlib.closing(SqliteStore(tmp_path / "service.sqlite")) as store:
        tell(story, store=store)


@pytest.mark.requirement("DS-1")
def test_the_same_device_in_two_places_is_in_one(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        with pytest.raises(ServiceRefused) as refused:
            async with platform.client("alice"), platform.client("alice"):
                await asyncio.Event().wait()
        assert refused.value.service_reason == "SUPERSEDED"

    tell(story)
