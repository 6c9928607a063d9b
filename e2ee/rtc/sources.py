"""What to send: a moving test picture, a tone, or a file.

All of them are aiortc tracks that yield raw frames in real time, by the event loop's clock, as an encoder takes them
(see ``e2ee.rtc.conversion``). What a camera, a microphone or a screen shows is in ``e2ee.rtc.capture``.

``FileSource`` reads a file by itself, and not through aiortc's MediaPlayer: that one repeats the time stamps of
pictures when it loops, goes by the wall clock, decodes into queues without bound and joins its thread in the
event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE, MediaStreamError
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from e2ee.rtc.conversion import (
    AUDIO_TIME_BASE,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Sound,
    scaled,
)
from e2ee.rtc.errors import NotPlayable
from e2ee.rtc.picture import picture

__all__ = ["FRAME_RATE", "SAMPLE_RATE", "FileSource", "Pace", "TestPicture", "Tone"]

FRAME_RATE = 30
"""Pictures a second of the test picture."""
_LATE = 1.0
_Frame = VideoFrame | AudioFrame


class Pace:
    """Media time against the event loop's clock, from the first frame on.

    A source that is a little late catches up; one that is more than a second late (a suspended machine) goes on
    from where it is.
    """

    def __init__(self) -> None:
        self._start: float | None = None

    async def until(self, media_time: float) -> None:
        """Wait until ``media_time`` seconds after the first frame's."""
        now = asyncio.get_running_loop().time()
        if self._start is None or now - (self._start + media_time) > _LATE:
            self._start = now - media_time
        await asyncio.sleep(max(0.0, self._start + media_time - now))


class _LiveTrack(MediaStreamTrack):
    """A track that makes frame after frame and never ends by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0
        self._pace = Pace()

    async def _turn(self, period: Fraction) -> int:
        """Wait for the next frame's time; its number."""
        if self.readyState != "live":
            raise MediaStreamError
        number, self._next = self._next, self._next + 1
        await self._pace.until(float(number * period))
        return number


class TestPicture(_LiveTrack):
    """The test picture: 640x480, ``rate`` pictures a second, numbered from 0 (see ``e2ee.rtc.picture``)."""

    __test__ = False  # its name is the television's, not a test runner's
    kind = "video"

    def __init__(self, rate: int = FRAME_RATE) -> None:
        super().__init__()
        self.rate = rate

    async def recv(self) -> VideoFrame:
        number = await self._turn(Fraction(1, self.rate))
        frame = VideoFrame.from_ndarray(picture(number), format="yuv420p")
        frame.pts = number * VIDEO_CLOCK_RATE // self.rate
        frame.time_base = VIDEO_TIME_BASE
        return frame


class Tone(_LiveTrack):
    """A sine of ``frequency`` Hz at about a quarter of full scale."""

    kind = "audio"
    AMPLITUDE = 8000

    def __init__(self, frequency: float) -> None:
        super().__init__()
        self.frequency = frequency

    async def recv(self) -> AudioFrame:
        number = await self._turn(Fraction(SAMPLES_PER_FRAME, SAMPLE_RATE))
        first = number * SAMPLES_PER_FRAME
        time = np.arange(first, first + SAMPLES_PER_FRAME) / SAMPLE_RATE
        samples = (self.AMPLITUDE * np.sin(2 * np.pi * self.frequency * time)).astype(np.int16)
        frame = AudioFrame.from_ndarray(np.repeat(samples, 2).reshape(1, -1), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, AUDIO_TIME_BASE
        return frame


class FileSource:
    """The first video and the first audio stream of a file that PyAV opens, in real time.

    ``video`` and ``audio`` are tracks, or None where the file has no such stream. With ``loop`` the file begins
    anew when it ends, else both tracks end. Pictures larger than ``fit`` (width, height) are scaled down to it.
    Only the local file is read, whatever other places it names. Raises NotPlayable. ``close`` lets go of it.
    """

    def __init__(
        self, path: Path, *, loop: bool = False, fit: tuple[int, int] = (640, 480)
    ) -> None:
        self._reader = _FileReader(path, loop=loop, fit=fit)
        pace = Pace()
        kinds = self._reader.kinds
        self.video = _FileTrack("video", self._reader, pace) if "video" in kinds else None
        self.audio = _FileTrack("audio", self._reader, pace) if "audio" in kinds else None

    async def close(self) -> None:
        """End both tracks and close the file."""
        for track in (self.video, self.audio):
            if track is not None:
                track.stop()
        await asyncio.to_thread(self._reader.close)


class _FileTrack(MediaStreamTrack):
    """One stream of a file."""

    def __init__(self, kind: str, reader: _FileReader, pace: Pace) -> None:
        super().__init__()
        self.kind = kind
        self._reader = reader
        self._pace = pace

    async def recv(self) -> _Frame:
        if self.readyState != "live":
            raise MediaStreamError
        frame = await asyncio.to_thread(self._reader.next_frame, self.kind)
        if frame is None:
            self.stop()
            raise MediaStreamError
        await self._pace.until(frame.time or 0.0)
        return frame


class _FileReader:
    """Decodes a file as far as its tracks ask for frames. Its methods block; any thread may call them."""

    KEPT = {"video": 60, "audio": 500}  # noqa: RUF012 - a constant
    """Decoded frames that wait for a track that does not read: the newest, of 2 and 10 seconds."""

    def __init__(self, path: Path, *, loop: bool, fit: tuple[int, int]) -> None:
        with _open(path) as container:
            self.kinds = {stream.type for stream in _media_streams(container)}
        if not self.kinds:
            raise NotPlayable(f"{path.name} has neither pictures nor sound")
        self._path = path
        self._loop = loop
        self._fit = fit
        self._lock = threading.Lock()
        self._waiting = {kind: deque[_Frame](maxlen=kept) for kind, kept in self.KEPT.items()}
        self._frames = self._decode()

    def next_frame(self, kind: str) -> _Frame | None:
        """The next frame of this kind; None after the last one."""
        waiting = self._waiting[kind]
        with self._lock:
            while not waiting:
                frame = next(self._frames, None)
                if frame is None:
                    return None
                self._waiting["video" if isinstance(frame, VideoFrame) else "audio"].append(frame)
            return waiting.popleft()

    def close(self) -> None:
        with self._lock:
            self._frames.close()

    def _decode(self) -> Generator[_Frame, None, None]:
        start, end = 0.0, (yield from self._decode_once(0.0))
        while self._loop and end > start:
            start, end = end, (yield from self._decode_once(end))

    def _decode_once(self, offset: float) -> Generator[_Frame, None, float]:
        """The file's frames from ``offset`` seconds on; returns the time, in seconds, at which they end."""
        end, sound = offset, Sound()
        with (
            _open(self._path) as container,
            contextlib.suppress(av.FFmpegError),
        ):  # damage ends the file
            begin = (container.start_time or 0) / av.time_base
            for frame in container.decode(*_media_streams(container)):
                if not isinstance(frame, VideoFrame | AudioFrame) or frame.time is None:
                    continue
                time = offset + max(0.0, frame.time - begin)
                if isinstance(frame, VideoFrame):
                    end = max(end, time + 1 / FRAME_RATE)
                    yield scaled(frame, time, self._fit)
                else:
                    yield from sound.resampled(frame, time)
                    end = max(end, sound.end)
        return end


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise NotPlayable(f"{path} is not a file")
    try:
        return av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise NotPlayable(f"{path.name}: {error.strerror}") from error


def _media_streams(container: InputContainer) -> list[VideoStream | AudioStream]:
    """The first stream of each kind."""
    return [*container.streams.video[:1], *container.streams.audio[:1]]
