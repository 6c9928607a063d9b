"""Pictures and sound as the encoders of a call take them, whatever they come from.

Pictures have time stamps of 1/90000 s. Sound is 48 kHz stereo in frames of 20 ms: an Opus encoder of aiortc needs
exactly these.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

__all__ = ["AUDIO_TIME_BASE", "SAMPLES_PER_FRAME", "SAMPLE_RATE", "Sound", "scaled"]

SAMPLE_RATE = 48_000
SAMPLES_PER_FRAME = SAMPLE_RATE // 50
AUDIO_TIME_BASE = Fraction(1, SAMPLE_RATE)


def scaled(frame: VideoFrame, time: float, fit: tuple[int, int]) -> VideoFrame:
    """A picture at ``time`` seconds, scaled down to fit into ``fit`` (width, height), in even numbers."""
    scale = min(1.0, fit[0] / frame.width, fit[1] / frame.height)
    width, height = (max(2, int(side * scale) & ~1) for side in (frame.width, frame.height))
    picture = frame.reformat(width=width, height=height, format="yuv420p")
    picture.pts, picture.time_base = round(time * VIDEO_CLOCK_RATE), VIDEO_TIME_BASE
    return picture


class Sound:
    """Any sound as 48 kHz stereo frames of 20 ms, with time stamps that go on from the first one's."""

    def __init__(self) -> None:
        self._resampler = AudioResampler("s16", "stereo", SAMPLE_RATE, SAMPLES_PER_FRAME)
        self._next: int | None = None

    @property
    def end(self) -> float:
        """When it ends so far, in seconds."""
        return (self._next or 0) / SAMPLE_RATE

    def resampled(self, frame: AudioFrame, time: float) -> Iterator[AudioFrame]:
        """The frames that are complete with this one, which is at ``time`` seconds if it is the first."""
        if self._next is None:
            self._next = round(time * SAMPLE_RATE)
        for resampled in self._resampler.resample(frame):
            resampled.pts, resampled.time_base = self._next, AUDIO_TIME_BASE
            self._next += resampled.samples
            yield resampled
