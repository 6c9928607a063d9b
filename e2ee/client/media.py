"""What a call sends, and how it reaches the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from e2ee.media.codecs import AUDIO
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.rtc.description import CODECS_OF, MEDIA
from e2ee.rtc.errors import WrongState
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.peer import MediaStreamTrack, RTCIceServer

__all__ = ["STREAMS", "Media", "Network", "check_track"]

STREAMS = {Kind.MICROPHONE: Codec.OPUS, Kind.CAMERA: Codec.VP8, Kind.SCREEN_VIDEO: Codec.VP8}
"""The streams that a call has in both directions, with their usual codecs, in the order of their kinds (CODEC-7)."""


def check_track(kind: Kind, track: MediaStreamTrack | None) -> None:
    """Raises WrongState for sound in the place of pictures, or pictures in that of sound."""
    if track is not None and track.kind != MEDIA[STREAMS[kind]]:
        raise WrongState(f"{track.kind} as {kind.name}")


@dataclass(frozen=True)
class Media:
    """A device's share of a call: anything aiortc takes, of each kind or none; ``Call.send`` changes it later.

    What is not sent is received all the same. ``observers`` see this call's frames (a recorder is one). ``video_codecs`` are
    those of pictures, the best first: a one-to-one call has the first one of the offer that both sides name (CODEC-17), a group
    call gets its pictures from here in the first one. Raises WrongState for a track of another kind, and for other codecs.
    """

    camera: MediaStreamTrack | None = None
    microphone: MediaStreamTrack | None = None
    observers: Sequence[FrameObserver] = ()
    screen: MediaStreamTrack | None = None
    video_codecs: Sequence[Codec] = CODECS_OF["video"]

    def __post_init__(self) -> None:
        if not self.video_codecs or not {*self.video_codecs} <= {*CODECS_OF["video"]}:
            raise WrongState(f"pictures in {', '.join(self.video_codecs) or 'no codec'}")
        for kind, track in self.tracks.items():
            check_track(kind, track)

    def codecs(self, kind: Kind) -> tuple[Codec, ...]:
        """What a stream of this kind may be sent with, the best first."""
        return (Codec.OPUS,) if kind in AUDIO else tuple(self.video_codecs)

    @property
    def tracks(self) -> Mapping[Kind, MediaStreamTrack | None]:
        """What is sent, by kind."""
        return {
            Kind.MICROPHONE: self.microphone,
            Kind.CAMERA: self.camera,
            Kind.SCREEN_VIDEO: self.screen,
        }


@dataclass(frozen=True)
class Network:
    """Which paths media may take. ``host_addresses`` None: every address of this machine but loopback's.

    With ``relay_only`` the other side learns no address of this device: all goes through a relay, one of ``ice_servers``
    or of those that the service offers (``service_relays``), and without one there is no path.
    """

    ice_servers: Sequence[RTCIceServer] = field(default_factory=tuple)
    host_addresses: Sequence[str] | None = None
    relay_only: bool = False
    service_relays: bool = True
