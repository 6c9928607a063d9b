"""A client that likes H.264: its one-to-one calls, also over a second connection, and its meetings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from e2ee.client.media import Media
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.rtc.errors import WrongState
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture, Tone
from tests.client.conftest import Platform
from tests.client.test_group_calls import all_leave, joined, online, opened
from tests.client.watching import in_a_call, see, watch

Tell = Callable[..., None]
H264_FIRST = (Codec.H264, Codec.VP8)


class Codecs(FrameObserver):
    """Of which codecs pictures were opened."""

    def __init__(self) -> None:
        self.seen: set[Codec] = set()

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        if kind is Kind.CAMERA:
            self.seen.add(frame.codec)


@pytest.mark.requirement("CODEC-17", "CODEC-13", "CODEC-14")
def test_who_calls_says_what_is_preferred(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        hers, his = Codecs(), Codecs()
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            call, answered = await in_a_call(
                alice,
                bob,
                Media(TestPicture(), Tone(440), [hers], video_codecs=H264_FIRST),
                Media(TestPicture(), Tone(660), [his]),
            )
            await asyncio.gather(watch(call), watch(answered))
            assert hers.seen == his.seen == {Codec.H264}
            for each in (call, answered):
                assert not each.statistics.received[Kind.CAMERA].rejected
            call.hang_up()

    tell(story)


@pytest.mark.requirement("CODEC-9", "GROUP-18")
def test_each_member_of_a_meeting_sends_what_it_likes(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        hers, his = Codecs(), Codecs()
        async with online(platform, "alice", "bob") as (alice, bob):
            media = Media(TestPicture(), Tone(440), [hers], video_codecs=(Codec.H264,))
            call, link = await opened(alice, media)
            bobs = await joined(bob, link, Media(TestPicture(), Tone(660), [his]))
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            assert (hers.seen, his.seen) == ({Codec.VP8}, {Codec.H264})
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.parametrize("codecs", [(), (Codec.VP9,), (Codec.OPUS, Codec.VP8)])
def test_pictures_are_sent_in_what_there_is(codecs: tuple[Codec, ...]) -> None:
    with pytest.raises(WrongState):
        Media(video_codecs=codecs)
