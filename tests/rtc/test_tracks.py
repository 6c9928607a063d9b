"""The ends of a stream: what is sent changes and ends, what is received goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame

from e2ee.rtc.tracks import OutgoingTrack, ReceivedTrack


class Numbers(MediaStreamTrack):
    """Yields what it is given, when it is given it; None ends it, an exception is raised."""

    kind = "audio"

    def __init__(self, *given: Any) -> None:
        super().__init__()
        self.given: asyncio.Queue[Any] = asyncio.Queue()
        for each in given:
            self.given.put_nowait(each)

    async def recv(self) -> Any:
        given = await self.given.get()
        if given is None:
            raise MediaStreamError
        if isinstance(given, Exception):
            raise given
        return given


class Story:
    """An outgoing track, and at which frames it began anew."""

    def __init__(self) -> None:
        self.begun = 0
        self.track = OutgoingTrack("audio", self._begin)

    def _begin(self) -> None:
        self.begun += 1

    async def reads(self, count: int) -> list[Any]:
        return [await self.track.recv() for _ in range(count)]


def tell(story: Callable[[Story], Awaitable[None]]) -> None:
    async def told() -> None:
        async with asyncio.timeout(30):
            await story(Story())

    asyncio.run(told())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_track_takes_the_place_of_another_that_yields_nothing() -> None:
    async def told(story: Story) -> None:
        story.track.use(Numbers(1, 2))
        assert await story.reads(2) == [1, 2]
        waiting = asyncio.create_task(story.track.recv())
        await settle()
        story.track.use(Numbers(10))
        assert await waiting == 10
        assert story.begun == 2

    tell(told)


def test_without_a_track_nothing_comes_until_there_is_one() -> None:
    async def told(story: Story) -> None:
        waiting = asyncio.create_task(story.track.recv())
        await settle()
        assert not waiting.done()
        assert story.begun == 0
        first = Numbers(1, 2, 3)
        story.track.use(first)
        assert await waiting == 1
        story.track.use(None)
        waiting = asyncio.create_task(story.track.recv())
        await settle()
        assert not waiting.done()
        story.track.use(first)
        assert await waiting == 2
        assert story.begun == 2

    tell(told)


@pytest.mark.parametrize("end", [None, ValueError("broken device")])
def test_a_track_that_ends_does_not_end_the_sender(end: Exception | None) -> None:
    async def told(story: Story) -> None:
        story.track.use(Numbers(1, end))
        assert await story.reads(1) == [1]
        waiting = asyncio.create_task(story.track.recv())
        await settle()
        assert not waiting.done()
        story.track.use(Numbers(2))
        assert await waiting == 2

    tell(told)


def test_a_sender_that_ends_is_not_kept() -> None:
    async def told(story: Story) -> None:
        story.track.use(Numbers())
        for track in (Numbers(), None):
            story.track.use(track)
            waiting = asyncio.create_task(story.track.recv())
            await settle()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        story.track.stop()
        with pytest.raises(MediaStreamError):
            await story.track.recv()

    tell(told)


def sound(pts: int | None) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.zeros((1, 2), np.int16), "s16", "stereo")
    frame.pts, frame.time_base = pts, Fraction(1, 48_000)
    return frame


def test_what_is_received_goes_on_when_its_connection_ends() -> None:
    async def told() -> None:
        track = ReceivedTrack("audio")
        for pts in (0, 960, None, 1920):
            await track.put(sound(pts))
        await track.put(None)
        for pts in (0, 960):
            await track.put(sound(pts))
        stamps = [(await track.recv()).pts for _ in range(6)]
        assert stamps == [0, 960, None, 1920, 1921, 2881]
        waiting = asyncio.create_task(track.recv())
        await settle()
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting
        await track.put(sound(0))
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(told())


def test_who_watches_sees_every_frame_whether_it_is_read_or_not() -> None:
    async def told() -> None:
        track, seen = ReceivedTrack("audio"), list[object]()
        track.watch(seen.append)
        for pts in range(3 * ReceivedTrack.WAITING):
            await track.put(sound(pts))
        track.stop()
        await track.put(sound(0))
        assert len(seen) == 3 * ReceivedTrack.WAITING

    asyncio.run(told())


def test_a_track_that_nobody_reads_keeps_its_newest_frames() -> None:
    async def told() -> None:
        track = ReceivedTrack("audio")
        for pts in range(200):
            await track.put(sound(pts))
        assert (await track.recv()).pts == 200 - ReceivedTrack.WAITING

    asyncio.run(told())
