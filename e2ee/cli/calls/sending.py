"""What a call sends: camera, microphone and screen, a file, or test sources; each can be switched off and on.

A device is opened when it is first to be sent and let go of when it is switched off, so that its light goes out. What is
not named and not there is not sent, and that is said; what is named and not there ends the command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from e2ee.call.sent_media import SentMedia
from e2ee.cli.calls.options import MediaOptions
from e2ee.cli.calls.output import Output
from e2ee.client.media import Media
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.capture import CapturedTrack, Device, camera, capture, microphone, screen
from e2ee.rtc.errors import DeviceUnavailable
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import MediaStreamTrack
from e2ee.rtc.sources import FileSource, TestPicture, Tone

__all__ = ["Sending"]

_CAMERA = "/dev/video0"
_FREQUENCY = 440.0

_NAMES: Mapping[Kind, str] = {
    Kind.MICROPHONE: "microphone",
    Kind.CAMERA: "camera",
    Kind.SCREEN_VIDEO: "screen",
}


class Sends(Protocol):
    """A call of either sort."""

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` from now on; None: nothing."""


class Sending:
    """See the module. Belongs to one call. Making it may raise DeviceUnavailable, NotPlayable."""

    def __init__(self, options: MediaOptions, output: Output) -> None:
        self._options = options
        self._output = output
        self._file = FileSource(options.file, loop=True) if options.file else None
        self._lasting = self._sources()
        """What is not let go of when it is switched off."""
        self._tracks: dict[Kind, MediaStreamTrack] = {}
        wanted = {
            Kind.MICROPHONE: not options.mute,
            Kind.CAMERA: options.picture,
            Kind.SCREEN_VIDEO: options.screen is not None,
        }
        for kind in (kind for kind, on in wanted.items() if on):
            self._open(kind)

    def is_sent(self, kind: Kind) -> bool:
        """Whether it is switched on."""
        return kind in self._tracks

    @property
    def now(self) -> SentMedia:
        """What is sent, unless the call is on hold."""
        kinds = (Kind.MICROPHONE, Kind.CAMERA, Kind.SCREEN_VIDEO)
        return SentMedia(*(kind in self._tracks for kind in kinds))

    def media(self, observers: Sequence[FrameObserver]) -> Media:
        """For the call's beginning."""
        return Media(
            self._tracks.get(Kind.CAMERA),
            self._tracks.get(Kind.MICROPHONE),
            observers,
            self._tracks.get(Kind.SCREEN_VIDEO),
        )

    def toggle(self, call: Sends, kind: Kind) -> None:
        """Switch it off, or on."""
        track = self._tracks.pop(kind, None)
        if track is None:
            self._open(kind)
        call.send(kind, self._tracks.get(kind))
        if isinstance(track, CapturedTrack):
            track.stop()

    async def close(self) -> None:
        """Let go of everything."""
        for track in self._tracks.values():
            track.stop()
            if isinstance(track, CapturedTrack):
                await track.closed()
        if self._file is not None:
            await self._file.close()

    def _sources(self) -> dict[Kind, MediaStreamTrack | None]:
        if self._file is not None:
            return {Kind.MICROPHONE: self._file.audio, Kind.CAMERA: self._file.video}
        if self._options.test:
            return {Kind.MICROPHONE: Tone(_FREQUENCY), Kind.CAMERA: TestPicture()}
        return {}

    def _open(self, kind: Kind) -> None:
        named, device = _DEVICES[kind](self._options)
        if kind in self._lasting and not named:
            if (track := self._lasting[kind]) is not None:
                self._tracks[kind] = track
            return
        try:
            self._tracks[kind] = capture(device)
        except DeviceUnavailable as error:
            if named:
                raise
            name = _NAMES[kind]
            text = f"no {name} is sent ({error.reason.lower().replace('_', ' ')}: {device.name})"
            self._output.tell("not_sent", text, kind=name, reason=error.reason)


def _camera(options: MediaOptions) -> tuple[bool, Device]:
    return options.camera is not None, camera(options.camera or _CAMERA)


def _microphone(options: MediaOptions) -> tuple[bool, Device]:
    return options.microphone is not None, microphone(options.microphone or "default")


def _screen(options: MediaOptions) -> tuple[bool, Device]:
    named = options.screen or os.environ.get("DISPLAY") or ":0.0"
    return options.screen is not None, screen(named)


_DEVICES: Mapping[Kind, Callable[[MediaOptions], tuple[bool, Device]]] = {
    Kind.MICROPHONE: _microphone,
    Kind.CAMERA: _camera,
    Kind.SCREEN_VIDEO: _screen,
}
"""Whether the person named it, and which device it is."""
