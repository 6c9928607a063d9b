"""Two clients in one program, a real service, real sockets and real media: what an application sees of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from e2ee.call.chat.events import TextReceived
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallUsageError
from e2ee.call.events import Calling, Ended, EndReason, EpochChanged, Missed
from e2ee.call.spoken_code import CodeReady, CodeWanted
from e2ee.client.call import Connected
from e2ee.client.media import Media
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from tests.client.conftest import Platform
from tests.client.watching import ending, in_a_call, next_number, until, watch

Tell = Callable[..., None]


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
        async with (
            platform.client("alice", configuration=soon) as alice,
            platform.client("bob", configuration=soon) as bob,
        ):
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


def test_nobody_answers_for_an_account_without_devices(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            ended = await ending(alice.call("nobody", Media()))
            assert ended.reason in {EndReason.UNREACHABLE, EndReason.REFUSED}

    tell(story)


@pytest.mark.requirement("CALL-20")
def test_an_invitation_is_declined_with_a_text(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media())
            invitation = await bob.invitation()
            invitation.decline("in a meeting until four")
            ended = await ending(call)
            assert (ended.reason, ended.remote) == (EndReason.DECLINED, True)
            assert ended.text == "in a meeting until four"
            with pytest.raises(CallUsageError):
                invitation.answer(Media())

    tell(story)


@pytest.mark.requirement("CALL-18")
def test_who_is_in_a_call_is_busy_and_sees_who_called(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with (
            platform.client("alice") as alice,
            platform.client("bob") as bob,
            platform.client("carol") as carol,
        ):
            call, answered = await in_a_call(alice, bob)
            ended = await ending(carol.call("bob", Media()))
            assert (ended.reason, ended.remote) == (EndReason.BUSY, True)
            missed = await until(bob, Missed)
            assert (missed.caller.account_id, missed.reason) == ("carol", EndReason.BUSY)
            assert not answered.is_over
            call.hang_up()
            await answered.ended()

    tell(story)


@pytest.mark.requirement("CALL-16")
def test_who_calls_thinks_better_of_it(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media())
            invitation = await bob.invitation()
            assert not invitation.is_over
            call.hang_up()
            over = await invitation.over()
            assert (over.reason, over.remote) == (EndReason.CANCELLED, True)
            assert invitation.is_over
            missed = await until(bob, Missed)
            assert (missed.caller.account_id, missed.reason) == ("alice", EndReason.CANCELLED)
            with pytest.raises(CallUsageError):
                invitation.answer(Media())

    tell(story)


@pytest.mark.requirement("CALL-21")
def test_two_who_call_each_other_are_in_one_call(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            hers = alice.call("bob", Media(TestPicture()))
            his = bob.call("alice", Media(TestPicture()))
            await asyncio.gather(until(hers, Connected), until(his, Connected))
            assert hers.call_id == his.call_id
            assert hers.call_code == his.call_code
            await asyncio.gather(watch(hers), watch(his))
            assert hers.say("at the same moment!") == 1
            assert (await until(his, TextReceived)).text == "at the same moment!"
            his.hang_up()
            assert (await ending(hers)).reason is EndReason.DONE
            await asyncio.gather(hers.ended(), his.ended())
            assert alice._calls.invitations.empty()
            assert bob._calls.invitations.empty()

    tell(story)


@pytest.mark.requirement("VERIFY-3", "VERIFY-8")
def test_two_read_the_same_code_aloud(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob)
            call.begin_code()
            await until(answered, CodeWanted)
            answered.begin_code()
            hers, his = await asyncio.gather(until(call, CodeReady), until(answered, CodeReady))
            assert hers.code == his.code
            call.mark_verified()
            assert alice.trust.contact("bob").verified
            assert not bob.trust.contact("alice").verified
            call.hang_up()

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
            assert list(alice._calls._calls.values()) == [another]  # what is over is forgotten

    tell(story)
