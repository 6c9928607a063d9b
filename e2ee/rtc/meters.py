"""Figures of decoded tracks, taken while they are received: which pictures came, how good they and the sound are."""

from __future__ import annotations

from collections import deque

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from e2ee.rtc.measure import Peak, dominant_frequency, largest_step, luma, psnr, read_number
from e2ee.rtc.picture import picture

__all__ = ["PictureMeter", "ToneMeter", "first_channel", "luma_of"]


class PictureMeter:
    """Watches a video track. ``frames`` counts all pictures; test pictures are read and compared besides."""

    def __init__(self) -> None:
        self.frames = 0
        self.numbers: list[int] = []
        self._psnr: list[float] = []

    async def watch(self, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        try:
            while True:
                self.see(await track.recv())
        except MediaStreamError:
            pass

    def see(self, frame: object) -> None:
        """Take one picture."""
        if not isinstance(frame, VideoFrame):
            return
        self.frames += 1
        plane = luma_of(frame)
        number = read_number(plane)
        if number is not None:
            self.numbers.append(number)
            self._psnr.append(psnr(plane, luma(picture(number))))

    @property
    def psnr(self) -> float | None:
        """The mean over all test pictures, in dB; None without any."""
        return float(np.mean(self._psnr)) if self._psnr else None

    @property
    def largest_gap(self) -> int:
        """The most test pictures that are missing between two that came."""
        return max(0, largest_step(self.numbers) - 1)


class ToneMeter:
    """Listens to an audio track and keeps its last seconds."""

    SECONDS = 3

    def __init__(self) -> None:
        self.frames = 0
        self._rate = 48_000
        self._kept: deque[NDArray[np.int16]] = deque(maxlen=50 * self.SECONDS)

    async def listen(self, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        try:
            while True:
                self.hear(await track.recv())
        except MediaStreamError:
            pass

    def hear(self, frame: object) -> None:
        """Take one frame of sound."""
        if not isinstance(frame, AudioFrame):
            return
        self.frames += 1
        self._rate = frame.sample_rate
        self._kept.append(first_channel(frame))

    def peak(self) -> Peak:
        """The strongest frequency of the last seconds."""
        samples = np.concatenate(self._kept) if self._kept else np.empty(0, np.int16)
        return dominant_frequency(samples, self._rate)


def luma_of(frame: VideoFrame) -> NDArray[np.uint8]:
    """The luma plane of a yuv420p frame, shape (height, width), without copying it."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[: frame.height, : frame.width]


def first_channel(frame: AudioFrame) -> NDArray[np.int16]:
    """The first channel of a packed s16 frame."""
    return np.asarray(frame.to_ndarray()[0, :: len(frame.layout.channels)], np.int16)
