"""Both call each other (CALL-21): one of the two calls goes on, with what each person had decided about what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from e2ee.client.call import Call, Connected
from e2ee.client.client import Client
from e2ee.client.media import Media
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from tests.client.conftest import Platform
from tests.client.watching import next_number, until

Tell = Callable[..., None]


def test_who_was_muted_when_both_called_stays_muted(tell: Tell) -> None:
    def called(caller: Client, callee: str) -> Call:
        call = caller.call(callee, Media(TestPicture(), Tone(440)))
        call.mute()
        return call

    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            calls = called(alice, "bob"), called(bob, "alice")
            await asyncio.gather(*(until(call, Connected) for call in calls))
            assert calls[0].call_id == calls[1].call_id
            for call in calls:
                await next_number(call.track(Kind.CAMERA))
                assert call.is_muted
                assert not call.received_media.microphone
                assert call.statistics.sent[Kind.MICROPHONE].frames == 0
            calls[0].hang_up()
            await asyncio.gather(*(call.ended() for call in calls))

    tell(story)
