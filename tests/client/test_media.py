"""What is sent in a call, and what becomes of it when its path is lost: real media, real sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from e2ee.call.chat.events import TextReceived
from e2ee.call.events import EndReason, MediaChanged, RelaysReceived
from e2ee.call.medium import Medium
from e2ee.client.call import Call, Connected, Interrupted
from e2ee.client.media import Media, Network
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.errors import WrongState
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.signalling.messages import Relays
from tests.client.conftest import Platform
from tests.client.watching import Arrivals, ending, in_a_call, listen, sent, until, watch

Tell = Callable[..., None]


async def told(call: Call, **media: bool) -> None:
    """Until the other side says that it sends this."""
    while any(getattr(call.received_media, kind) != sends for kind, sends in media.items()):
        await until(call, MediaChanged)


@pytest.mark.requirement("CALL-26", "CODEC-7")
def test_voice_becomes_video_and_voice_again(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(microphone=Tone(440)))
            await listen(answered)
            await told(answered, microphone=True, camera=False)
            assert sent(call, Kind.CAMERA) == 0
            call.send(Kind.CAMERA, TestPicture())
            await told(answered, microphone=True, camera=True)
            await watch(answered)
            call.send(Kind.CAMERA, None)
            await told(answered, microphone=True, camera=False)
            before = sent(call, Kind.CAMERA)
            await listen(answered, 10)
            assert sent(call, Kind.CAMERA) == before
            call.hang_up()

    tell(story)


@pytest.mark.requirement("CODEC-8", "CALL-26")
def test_who_is_muted_sends_nothing_no_silence_either(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            media = Media(TestPicture(), Tone(440))
            call, answered = await in_a_call(alice, bob, media)
            await listen(answered)
            call.mute()
            assert call.is_muted
            muted_at = sent(call, Kind.MICROPHONE)
            await told(answered, microphone=False, camera=True)
            await watch(answered, count=10)
            assert sent(call, Kind.MICROPHONE) == muted_at
            call.unmute()
            await told(answered, microphone=True, camera=True)
            await listen(answered)
            assert not call.is_muted
            call.hang_up()

    tell(story)


def test_sound_is_no_picture(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        with pytest.raises(WrongState):
            Media(camera=Tone(440))
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(microphone=Tone(440)))
            call.mute()
            with pytest.raises(WrongState):
                call.send(Kind.MICROPHONE, TestPicture())
            assert call.is_muted
            call.unmute()
            await listen(answered)
            call.hang_up()

    tell(story)


def test_who_has_no_microphone_cannot_mute_it(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, _ = await in_a_call(alice, bob)
            call.mute()
            assert not call.is_muted
            call.unmute()
            call.hang_up()

    tell(story)


@pytest.mark.requirement("CALL-26")
def test_on_hold_nothing_is_sent_and_nothing_shown(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            arrivals = Arrivals()
            hers = Media(microphone=Tone(440), observers=[arrivals])
            call, answered = await in_a_call(alice, bob, hers, Media(TestPicture()))
            await asyncio.gather(watch(call), listen(answered))
            call.hold()
            held_at = sent(call, Kind.MICROPHONE)
            await told(answered, microphone=True, on_hold=True)
            withheld = call.statistics.received[Kind.CAMERA].withheld
            await arrivals.more(10)
            assert call.statistics.received[Kind.CAMERA].withheld >= withheld + 5
            assert sent(call, Kind.MICROPHONE) == held_at
            call.resume()
            await told(answered, microphone=True, on_hold=False)
            await asyncio.gather(watch(call), listen(answered))
            call.hang_up()

    tell(story)


@pytest.mark.requirement("CALL-26")
def test_a_screen_is_shown_beside_the_camera(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(TestPicture()))
            await watch(answered)
            call.send(Kind.SCREEN_VIDEO, TestPicture())
            await told(answered, camera=True, screen=True)
            await asyncio.gather(watch(answered, Kind.CAMERA), watch(answered, Kind.SCREEN_VIDEO))
            call.send(Kind.SCREEN_VIDEO, None)
            await told(answered, camera=True, screen=False)
            call.hang_up()

    tell(story)


@pytest.mark.requirement("CALL-9")
def test_a_call_of_text_has_no_connection_for_media(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media(TestPicture(), Tone(440)), medium=Medium.TEXT)
            invitation = await bob.invitation()
            assert invitation.ringing.medium is Medium.TEXT
            answered = invitation.answer(Media())
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            assert call.say("nobody hears us") == 1
            assert (await until(answered, TextReceived)).text == "nobody hears us"
            assert call.track(Kind.CAMERA) is None
            assert not call.statistics.sent
            answered.hang_up()
            assert (await ending(call)).reason is EndReason.DONE
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


@pytest.mark.requirement("CALL-28", "FKEY-4")
def test_a_lost_path_is_replaced_and_the_call_goes_on(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(TestPicture()), Media(TestPicture()))
            await asyncio.gather(watch(call), watch(answered))
            shown = call.track(Kind.CAMERA)
            lost = answered._media.peer
            assert lost is not None
            await lost._connection.close()
            await until(call, Interrupted)
            opened = call.statistics.received[Kind.CAMERA].opened
            assert opened >= 3
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            assert call.track(Kind.CAMERA) is shown
            await asyncio.gather(watch(call), watch(answered))
            assert call.statistics.received[Kind.CAMERA].opened > opened
            for each in (call, answered):
                assert not each.statistics.received[Kind.CAMERA].rejected
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


@pytest.mark.requirement("CALL-28")
def test_a_path_that_is_silent_is_replaced(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(alice, bob, Media(TestPicture()), Media())
            await watch(answered)
            lose_everything(answered)
            await asyncio.gather(until(call, Interrupted), until(answered, Interrupted))
            await asyncio.gather(until(call, Connected), until(answered, Connected))
            await watch(answered)
            call.hang_up()
            await asyncio.gather(call.ended(), answered.ended())

    def lose_everything(call: Call) -> None:
        """Bob's network takes nothing of this connection any more, and brings nothing."""
        peer = call._media.peer
        assert peer is not None
        (transport,) = {each.sender.transport for each in peer._transceivers.values()}
        protocols: list[Any] = transport.transport._connection._protocols
        for protocol in protocols:
            protocol.transport.sendto = lambda *_: None
            protocol.datagram_received = lambda *_: None

    tell(story)


def test_without_a_relay_a_call_that_needs_one_says_so(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        hidden = Network(relay_only=True)
        async with platform.client("alice", network=hidden) as alice, platform.client("bob") as bob:
            call = alice.call("bob", Media(microphone=Tone(440)))
            answered = (await bob.invitation()).answer(Media())
            ended, remote = await asyncio.gather(ending(call), ending(answered))
            assert (ended.reason, remote.reason) == (EndReason.ANSWER_FAILED,) * 2
            assert ended.detail.startswith("CONNECTION_FAILED")
            await asyncio.gather(call.ended(), answered.ended())

    tell(story)


def test_relays_are_asked_for_and_again_before_they_end(tell: Tell) -> None:
    given: asyncio.Queue[str] = asyncio.Queue()
    turns = itertools.count(1)

    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            assert await given.get() == "1"
            assert await given.get() == "2"
            (server,) = alice._relays.ice_servers
            assert server.urls == ["turn:127.0.0.1:9"]
            assert server.username in {"1", "2"}
        private = Network(host_addresses=["127.0.0.1"], service_relays=False)
        async with platform.client("bob", network=private) as bob:
            bob._relays.received(RelaysReceived(("turn:127.0.0.1:9",), "unasked", "secret", 0))
            assert not bob._relays.ice_servers
            assert given.empty()

    def relays(now: int, _entropy: object) -> Relays:
        turn = str(next(turns))
        given.put_nowait(turn)
        return Relays(("turn:127.0.0.1:9",), turn, "secret", now // 1000 + 600)

    tell(story, relays=relays)
