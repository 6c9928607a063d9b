"""Pictures in H.264 through the unit: who joins sees them from a key frame on, and what a payload shows of that."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import pytest
from aiortc.codecs.h264 import H264Encoder

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.protector import FrameProtector
from e2ee.rtc.publishing import PublishingPeer
from e2ee.rtc.sources import TestPicture
from e2ee.rtc.subscribing import StreamName
from e2ee.sfu.rtp import begins_h264_key_frame
from tests.sfu.conftest import LOOPBACK, STREAMS, clock, codec_of

if TYPE_CHECKING:
    from tests.sfu.conftest import NewMeeting

Until = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]

SPS, PPS, SEI, IDR = (bytes([header]) + bytes(20) for header in (0x67, 0x68, 0x06, 0x65))
SLICE = b"\x41" + bytes(20)


@pytest.mark.requirement("SFU-1", "SFU-4", "SFU-5", "CODEC-9", "GROUP-18")
def test_h264_and_vp8_in_one_meeting(meeting: NewMeeting, until: Until) -> None:
    """One sends H.264 and the other VP8; a third one joins late. An m-section serves a codec after another."""

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, video=Codec.H264)
            two = await call.join(1, 2)
            await until(lambda: one.seen(1) > 10 and two.seen(0) > 10)
            late = await call.join(2, 3, video=Codec.H264)
            await until(lambda: late.seen(0) > 10 and late.seen(1) > 10 and two.seen(2) > 10)
            assert (late.pictures[StreamName(0, Kind.CAMERA)].psnr or 0) > 30
            assert (late.pictures[StreamName(1, Kind.CAMERA)].psnr or 0) > 30
            used = places(two, 0)
            assert used
            await one.leave()
            two.apply(4, {1, 2}, removed={0})
            late.apply(4, {1, 2}, removed={0})
            fourth = await call.join(3, 5, name=b"somebody else")
            await until(lambda: two.seen(3) > 10 and fourth.seen(2) > 10)
            assert places(two, 3) & used

    asyncio.run(story())


@pytest.mark.requirement("SFU-4", "SFU-8", "CODEC-9", "CODEC-18")
def test_a_stream_that_comes_again_in_another_codec_takes_no_other_m_section(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = call.member(0, kinds=())
            former = streams_in(one, Codec.VP8)
            one.apply(1, {0}, added={0})
            await asyncio.gather(one.publish(), one.subscribe())
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 10)
            used, lost = places(two, 0), one.publishing
            for protector in former:
                one.keys.send.close_stream(protector)
            one.publishing, one.video = PublishingPeer(clock, host_addresses=LOOPBACK), Codec.H264
            streams_in(one, Codec.H264)
            await one.publish()
            await asyncio.gather(lost.close(), one.publishing.connected())
            seen = two.seen(0)
            await until(lambda: two.seen(0) > seen + 10)
            assert places(two, 0) == used
            assert profiles(two.offers[-1].description) == {"42e0"}

    asyncio.run(story())


def streams_in(member: Any, video: Codec) -> list[FrameProtector]:
    """All streams of a member, new ones, with pictures in this codec."""
    protectors = [member.keys.send.open_stream(codec_of(kind, video), kind) for kind in STREAMS]
    for protector in protectors:
        member.publishing.add_stream(protector)
    member.publishing.send(Kind.CAMERA, TestPicture())
    return protectors


def profiles(description: str) -> set[str]:
    """Of H.264, as far as the first two bytes say."""
    return set(re.findall(r"profile-level-id=(\w{4})", description))


def places(member: Any, leaf: int) -> set[str]:
    """The m-sections of this leaf's pictures, by the newest offer."""
    mids = {Kind.CAMERA, Kind.SCREEN_VIDEO}
    found = {member.subscribing.mid_of(leaf, kind) for kind in mids}
    return found - {None}


@pytest.mark.requirement("SFU-5", "CODEC-10")
@pytest.mark.parametrize(
    ("units", "begins"),
    [
        ([SPS, PPS, IDR], [True]),
        ([SPS, PPS, SEI, IDR + bytes(2_000)], [True, False, False]),
        ([SPS + bytes(2_000), PPS, IDR], [True, False, False]),
        ([SPS], [True]),
        ([SLICE], [False]),
        ([SLICE + bytes(2_000)], [False, False]),
        ([IDR], [False]),
        ([SEI, SLICE], [False]),
    ],
)
def test_a_key_frame_begins_where_the_parameter_set_is(
    units: list[bytes], begins: list[bool]
) -> None:
    payloads = H264Encoder._packetize(units)
    assert [begins_h264_key_frame(payload) for payload in payloads] == begins


@pytest.mark.parametrize(
    "payload", [b"", b"\x18", b"\x18\0", b"\x18\0\0\0\0", b"\x1c", b"\x1c\x87"]
)
def test_a_payload_that_is_cut_off_is_looked_at_in_vain(payload: bytes) -> None:
    assert begins_h264_key_frame(payload) is (payload == b"\x1c\x87")
