"""One stream of a call, in both directions, over one connection after the other.

Its place in a connection is made in one step, ``attach``: a transceiver without a track, the encoder that encrypts,
the jitter buffer that opens, and only then a track, which yields nothing until there is something to send.
"""

from __future__ import annotations

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from e2ee.aiortc_seams import install_encoder
from e2ee.media.encoded_frame import Codec
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import Clock
from e2ee.rtc.description import MEDIA
from e2ee.rtc.errors import WrongState
from e2ee.rtc.incoming import IncomingFrames, ReceivedFrames
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.outgoing import OutgoingFrames, encrypting_encoder
from e2ee.rtc.tracks import OutgoingTrack, ReceivedTrack

__all__ = ["MediaStream"]


class MediaStream:
    """What is sent and received of one kind. Raises WrongState for two that do not belong together."""

    def __init__(
        self,
        protector: FrameProtector,
        incoming: IncomingStream,
        clock: Clock,
        observer: FrameObserver,
    ) -> None:
        if (incoming.kind, incoming.codec) != (protector.kind, protector.codec):
            raise WrongState(f"{protector.kind.name} with {incoming.kind.name}")
        self.kind, self.codec = protector.kind, protector.codec
        self.outgoing = OutgoingFrames(protector, clock, observer)
        self.incoming = IncomingFrames(incoming, clock)
        self.received = ReceivedTrack(MEDIA[self.codec])
        self._source: OutgoingTrack | None = None
        self._track: MediaStreamTrack | None = None
        self._on_hold = False
        self._withheld = False

    def attach(self, connection: RTCPeerConnection, received: ReceivedFrames) -> RTCRtpTransceiver:
        """Take a place in this connection, and leave the one in another."""
        if self._source is not None:
            self._source.use(None)
        transceiver = connection.addTransceiver(MEDIA[self.codec], "sendrecv")
        encoder = encrypting_encoder(self.codec, self.outgoing)
        install_encoder(transceiver.sender, encoder, self.codec)
        received.attach(transceiver.receiver, self.incoming)
        transceiver.setCodecPreferences(_capabilities(self.codec))
        self._source = OutgoingTrack(MEDIA[self.codec], self.outgoing.begin)
        transceiver.sender.replaceTrack(self._source)
        self._change_source()
        return transceiver

    @property
    def sends(self) -> bool:
        """Whether there is something to send, and it is not on hold."""
        track = self._track
        return track is not None and track.readyState == "live" and not self._on_hold

    def send(self, track: MediaStreamTrack | None) -> None:
        """Send this from now on, and nothing of what was sent before; None: nothing. Raises WrongState."""
        if track is not None and track.kind != MEDIA[self.codec]:
            raise WrongState(f"{track.kind} as {self.kind.name}")
        self._track = track
        self._change_source()

    def hold(self, *, on_hold: bool) -> None:
        """Send and decode nothing, or go on."""
        if on_hold != self._on_hold:
            self._on_hold = on_hold
            self._change_source()
            self._change_sink()

    def withhold(self, *, withheld: bool) -> None:
        """Decode nothing, or go on."""
        self._withheld = withheld
        self._change_sink()

    def end(self) -> None:
        """Stop what is sent and what is received."""
        if self._track is not None:
            self._track.stop()
        self.received.stop()

    def _change_source(self) -> None:
        self.outgoing.stop()  # CODEC-8
        if self._source is not None:
            self._source.use(None if self._on_hold else self._track)

    def _change_sink(self) -> None:
        self.incoming.withhold(withheld=self._on_hold or self._withheld)


def _capabilities(codec: Codec) -> list[RTCRtpCodecCapability]:
    """The codec, and retransmission of it (RTX): nothing else is negotiated (CODEC-5)."""
    names = {codec.lower(), "rtx"}
    offered = RTCRtpSender.getCapabilities(MEDIA[codec]).codecs
    return [each for each in offered if each.mimeType.split("/")[1].lower() in names]
