"""What was received, as one playable WebM file: exactly the encoded frames that were opened, none encoded again.

WebM has no H.264: with pictures in it the file is Matroska, of which WebM is a part, and players do not care.

aiortc's MediaRecorder takes decoded frames and encodes them anew, in the event loop: at 640x480 that takes most of
the 33 ms that there are for a picture, and what it records shows the second encoder, not the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from e2ee.media.codecs import CODECS
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.rtc.clock import CLOCK_RATE
from e2ee.rtc.observer import FrameObserver

__all__ = ["Recorder"]

_WRAP = 1 << 32
_ASTRAY = 5
"""Seconds between what a timestamp says and when its frame came: it is another connection's."""


@dataclass
class _Track:
    """RTP timestamps of one stream as media time: it starts when its first frame arrived, and goes on by itself.

    A connection that takes the place of another counts from somewhere else: then it starts again.
    """

    clock_rate: int
    last_timestamp: int
    time: int
    """Of the last frame, in units of the clock, since the recording began."""
    written: int = -1

    def at(self, timestamp: int, arrived: int) -> int:
        """``arrived`` is in units of the clock too."""
        forward = (timestamp - self.last_timestamp + _WRAP // 2) % _WRAP - _WRAP // 2  # it wraps
        self.last_timestamp = timestamp
        self.time += forward
        if abs(self.time - arrived) > _ASTRAY * self.clock_rate:
            self.time = max(arrived, self.written + 1)
        return self.time


class Recorder(FrameObserver):
    """Writes what a peer opens, the microphone and one stream of pictures, to ``path``. ``close`` ends the file.

    The file begins with the first key frame, whose size its header names; sound that came before is kept until
    then (12 kB a second), and a recording without any picture has sound only. With ``picture`` None it begins with the
    first sound. Nothing received: no file.
    """

    def __init__(self, path: Path, picture: Kind | None = Kind.CAMERA) -> None:
        self.path = path
        self._picture = picture
        self._closed = False
        self._began: int | None = None
        self._tracks: dict[Codec, _Track] = {}
        self._early: list[Packet[Stream]] = []
        self._file: _File | None = None

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:
        if self._closed or kind not in (Kind.MICROPHONE, self._picture):
            return
        time = self._time_of(frame.codec, timestamp, arrived)
        if time is None:
            return
        if self._file is None and kind is self._picture:
            if frame.codec not in _PICTURES or not CODECS[frame.codec].begins(frame.data):
                return
            self._file = self._begin(frame)
            if self._file is None:
                return
        if self._file is None and self._picture is None:
            self._file = self._begin(None)
        packet = _packet(frame, time)
        if self._file is None:
            self._early.append(packet)
        else:
            self._file.write(frame.codec, packet)

    def close(self) -> None:
        """Write what is left, and end the file."""
        self._closed = True
        if self._file is None and self._early:
            self._file = self._begin(None)
        if self._file is not None:
            self._file.container.close()
            self._file = None

    def _time_of(self, codec: Codec, timestamp: int, arrived: int) -> int | None:
        """The frame's media time; None for one that is not after the last one."""
        if self._began is None:
            self._began = arrived
        rate = CLOCK_RATE[codec]
        came = (arrived - self._began) * rate // 1_000
        track = self._tracks.setdefault(codec, _Track(rate, timestamp, came))
        time = track.at(timestamp, came)
        if time <= track.written:
            return None
        track.written = time
        return time

    def _begin(self, key_frame: OpenedFrame | None) -> _File | None:
        """None if ``key_frame`` does not say what a file's header needs: its sender made it so, and the next may say it."""
        try:
            file = _File(self.path, key_frame)
        except (ValueError, IndexError):  # libav's errors of data and of arguments; no stream in it
            self.path.unlink(missing_ok=True)
            return None
        for packet in self._early:
            file.write(Codec.OPUS, packet)
        self._early.clear()
        return file


class _File:
    """A file with its streams. Its pictures are as ``key_frame`` says; None: sound only."""

    def __init__(self, path: Path, key_frame: OpenedFrame | None) -> None:
        is_h264 = key_frame is not None and key_frame.codec is Codec.H264
        self.container = av.open(str(path), "w", format="matroska" if is_h264 else "webm")
        self._streams: dict[Codec, Stream] = {}
        try:
            if key_frame is not None:
                add = _PICTURES[key_frame.codec]
                self._streams[key_frame.codec] = add(self.container, key_frame.data)
            # An encoder's stream, for the OpusHead that its header has; it encodes nothing.
            self._streams[Codec.OPUS] = self.container.add_stream("libopus", rate=48_000)
            self.container.start_encoding()
        except Exception:
            self.container.close()
            raise

    def write(self, codec: Codec, packet: Packet[Stream]) -> None:
        stream = self._streams.get(codec)
        if stream is not None:  # else the file began with another codec
            packet.stream = stream
            self.container.mux_one(packet)


def _packet(frame: OpenedFrame, time: int) -> Packet[Stream]:
    packet: Packet[Stream] = Packet(frame.data)
    packet.pts = packet.dts = time
    packet.time_base = Fraction(1, CLOCK_RATE[frame.codec])
    packet.is_keyframe = CODECS[frame.codec].begins(frame.data)
    return packet


def _add_vp8(container: OutputContainer, key_frame: bytes) -> Stream:
    width, height = _dimensions(key_frame)
    return container.add_mux_stream("vp8", width=width, height=height)


def _add_h264(container: OutputContainer, key_frame: bytes) -> Stream:
    """The header needs the parameter sets: libav finds them in the frame, as in a file of it."""
    with av.open(BytesIO(key_frame), format="h264") as alone:
        return container.add_stream_from_template(alone.streams.video[0])


_PICTURES: Mapping[Codec, Callable[[OutputContainer, bytes], Stream]] = {
    Codec.VP8: _add_vp8,
    Codec.H264: _add_h264,
}


def _dimensions(key_frame: bytes) -> tuple[int, int]:
    """RFC 6386 Section 9.1: two little-endian 16-bit fields after the start code, 14 bits each of size."""
    return (
        int.from_bytes(key_frame[6:8], "little") & 0x3FFF,
        int.from_bytes(key_frame[8:10], "little") & 0x3FFF,
    )
