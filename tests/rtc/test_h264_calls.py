"""Calls whose pictures are H.264, with aiortc's real encoder and decoder, and how two devices come to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from e2ee.media import h264
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.rtc.errors import DescriptionError, RtcReason
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.tap import Tap, examine

Call = Callable[..., AbstractAsyncContextManager[Any]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]

SECOND = 30
H264, VP8 = Codec.H264, Codec.VP8
BOTH_H264 = ((H264,), (H264,))


class Pictures(FrameObserver):
    """Remembers which opened pictures are key frames."""

    def __init__(self) -> None:
        self.is_key_frame: list[bool] = []
        self.codecs: set[Codec] = set()

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if kind is Kind.CAMERA:
            self.codecs.add(frame.codec)
            self.is_key_frame.append(h264.is_key_frame(frame.data))


def see_each_other(*devices: Any, pictures: int = SECOND) -> Callable[[], bool]:
    return lambda: all(len(device.pictures.numbers) >= pictures for device in devices)


@pytest.mark.requirement("CODEC-10", "CODEC-13", "CODEC-14", "FRAME-1")
def test_both_see_each_other_and_nobody_between_them_does(call: Call, until: Until) -> None:
    taps = Tap(), Tap()

    async def story() -> None:
        async with call([taps[0]], [taps[1]], video=BOTH_H264) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(see_each_other(caller, callee, pictures=2 * SECOND))
            for device in (caller, callee):
                assert device.pictures.psnr >= 30
                assert device.pictures.largest_gap == 0
                received = device.peer.statistics().received[Kind.CAMERA]
                assert received.opened == received.frames > 0

    asyncio.run(story())
    for sender, between in (taps, taps[::-1]):
        report = examine(sender.log(), between.log(), H264)
        assert report.frames > 2 * SECOND
        assert report.foreign == 0
        assert report.leaking == 0
        assert report.psnr is None or report.psnr < 12


@pytest.mark.requirement("FRAME-15", "FKEY-16")
def test_what_is_lost_is_made_good_by_a_key_frame(call: Call, until: Until) -> None:
    """One packet in forty is lost, retransmissions too."""
    seen, count = Pictures(), 0

    def loses(datagram: bytes) -> bool:
        nonlocal count
        is_media = 128 <= datagram[0] <= 191
        count += is_media
        return is_media and count % 40 == 0

    async def story() -> None:
        async with call([], [seen], loses, video=BOTH_H264) as (caller, callee):
            caller.apply(2)
            callee.apply(2)
            await until(see_each_other(callee, pictures=2 * SECOND))
            callee.peer.request_key_frame(Kind.CAMERA)
            before = sum(seen.is_key_frame)
            await until(lambda: sum(seen.is_key_frame) > before)
            assert callee.pictures.psnr >= 25

    asyncio.run(story())
    assert seen.is_key_frame[0]
    assert seen.codecs == {H264}


@pytest.mark.requirement("CODEC-7", "CODEC-17")
@pytest.mark.parametrize(
    ("caller_likes", "callee_likes", "chosen"),
    [
        ((H264, VP8), (VP8, H264), H264),
        ((VP8, H264), (H264, VP8), VP8),
        ((H264, VP8), (VP8,), VP8),
        ((VP8,), (H264, VP8), VP8),
    ],
)
def test_the_first_of_the_offer_that_the_callee_may_use_is_used(
    call: Call,
    until: Until,
    caller_likes: Sequence[Codec],
    callee_likes: Sequence[Codec],
    chosen: Codec,
) -> None:
    seen = Pictures(), Pictures()

    async def story() -> None:
        async with call([seen[0]], [seen[1]], video=(caller_likes, callee_likes)) as (one, other):
            one.apply(2)
            other.apply(2)
            await until(see_each_other(one, other, pictures=5))
            offered, answered = (
                [
                    codec.name
                    for section in SessionDescription.parse(device.description).media
                    for codec in section.rtp.codecs
                    if section.kind == "video" and codec.name != "rtx"
                ]
                for device in (one, other)
            )
            assert [*dict.fromkeys(offered)] == list(caller_likes)
            assert set(answered) == {chosen}

    asyncio.run(story())
    assert seen[0].codecs == seen[1].codecs == {chosen}


@pytest.mark.requirement("CODEC-17")
def test_two_devices_without_a_common_codec_do_not_connect(make_device: Any) -> None:
    async def story() -> None:
        caller, callee = make_device(0, video=(H264,)).peer, make_device(1, video=(VP8,)).peer
        try:
            with pytest.raises(DescriptionError) as refused:
                await callee.answer(await caller.offer())
            assert refused.value.reason == RtcReason.UNEXPECTED_MEDIA
        finally:
            await asyncio.gather(caller.close(), callee.close())

    asyncio.run(story())


@pytest.mark.requirement("CODEC-18")
@pytest.mark.parametrize(
    ("said", "instead"),
    [("packetization-mode=1", "packetization-mode=0"), ("42e01f", "640c1f"), ("42e01f", "42001f")],
)
def test_another_h264_is_not_taken_for_the_usual_one(
    make_device: Any, said: str, instead: str
) -> None:
    async def story() -> None:
        caller, callee = make_device(0, video=(H264,)).peer, make_device(1, video=(H264,)).peer
        try:
            offer = await caller.offer()
            assert offer.count("profile-level-id=42e01f") == offer.count("H264/90000") == 2
            with pytest.raises(DescriptionError):
                await callee.answer(offer.replace(said, instead))
        finally:
            await asyncio.gather(caller.close(), callee.close())

    asyncio.run(story())


@pytest.mark.requirement("CODEC-17", "CODEC-18")
@pytest.mark.parametrize(
    ("said", "instead"), [("packetization-mode=1", "packetization-mode=0"), ("42e01f", "640c1f")]
)
def test_behind_another_h264_the_next_codec_is_the_one_that_is_used(
    make_device: Any, said: str, instead: str
) -> None:
    async def story() -> None:
        both = (H264, VP8)
        caller, callee = make_device(0, video=both).peer, make_device(1, video=both).peer
        try:
            offer = await caller.offer()
            answer = await callee.answer(offer.replace(said, instead))
            assert (answer.count("VP8/90000"), answer.count("H264/90000")) == (2, 0)
        finally:
            await asyncio.gather(caller.close(), callee.close())

    asyncio.run(story())


@pytest.mark.requirement("CODEC-17")
def test_a_description_that_is_refused_chooses_nothing(make_device: Any) -> None:
    """Neither an offer nor an answer that names H.264, and has no path: the next one names VP8."""
    both = (H264, VP8)

    async def story() -> None:
        one, other, late = (make_device(leaf, video=both).peer for leaf in (0, 1, 1))
        simple, another = (make_device(leaf, video=(VP8,)).peer for leaf in (0, 1))
        try:
            offer = await one.offer()
            for peer in (other, late):
                with pytest.raises(DescriptionError):
                    await peer.answer(without_a_path(offer))
            own = await late.offer()
            assert (own.count("VP8/90000"), own.count("H264/90000")) == (2, 2)
            answer = await other.answer(await simple.offer())
            assert (answer.count("VP8/90000"), answer.count("H264/90000")) == (2, 0)
            with pytest.raises(DescriptionError):
                await one.accept(without_a_path(offer.replace("a=setup:actpass", "a=setup:active")))
            await one.accept(await another.answer(offer))
        finally:
            await asyncio.gather(*(peer.close() for peer in (one, other, late, simple, another)))

    asyncio.run(story())


def without_a_path(description: str) -> str:
    return re.sub("a=ice-ufrag.*\r\n", "", description)
