"""The only way of a frame between a track and the network, in both directions.

    track -> EncryptingVp8Encoder | EncryptingOpusEncoder -> RTP           (an executor thread)
             encode, FrameProtector.protect, packetise
    RTP -> OpeningJitterBuffer -> FrameOpener.open -> decoder queue -> track        (the event loop)
           SRTP off, padding stripped, RTX unwrapped, reassembled: all before this layer

What aiortc does with exceptions decides the shape of both. One that leaves a jitter buffer closes the whole
transport, one that leaves an encoder ends its sender for good: so nothing leaves. What goes wrong with a frame is
counted, the frame is dropped (a frame that is not protected is not sent, one that does not open is not decoded),
and a key frame repairs the picture: the own encoder makes one, or the peer is asked, at most twice a second.

A frame that opens, at once or later, reaches the decoder by one call (``aiortc_seams.deliver``), never as a
return value of ``add``: frames that waited for their key would otherwise stay late for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aiortc import RTCRtpReceiver
from aiortc.codecs.base import Encoder
from aiortc.rtp import RtpPacket
from av.frame import Frame

from e2ee.aiortc_seams import (
    FrameBuffer,
    ReassembledFrame,
    TransformingOpusEncoder,
    TransformingVp8Encoder,
    deliver,
    filter_key_frame_requests,
    install_frame_buffer,
)
from e2ee.errors import LocalProtocolError, Reason
from e2ee.media.encoded_frame import Codec, OpenedFrame
from e2ee.media.errors import MediaReason
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.observer import NOBODY, FrameObserver

__all__ = [
    "Clock",
    "EncryptingOpusEncoder",
    "EncryptingVp8Encoder",
    "KeyFrameRequests",
    "OpeningJitterBuffer",
    "OutgoingFrames",
    "ReceiveStatistics",
    "ReceivedFrames",
    "SendStatistics",
    "encrypting_encoder",
]

Clock = Callable[[], int]
"""Unix time in milliseconds, which never goes back."""


# ------------------------------------------------------------------------------------------------ sending


@dataclass(frozen=True)
class SendStatistics:
    """What one sender did: frames that it sent, their bytes after protection, and frames that it did not send."""

    frames: int
    bytes: int
    dropped: Mapping[Reason, int]


Encoded = tuple[list[bytes], int]
"""What aiortc's encoders return: payloads of RTP packets, and their timestamp."""

_NOTHING: Encoded = ([], 0)


class OutgoingFrames:
    """The frames of one sender. Everything here runs in the encoder's thread, one frame at a time."""

    def __init__(self, protector: FrameProtector, observer: FrameObserver = NOBODY) -> None:
        self._protector = protector
        self._observer = observer
        self._broken = True
        """The receiver's picture lacks a frame: the next one must not depend on what came before."""
        self._frames = 0
        self._bytes = 0
        self._dropped: Counter[Reason] = Counter()

    @property
    def statistics(self) -> SendStatistics:
        return SendStatistics(self._frames, self._bytes, dict(self._dropped))

    def encode(
        self, encode: Callable[[Frame, bool], Encoded], frame: Frame, key_frame: bool
    ) -> Encoded:
        """Let ``encode`` make a frame, and ``protect`` what comes of it; without a key, let it rest."""
        if not self._protector.ready:
            self._drop(MediaReason.NO_SEND_KEY)
            return _NOTHING
        # FKEY-16; and after a frame that was not sent, the next one cannot depend on it.
        wanted = self._protector.takes_key_frame() or self._broken or key_frame
        self._broken = False
        try:
            encoded = encode(frame, wanted)
        except Exception:  # noqa: BLE001 - whatever a codec raises would end the sender
            self._drop(RtcReason.ENCODER_FAILED)
            return _NOTHING
        if not encoded[0]:
            self._broken = wanted or self._broken
        return encoded

    def protect(self, encoded: bytes) -> bytes | None:
        """The protected frame, or None: nothing may be sent (FRAME-1)."""
        try:
            protected = self._protector.protect(encoded)
        except LocalProtocolError as error:
            self._drop(error.reason)
            return None
        except Exception:  # noqa: BLE001 - it would end the sender
            self._drop(RtcReason.INTERNAL)
            return None
        self._frames += 1
        self._bytes += len(protected)
        self._observer.protected(self._protector.kind, encoded, protected)
        return protected

    def _drop(self, reason: Reason) -> None:
        self._dropped[reason] += 1
        self._broken = True


class EncryptingVp8Encoder(TransformingVp8Encoder):
    """VP8 whose packets carry protected frames, or do not exist."""

    def __init__(self, outgoing: OutgoingFrames) -> None:
        super().__init__(outgoing.protect)
        self._outgoing = outgoing

    def encode(self, frame: Frame, force_keyframe: bool = False) -> Encoded:
        return self._outgoing.encode(super().encode, frame, force_keyframe)


class EncryptingOpusEncoder(TransformingOpusEncoder):
    """Opus whose packets carry protected frames, or do not exist."""

    def __init__(self, outgoing: OutgoingFrames) -> None:
        super().__init__(outgoing.protect)
        self._outgoing = outgoing

    def encode(self, frame: Frame, force_keyframe: bool = False) -> Encoded:
        return self._outgoing.encode(super().encode, frame, force_keyframe)


_ENCODERS: dict[Codec, Callable[[OutgoingFrames], Encoder]] = {
    Codec.VP8: EncryptingVp8Encoder,
    Codec.OPUS: EncryptingOpusEncoder,
}


def encrypting_encoder(codec: Codec, outgoing: OutgoingFrames) -> Encoder:
    """The encoder of a sender."""
    return _ENCODERS[codec](outgoing)


# ---------------------------------------------------------------------------------------------- receiving


@dataclass(frozen=True)
class ReceiveStatistics:
    """What one receiver did. ``held`` frames wait for their key; they are neither opened nor rejected yet."""

    frames: int
    bytes: int
    opened: int
    held: int
    rejected: Mapping[Reason, int]
    key_frame_requests: int


class KeyFrameRequests:
    """Asks for a key frame until one comes, at most twice a second (FRAME-15)."""

    INTERVAL = 500
    """Milliseconds between two requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 0
        self.wanted = False
        self.sent = 0

    def want(self) -> None:
        self.wanted = True

    def satisfied(self) -> None:
        self.wanted = False

    def permit(self) -> bool:
        """Whether a request may be sent now. What is not permitted now is still wanted later."""
        self.wanted = True
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self.INTERVAL
        self.sent += 1
        return True


@dataclass(frozen=True, slots=True)
class _Arrival:
    """How a frame came, which it keeps while it waits for its key."""

    payload_type: int
    timestamp: int
    at: int


class ReceivedFrames:
    """The frames of all receivers of a peer, on their way through its one opener. Belongs to the event loop."""

    def __init__(self, opener: FrameOpener, clock: Clock, observer: FrameObserver = NOBODY) -> None:
        self._opener = opener
        self._clock = clock
        self._observer = observer
        self._buffers: dict[IncomingStream, OpeningJitterBuffer] = {}

    def attach(self, receiver: RTCRtpReceiver, stream: IncomingStream) -> OpeningJitterBuffer:
        """From now on this receiver decodes what the opener opened, and nothing else."""

        requests = KeyFrameRequests(self._clock)

        def around(frames: FrameBuffer) -> OpeningJitterBuffer:
            self._buffers[stream] = OpeningJitterBuffer(frames, receiver, stream, self, requests)
            return self._buffers[stream]

        install_frame_buffer(receiver, around)
        filter_key_frame_requests(receiver, requests.permit)
        return self._buffers[stream]

    def release(self) -> None:
        """After an epoch was installed: frames that waited for their key go to their decoders, in order (FRAME-14)."""
        self._settle(self._opener.release(self._clock()))

    def take(self, buffer: OpeningJitterBuffer, frame: ReassembledFrame) -> None:
        """Open a frame that came, or keep it for a while."""
        now = self._clock()
        self._expire(now)
        self._observer.received(buffer.stream.kind, frame.data, frame.timestamp)
        if not frame.whole:
            buffer.drop(RtcReason.INCOMPLETE)
            return
        arrival = _Arrival(frame.payload_type, frame.timestamp, now)
        outcome = self._opener.open(buffer.stream, frame.data, now, arrival)
        if not isinstance(outcome, Held):
            self._settle([(buffer.stream, arrival, outcome)])

    def _expire(self, now: int) -> None:
        due = self._opener.get_timer()
        if due is not None and now >= due:
            self._settle(self._opener.handle_timer(now))

    def _settle(
        self, outcomes: Sequence[tuple[IncomingStream, object, OpenedFrame | Rejected]]
    ) -> None:
        for stream, context, outcome in outcomes:
            arrival = cast(_Arrival, context)
            buffer = self._buffers[stream]
            if isinstance(outcome, Rejected):  # FRAME-11: no byte of it goes on
                buffer.key_frames.want()
                continue
            buffer.deliver(outcome, arrival)
            self._observer.opened(stream.kind, outcome, arrival.timestamp, arrival.at)


class OpeningJitterBuffer:
    """Stands in for a receiver's jitter buffer: packets go in, opened frames go to the decoder by themselves."""

    def __init__(
        self,
        reassembly: FrameBuffer,
        receiver: RTCRtpReceiver,
        stream: IncomingStream,
        received: ReceivedFrames,
        key_frames: KeyFrameRequests,
    ) -> None:
        self.stream = stream
        self.key_frames = key_frames
        self._reassembly = reassembly
        self._receiver = receiver
        self._received = received
        self._frames = 0
        self._bytes = 0
        self._dropped: Counter[Reason] = Counter()

    @property
    def statistics(self) -> ReceiveStatistics:
        return ReceiveStatistics(
            frames=self._frames,
            bytes=self._bytes,
            opened=self.stream.opened,
            held=self.stream.held_frames,
            rejected=dict(self.stream.rejected) | self._dropped,
            key_frame_requests=self.key_frames.sent,
        )

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take a packet. The first value asks for a key frame; frames are never returned."""
        try:
            lost, frames = self._reassembly.reassemble(packet)
            if lost:
                self.key_frames.want()
            for frame in frames:
                self._frames += 1
                self._bytes += len(frame.data)
                self._received.take(self, frame)
        except Exception:  # noqa: BLE001 - it would close the whole transport
            self.drop(RtcReason.INTERNAL)
        return self.key_frames.wanted and self.stream.codec is Codec.VP8, None

    def deliver(self, frame: OpenedFrame, arrival: _Arrival) -> None:
        """To the decoder."""
        if frame.codec is Codec.VP8 and not frame.data[0] & 1:  # RFC 6386 Section 9.1: a key frame
            self.key_frames.satisfied()
        deliver(self._receiver, arrival.payload_type, frame.data, arrival.timestamp)

    def drop(self, reason: Reason) -> None:
        """Count a frame that never came to the opener."""
        self._dropped[reason] += 1
        self.key_frames.want()
