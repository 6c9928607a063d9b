"""Two clients in one program, a real service, real sockets and real media: what an application sees of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiortc import MediaStreamTrack

from e2ee.call.chat.events import TextReceived
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallUsageError
from e2ee.call.events import CallEvent, Calling, Ended, EndReason, EpochChanged
from e2ee.client.call import Call, Connected
from e2ee.client.client import ServiceRegained
from e2ee.client.media import Media
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import read_number
from e2ee.rtc.meters import luma_of
from e2ee.rtc.sources import TestPicture, Tone
from tests.client.conftest import Platform, Story

Tell = Callable[[Story], None]


async def until(call: Call, kind: type[CallEvent]) -> CallEvent:
    """The next event of a kind."""
    async for event in call:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"ended without {kind.__name__}")


async def ending(call: Call) -> Ended:
    """How a call ends."""
    event = await until(call, Ended)
    assert isinstance(event, Ended)
    return event


async def next_number(track: MediaStreamTrack | None) -> int:
    """The number in the next picture that can be read."""
    assert track is not None
    while True:
        number = read_number(luma_of(await track.recv()))  # type: ignore[arg-type]
        if number is not None:
            return number


def test_alice_calls_bob_and_each_sees_the_other(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media(TestPicture(), Tone(440)))
            calling = await until(call, Calling)
            assert isinstance(calling, Calling)
            assert [device.account_id for device in calling.devices] == ["bob"]
            invitation = await bob.invitation()
            assert invitation.ringing.caller.account_id == "alice"
            answered = invitation.answer(Media(TestPicture(), Tone(660)))
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            assert call.call_code == answered.call_code
            assert call.safety_number == answered.safety_number
            for each in (call, answered):
                first = await next_number(each.track(Kind.CAMERA))
                assert await next_number(each.track(Kind.CAMERA)) > first
            call.hang_up()
            assert await ending(call) == Ended(call.call_id, EndReason.DONE, remote=False)
            assert await ending(answered) == Ended(call.call_id, EndReason.DONE, remote=True)
            await asyncio.gather(call.ended(), answered.ended())
            received = answered.statistics.received
            assert not any(stream.rejected for stream in received.values())
            assert received[Kind.CAMERA].opened > 0
            assert received[Kind.MICROPHONE].opened > 0
            assert received[Kind.SCREEN_VIDEO].opened == 0

    tell(story)


def test_who_sends_nothing_sees_all_the_same(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media())
            answered = (await bob.invitation()).answer(Media(TestPicture(), Tone(660)))
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            await next_number(call.track(Kind.CAMERA))
            answered.hang_up()
            assert (await ending(call)).remote
            assert call.statistics.sent[Kind.CAMERA].frames == 0

    tell(story)


def test_the_epoch_changes_while_they_talk(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        soon = Configuration(epoch_lifetime=1_000)
        async with platform.client("alice", soon) as alice, platform.client("bob", soon) as bob:
            call = alice.call("bob", Media(TestPicture(), Tone(440)))
            answered = (await bob.invitation()).answer(Media(TestPicture(), Tone(660)))
            while True:
                changed = await until(call, EpochChanged)
                assert isinstance(changed, EpochChanged)
                if changed.epoch == 4:
                    break
            before = answered.statistics.received[Kind.CAMERA].opened
            while answered.statistics.received[Kind.CAMERA].opened < before + 30:
                await next_number(answered.track(Kind.CAMERA))
            assert not answered.statistics.received[Kind.CAMERA].rejected
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


def test_a_client_that_goes_ends_its_calls_and_its_microphone(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("bob") as bob:
            async with platform.client("alice") as alice:
                call = alice.call("bob", Media(TestPicture(), Tone(440)))
                answered = (await bob.invitation()).answer(Media())
                await asyncio.gather(until(call, Connected), until(answered, Connected))
            await call.ended()
            sent = {kind: each.frames for kind, each in call.statistics.sent.items()}
            assert await ending(answered) == Ended(call.call_id, EndReason.DONE, remote=True)
            await answered.ended()
            assert {kind: each.frames for kind, each in call.statistics.sent.items()} == sent

    tell(story)


def test_a_call_outlives_its_connection_to_the_service(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media(TestPicture(), Tone(440)))
            answered = (await bob.invitation()).answer(Media())
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            await alice._session._transport._connection.close()  # type: ignore[union-attr]
            answered.say("are you there?")
            async for event in alice:
                if isinstance(event, ServiceRegained):
                    break
            received = await until(call, TextReceived)
            assert isinstance(received, TextReceived)
            assert received.text == "are you there?"
            call.say("I am")
            await until(answered, TextReceived)
            first = await next_number(answered.track(Kind.CAMERA))
            assert await next_number(answered.track(Kind.CAMERA)) > first
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


def test_nobody_answers_for_an_account_without_devices(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            ended = await ending(alice.call("nobody", Media()))
            assert ended.reason in {EndReason.UNREACHABLE, EndReason.REFUSED}

    tell(story)


def test_an_invitation_is_declined(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media())
            invitation = await bob.invitation()
            invitation.decline()
            assert (await ending(call)).remote
            with pytest.raises(CallUsageError):
                invitation.answer(Media())

    tell(story)


def test_a_call_that_is_over_cannot_be_ended_again(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media())
            await bob.invitation()
            call.hang_up()
            await call.ended()
            with pytest.raises(CallUsageError):
                call.hang_up()
            another = alice.call("bob", Media())
            assert list(alice._calls.values()) == [another]  # what is over is forgotten

    tell(story)
