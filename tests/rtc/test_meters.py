"""Figures of tracks: what came, and nothing where nothing came."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.frame import Frame
from av.video.frame import VideoFrame

from e2ee.rtc.measure import IDENTICAL, luma
from e2ee.rtc.meters import PictureMeter, ToneMeter, first_channel, luma_of
from e2ee.rtc.picture import NUMBERS, picture


class Recorded(MediaStreamTrack):
    """A track of frames that are there already."""

    def __init__(self, frames: list[Frame]) -> None:
        super().__init__()
        self._frames = iter(frames)

    async def recv(self) -> Frame:
        frame = next(self._frames, None)
        if frame is None:
            raise MediaStreamError
        return frame


def pictures(*numbers: int) -> list[Frame]:
    return [VideoFrame.from_ndarray(picture(number), "yuv420p") for number in numbers]


def watched(frames: list[Frame]) -> PictureMeter:
    meter = PictureMeter()
    asyncio.run(meter.watch(Recorded(frames)))
    return meter


def test_pictures_are_numbered_compared_and_counted() -> None:
    meter = watched(pictures(NUMBERS - 2, NUMBERS - 1, 0, 4, 5))
    assert meter.frames == 5
    assert meter.numbers == [NUMBERS - 2, NUMBERS - 1, 0, 4, 5]
    assert meter.largest_gap == 3
    assert meter.psnr == IDENTICAL


def test_other_pictures_are_counted_only() -> None:
    grey = VideoFrame.from_ndarray(np.full((360, 320), 128, np.uint8), "yuv420p")
    meter = watched([grey, grey])
    assert (meter.frames, meter.numbers, meter.psnr, meter.largest_gap) == (2, [], None, 0)


def test_a_luma_plane_has_no_padding() -> None:
    frame = VideoFrame.from_ndarray(picture(1), "yuv420p").reformat(100, 76)
    assert frame.planes[0].line_size > 100
    assert luma_of(frame).shape == (76, 100)
    assert np.array_equal(luma_of(VideoFrame.from_ndarray(picture(1), "yuv420p")), luma(picture(1)))


def test_the_last_seconds_of_sound_are_measured() -> None:
    def sound(frequency: int, seconds: int) -> list[Frame]:
        frames: list[Frame] = []
        for number in range(50 * seconds):
            time = (960 * number + np.arange(960)) / 48_000
            left = (8000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
            both = np.stack([left, np.zeros_like(left)], axis=1).reshape(1, -1)
            frame = AudioFrame.from_ndarray(both, "s16", "stereo")
            frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
            frames.append(frame)
        return frames

    meter = ToneMeter()
    asyncio.run(meter.listen(Recorded([*sound(1000, 2), *sound(700, ToneMeter.SECONDS)])))
    assert meter.frames == 250
    assert abs(meter.peak().frequency - 700) < 1


def test_silence_has_no_peak() -> None:
    assert ToneMeter().peak().purity == 0


def test_the_first_channel_is_the_first_of_both() -> None:
    samples = np.arange(8, dtype=np.int16).reshape(1, -1)
    assert list(first_channel(AudioFrame.from_ndarray(samples, "s16", "stereo"))) == [0, 2, 4, 6]
