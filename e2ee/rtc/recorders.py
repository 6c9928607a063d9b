"""What was received, as one playable WebM file: exactly the encoded frames that were opened, none encoded again.

aiortc's MediaRecorder takes decoded frames and encodes them anew, in the event loop: at 640x480 that takes most of
the 33 ms that there are for a picture, and what it records shows the second encoder, not the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream

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
        if self._file is None and frame.codec is Codec.VP8:
            if not _is_key_frame(frame.data):
                return
            self._file = self._begin(_dimensions(frame.data))
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

    def _begin(self, size: tuple[int, int] | None) -> _File:
        file = _File(self.path, size)
        for packet in self._early:
            file.write(Codec.OPUS, packet)
        self._early.clear()
        return file


class _File:
    """A WebM file with its streams; ``size`` (width, height) is None for sound only."""

    def __init__(self, path: Path, size: tuple[int, int] | None) -> None:
        self.container = av.open(str(path), "w", format="webm")
        self._streams: dict[Codec, Stream] = {}
        if size is not None:
            width, height = size
            self._streams[Codec.VP8] = self.container.add_mux_stream(
                "vp8", width=width, height=height
            )
        # An encoder's stream, for the OpusHead that its header has; it encodes nothing.
        self._streams[Codec.OPUS] = self.container.add_stream("libopus", rate=48_000)

    def write(self, codec: Codec, packet: Packet[Stream]) -> None:
        packet.stream = self._streams[codec]
        self.container.mux_one(packet)


def _packet(frame: OpenedFrame, time: int) -> Packet[Stream]:
    packet: Packet[Stream] = Packet(frame.data)
    packet.pts = packet.dts = time
    packet.time_base = Fraction(1, CLOCK_RATE[frame.codec])
    packet.is_keyframe = frame.codec is Codec.OPUS or _is_key_frame(frame.data)
    return packet


def _is_key_frame(frame: bytes) -> bool:
    """RFC 6386 Section 9.1: the first bit is 0 in key frames."""
    return len(frame) >= 10 and not frame[0] & 1


def _dimensions(key_frame: bytes) -> tuple[int, int]:
    """RFC 6386 Section 9.1: two little-endian 16-bit fields after the start code, 14 bits each of size."""
    return (
        int.from_bytes(key_frame[6:8], "little") & 0x3FFF,
        int.from_bytes(key_frame[8:10], "little") & 0x3FFF,
    )
