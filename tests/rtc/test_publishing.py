"""The connection over which a member of a group call sends. (What comes of it through a unit: tests/sfu/test_meeting.py.)"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiortc.sdp import SessionDescription

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_keys import FrameKeys
from e2ee.rtc.errors import DescriptionError, RtcReason, WrongState
from e2ee.rtc.publishing import PublishingPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.sfu.publisher import Publisher

LOOPBACK = ("127.0.0.1",)
STREAMS = (
    (Kind.MICROPHONE, 0, Codec.OPUS),
    (Kind.CAMERA, 0, Codec.VP8),
    (Kind.SCREEN_VIDEO, 0, Codec.VP8),
    (Kind.CAMERA, 1, Codec.VP8),
)


def clock() -> int:
    return time.monotonic_ns() // 1_000_000


@asynccontextmanager
async def published(*, loopback: bool = True) -> AsyncIterator[tuple[PublishingPeer, Publisher]]:
    """A member with four streams, and what the unit has of it."""
    keys = FrameKeys()
    peer = PublishingPeer(clock, host_addresses=LOOPBACK if loopback else None)
    for kind, instance, codec in STREAMS:
        peer.add_stream(keys.send.open_stream(codec, kind, instance))
    unit = Publisher(0, clock, LOOPBACK, lambda _: None, lambda: None)
    try:
        yield peer, unit
    finally:
        await asyncio.gather(peer.close(), unit.close())


def tell(story: Callable[[PublishingPeer, Publisher], Awaitable[None]]) -> None:
    async def told() -> None:
        async with published() as (peer, unit):
            await story(peer, unit)

    asyncio.run(told())


@pytest.mark.requirement("CODEC-5", "CODEC-6", "CODEC-9", "SFU-9")
def test_all_streams_that_may_be_sent_are_in_the_one_description() -> None:
    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        assert peer.mids == {}
        offer = await peer.offer()
        media = SessionDescription.parse(offer).media
        assert [section.kind for section in media] == ["audio", "video", "video", "video"]
        assert {section.direction for section in media} == {"sendonly"}
        assert "ssrc-audio-level" not in offer
        assert {codec.name for section in media for codec in section.rtp.codecs} == {
            "opus",
            "VP8",
            "rtx",
        }
        assert peer.mids == {
            (kind, instance): section.rtp.muxId
            for (kind, instance, _), section in zip(STREAMS, media, strict=True)
        }
        await peer.accept(await unit.answer(offer))
        await peer.connected()
        assert set(unit.sources) == set(peer.mids.values())

    tell(story)


def test_who_publishes_is_not_told_what_the_unit_is_told() -> None:
    """No header extension is agreed on but the time of sending, which no member gets to see."""

    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        answer = await unit.answer(await peer.offer())
        assert set(re.findall(r"a=extmap:\d+ (\S+)", answer)) == {
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
        }
        await peer.accept(answer)

    tell(story)


def test_steps_out_of_turn_are_refused() -> None:
    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        with pytest.raises(WrongState):
            await PublishingPeer(clock).offer()
        with pytest.raises(WrongState):
            peer.add_stream(FrameKeys().send.open_stream(Codec.VP8, Kind.CAMERA))
        with pytest.raises(WrongState):
            await peer.accept("an answer to nothing")
        offer = await peer.offer()
        with pytest.raises(WrongState):
            peer.add_stream(FrameKeys().send.open_stream(Codec.OPUS, Kind.SCREEN_AUDIO))
        with pytest.raises(WrongState):
            await peer.offer()
        with pytest.raises(WrongState):
            peer.send(Kind.SCREEN_AUDIO, Tone(440.0))
        with pytest.raises(WrongState):
            peer.send(Kind.CAMERA, Tone(440.0))
        await peer.accept(await unit.answer(offer))

    tell(story)


@pytest.mark.requirement("SFU-2")
def test_what_is_no_answer_of_a_unit_is_refused() -> None:
    unexpected = RtcReason.UNEXPECTED_MEDIA

    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        answer = await unit.answer(await peer.offer())
        for changed, reason in (
            ("", unexpected),
            ("v=0\r\nm=x\r\n", RtcReason.MALFORMED_DESCRIPTION),
            (answer.replace("recvonly", "sendrecv"), unexpected),
            (answer.replace("recvonly", "sendonly"), unexpected),
            (answer.replace("VP8", "H264"), unexpected),
            (answer[: answer.rindex("m=")], unexpected),
            (re.sub("a=fingerprint.*\r\n", "", answer), RtcReason.NO_FINGERPRINT),
            (answer.replace("a=mid:1", "a=mid:7"), RtcReason.MALFORMED_DESCRIPTION),
        ):
            assert changed != answer
            with pytest.raises(DescriptionError) as error:
                await peer.accept(changed)
            assert error.value.reason is reason
        await peer.accept(answer)
        await peer.connected()

    tell(story)


def test_who_closes_it_while_it_is_described_has_no_offer() -> None:
    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        closing = asyncio.gather(peer.offer(), peer.close(), return_exceptions=True)
        outcome, _ = await closing
        assert isinstance(outcome, str | WrongState)
        with pytest.raises(WrongState):
            await peer.offer()
        assert unit.sources == {}

    tell(story)


def test_two_cameras_are_two_streams() -> None:
    async def story(peer: PublishingPeer, unit: Publisher) -> None:
        peer.send(Kind.CAMERA, TestPicture(), instance=1)
        assert peer.sending == {(Kind.CAMERA, 1)}
        assert len({*peer.statistics().sent}) == 4
        with pytest.raises(WrongState):
            peer.send(Kind.CAMERA, TestPicture(), instance=2)
        assert unit.sources == {}

    tell(story)


def test_the_unit_is_not_looked_for_on_this_machine_unless_it_is_named() -> None:
    async def story() -> None:
        async with published(loopback=False) as (peer, unit):
            answer = await unit.answer(await peer.offer())
            assert "127.0.0.1" in answer
            await peer.accept(answer)
            remote = peer._connection.webrtc.remoteDescription.sdp
            assert "a=candidate" not in remote

    asyncio.run(story())
