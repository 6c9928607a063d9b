"""What a camera, a microphone or a screen shows, as a track: by PyAV, through v4l2, ALSA and X11 (Linux).

    track = capture(camera("/dev/video0"))        raises DeviceUnavailable
    peer.send(Kind.CAMERA, track)
    track.stop()                                  lets go of the device: its light goes out

A device is read by a thread of its own from the first moment to ``stop``, whether anybody reads the track or not, and
the track has only the newest frames: one that is read again after a while does not begin with what was there before.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame

from e2ee.rtc.alsa import use_system_alsa
from e2ee.rtc.conversion import Sound, scaled
from e2ee.rtc.errors import DeviceUnavailable, RtcReason

__all__ = ["CapturedTrack", "Device", "camera", "capture", "microphone", "reason_of", "screen"]

_log = logging.getLogger(__name__)
_Frame = VideoFrame | AudioFrame


@dataclass(frozen=True)
class Device:
    """A device as libavdevice names it: an input format, a name, and options. Raw pictures are scaled down to ``fit``."""

    format: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    fit: tuple[int, int] = (640, 480)


def camera(name: str = "/dev/video0") -> Device:
    """A camera of Video4Linux, by its path, in the call's size if it has that."""
    return Device("v4l2", name, {"video_size": "640x480", "framerate": "30"})


def microphone(name: str = "default") -> Device:
    """A PCM device of ALSA: "default", "plughw:1,0" and so on (``arecord -L`` lists them)."""
    return Device("alsa", name, {"sample_rate": "48000", "channels": "2"})


def screen(name: str = ":0.0") -> Device:
    """A screen of X11, by its display."""
    return Device("x11grab", name, {"framerate": "15"}, fit=(1280, 960))


def capture(device: Device) -> CapturedTrack:
    """A track of what ``device`` captures. Raises DeviceUnavailable. Opening may block, up to a second.

    To be called, and read, in one event loop.
    """
    if device.format == "alsa":
        use_system_alsa()
    try:
        container = av.open(device.name, format=device.format, options=dict(device.options))
    except (av.FFmpegError, ValueError) as error:
        raise DeviceUnavailable(reason_of(error), f"{device.format} {device.name}") from error
    return CapturedTrack(container, device)


_REASONS: Mapping[int | None, RtcReason] = MappingProxyType(
    {
        errno.EBUSY: RtcReason.DEVICE_BUSY,
        errno.EACCES: RtcReason.DEVICE_FORBIDDEN,
        errno.EPERM: RtcReason.DEVICE_FORBIDDEN,
    }
)


def reason_of(error: Exception) -> RtcReason:
    """Why a device could not be opened, as far as that is known (ALSA and X11 only say that it failed)."""
    return _REASONS.get(getattr(error, "errno", None), RtcReason.NO_DEVICE)


class CapturedTrack(MediaStreamTrack):
    """The newest frames of a device. It ends when the device does (somebody pulls the plug), or by ``stop``."""

    WAITING = 10
    """Frames that wait for a reader: 0.2 s of sound, 0.3 s of pictures."""

    def __init__(self, container: InputContainer, device: Device) -> None:
        super().__init__()
        self.kind = "video" if container.streams.video else "audio"
        self._container = container
        self._device = device
        self._home = asyncio.get_running_loop()
        self._frames: deque[_Frame] = deque(maxlen=self.WAITING)
        self._came = asyncio.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._capture, name=f"capture {device.name}", daemon=True
        )
        self._thread.start()

    async def recv(self) -> _Frame:
        """The oldest frame that waits, or the next one. Raises MediaStreamError after the end."""
        while not self._frames:
            if self.readyState != "live":
                raise MediaStreamError
            self._came.clear()
            await self._came.wait()
        return self._frames.popleft()

    def stop(self) -> None:
        """Let go of the device, as soon as it has yielded one more frame."""
        super().stop()
        self._stopped.set()
        self._frames.clear()
        self._came.set()

    async def closed(self) -> None:
        """Wait until the device is let go of."""
        await asyncio.to_thread(self._thread.join)

    def _capture(self) -> None:
        """In its thread: decode, convert, hand over."""
        try:
            with self._container:
                for frame in self._converted():
                    if self._stopped.is_set():
                        return
                    self._home.call_soon_threadsafe(self._take, frame)
            self._home.call_soon_threadsafe(self.stop)
        except RuntimeError:
            pass  # the event loop is closed: nobody reads any more

    def _converted(self) -> Iterator[_Frame]:
        begin, sound = None, Sound()
        stream = (self._container.streams.video or self._container.streams.audio)[0]
        try:
            for frame in self._container.decode(stream):
                if not isinstance(frame, VideoFrame | AudioFrame):
                    continue
                if begin is None:
                    begin = frame.time or 0.0
                time = max(0.0, (frame.time or 0.0) - begin)
                if isinstance(frame, VideoFrame):
                    yield scaled(frame, time, self._device.fit)
                else:
                    yield from sound.resampled(frame, time)
        except av.FFmpegError as error:
            _log.warning("%s %s ended: %s", self._device.format, self._device.name, error.strerror)

    def _take(self, frame: _Frame) -> None:
        if self.readyState == "live":
            self._frames.append(frame)
            self._came.set()
