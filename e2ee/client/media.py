"""What a call sends, and how it reaches the other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import MediaStreamTrack, RTCIceServer

__all__ = ["STREAMS", "Media", "Network"]

STREAMS = {Kind.MICROPHONE: Codec.OPUS, Kind.CAMERA: Codec.VP8}
"""The streams that a call has in both directions, with their codecs."""


@dataclass(frozen=True)
class Media:
    """A device's share of a call: anything aiortc takes, of each kind or none.

    What is not sent is received all the same. ``observers`` see this call's frames (a recorder is one).
    """

    camera: MediaStreamTrack | None = None
    microphone: MediaStreamTrack | None = None
    observers: Sequence[FrameObserver] = ()

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is sent of this kind."""
        return {Kind.CAMERA: self.camera, Kind.MICROPHONE: self.microphone}[kind]


@dataclass(frozen=True)
class Network:
    """Which paths media may take. ``host_addresses`` None: every address of this machine but loopback's."""

    ice_servers: Sequence[RTCIceServer] = field(default_factory=tuple)
    host_addresses: Sequence[str] | None = None
