"""One stream of a call, over one connection after the other: what is sent, what is received, or both.

Its place in a connection is made in one step, ``attach``: a transceiver without a track, the encoder that encrypts, or the
jitter buffer that opens, or both, and only then a track, which yields nothing until there is something to send.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiortc import (
    MediaStreamTrack,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from e2ee.aiortc_seams import install_encoder
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import Clock
from e2ee.rtc.description import MEDIA
from e2ee.rtc.errors import WrongState
from e2ee.rtc.incoming import IncomingFrames, OpeningJitterBuffer, ReceivedFrames
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.outgoing import OutgoingFrames, encrypting_encoder
from e2ee.rtc.tracks import OutgoingTrack, ReceivedTrack
from e2ee.session_description import is_baseline_h264

__all__ = ["MediaStream", "ReceivedStream", "SentStream", "new_transceiver", "prefer"]


def new_transceiver(
    connection: RTCPeerConnection, codecs: Sequence[Codec], direction: str
) -> RTCRtpTransceiver:
    """An m-section more. These codecs, the first one preferred, and retransmission (RTX): nothing else is negotiated (CODEC-5)."""
    transceiver = connection.addTransceiver(MEDIA[codecs[0]], direction)
    prefer(transceiver, codecs)
    return transceiver


def prefer(transceiver: RTCRtpTransceiver, codecs: Sequence[Codec]) -> None:
    """The next description is for these codecs and RTX, the first one preferred."""
    transceiver.setCodecPreferences(_capabilities(codecs))


class SentStream:
    """What is sent of one kind."""

    def __init__(self, protector: FrameProtector, clock: Clock, observer: FrameObserver) -> None:
        self.kind: Kind = protector.kind
        self.codec: Codec = protector.codec
        self.frames = OutgoingFrames(protector, clock, observer)
        self._sender: RTCRtpSender | None = None
        self._source: OutgoingTrack | None = None
        self._track: MediaStreamTrack | None = None
        self._on_hold = False

    def choose(self, codec: Codec) -> None:
        """What is sent is of this codec. Before anything is."""
        if codec is self.codec:
            return
        self.frames.protector.choose(codec)
        self.codec = codec
        if self._sender is not None:
            install_encoder(self._sender, encrypting_encoder(codec, self.frames), codec)

    def attach(self, sender: RTCRtpSender) -> None:
        """Take a place in a connection, where nothing was sent yet, and leave the one in another."""
        if self._source is not None:
            self._source.use(None)
        install_encoder(sender, encrypting_encoder(self.codec, self.frames), self.codec)
        self._sender = sender
        self._source = OutgoingTrack(MEDIA[self.codec], self.frames.begin)
        sender.replaceTrack(self._source)
        self._change_source()

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
        """Send nothing, or go on."""
        if on_hold != self._on_hold:
            self._on_hold = on_hold
            self._change_source()

    def end(self) -> None:
        """Stop what is sent."""
        if self._track is not None:
            self._track.stop()

    def _change_source(self) -> None:
        self.frames.stop()  # CODEC-8
        if self._source is not None:
            self._source.use(None if self._on_hold else self._track)


class ReceivedStream:
    """What is received of one kind."""

    def __init__(self, incoming: IncomingStream, clock: Clock) -> None:
        self.frames = IncomingFrames(incoming, clock)
        self.track = ReceivedTrack(MEDIA[incoming.codec])
        self._on_hold = False
        self._withheld = False

    @property
    def codec(self) -> Codec:
        """What comes."""
        return self.frames.stream.codec

    def choose(self, codec: Codec) -> None:
        """What comes from now on is of this codec. Raises BadStream."""
        self.frames.stream.choose(codec)

    def attach(self, receiver: RTCRtpReceiver, received: ReceivedFrames) -> OpeningJitterBuffer:
        """Take a place in a connection; gives the buffer that opens there."""
        return received.attach(receiver, self.frames)

    def hold(self, *, on_hold: bool) -> None:
        """Decode nothing, or go on."""
        if on_hold != self._on_hold:
            self._on_hold = on_hold
            self._change_sink()

    def withhold(self, *, withheld: bool) -> None:
        """Decode nothing, or go on, except on hold."""
        self._withheld = withheld
        self._change_sink()

    def end(self) -> None:
        """Stop what is received."""
        self.track.stop()

    def _change_sink(self) -> None:
        self.frames.withhold(withheld=self._on_hold or self._withheld)


class MediaStream:
    """Both halves of one kind. Raises WrongState for two that do not belong together."""

    def __init__(
        self,
        protector: FrameProtector,
        incoming: IncomingStream,
        clock: Clock,
        observer: FrameObserver,
        codecs: Sequence[Codec] = (),
    ) -> None:
        if (incoming.kind, incoming.codec) != (protector.kind, protector.codec):
            raise WrongState(f"{protector.kind.name} with {incoming.kind.name}")
        self.kind = protector.kind
        self.codecs = tuple(codecs) or (protector.codec,)
        """What it may be sent with, the preferred one first; after the descriptions what it is sent with."""
        self.sent = SentStream(protector, clock, observer)
        self.received = ReceivedStream(incoming, clock)

    def attach(self, connection: RTCPeerConnection, received: ReceivedFrames) -> RTCRtpTransceiver:
        """Take a place in this connection, and leave the one in another."""
        transceiver = new_transceiver(connection, self.codecs, "sendrecv")
        self.received.attach(transceiver.receiver, received)
        self.sent.attach(transceiver.sender)
        return transceiver

    def choose(self, codec: Codec) -> None:
        """Both sides use this codec from now on (CODEC-17)."""
        self.codecs = (codec,)
        self.sent.choose(codec)
        self.received.choose(codec)

    def hold(self, *, on_hold: bool) -> None:
        """Send and decode nothing, or go on."""
        self.sent.hold(on_hold=on_hold)
        self.received.hold(on_hold=on_hold)

    def end(self) -> None:
        """Stop what is sent and what is received."""
        self.sent.end()
        self.received.end()


def _capabilities(codecs: Sequence[Codec]) -> list[RTCRtpCodecCapability]:
    there = RTCRtpSender.getCapabilities(MEDIA[codecs[0]]).codecs
    names = [*(codec.lower() for codec in codecs), "rtx"]
    return [each for name in names for each in there if _name(each) == name and _is_usual(each)]


def _is_usual(capability: RTCRtpCodecCapability) -> bool:
    return _name(capability) != "h264" or is_baseline_h264(capability.parameters)


def _name(capability: RTCRtpCodecCapability) -> str:
    return capability.mimeType.split("/")[1].lower()
