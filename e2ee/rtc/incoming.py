"""The way of a frame from the network to a decoder.

    RTP -> OpeningJitterBuffer -> FrameOpener.open -> decoder queue -> ReceivedTrack        (the event loop)
           SRTP off, padding stripped, RTX unwrapped, reassembled: all before this layer

An exception that leaves a jitter buffer closes aiortc's whole transport: so none does. What goes wrong with a frame
is counted, a frame that does not open is not decoded, and a key frame repairs the picture: the peer is asked, at most
twice a second.

A frame that opens, at once or later, reaches the decoder by one call (``aiortc_seams.deliver``), never as a
return value of ``add``: frames that waited for their key would otherwise stay late for good.

``IncomingFrames`` is a stream, which goes on over one connection after the other; ``OpeningJitterBuffer`` is its place
in one of them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from e2ee.aiortc_seams import (
    FrameBuffer,
    ReassembledFrame,
    deliver,
    filter_key_frame_requests,
    install_frame_buffer,
    persist_in_nacks,
)
from e2ee.errors import Reason
from e2ee.media.codecs import CODECS, VIDEO
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.rtc.clock import Clock
from e2ee.rtc.concealment import Concealment
from e2ee.rtc.errors import RtcReason
from e2ee.rtc.observer import NOBODY, FrameObserver

__all__ = [
    "IncomingFrames",
    "KeyFrameRequests",
    "OpeningJitterBuffer",
    "ReceiveStatistics",
    "ReceivedFrames",
]


@dataclass(frozen=True)
class ReceiveStatistics:
    """What one stream received.

    ``held`` frames wait for their key; they are neither opened nor rejected yet. ``withheld`` ones were opened and not
    decoded. ``concealed`` ones were lost on the way, and the decoder made something up for them. ``opening`` is the CPU
    time, in seconds, that opening took.
    """

    frames: int
    bytes: int
    opened: int
    held: int
    rejected: Mapping[Reason, int]
    withheld: int
    concealed: int
    key_frame_requests: int
    opening: float


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


class IncomingFrames:
    """The frames that one stream receives, over one connection after the other."""

    def __init__(self, stream: IncomingStream, clock: Clock) -> None:
        self.stream = stream
        self.key_frames = KeyFrameRequests(clock)
        self._withheld = False
        self._begins = True
        """The decoder lacks what came before: the next picture must not depend on it."""
        self._concealment = Concealment()
        self._counts: Counter[str] = Counter()
        self._dropped: Counter[Reason] = Counter()
        self._opening = 0

    @property
    def statistics(self) -> ReceiveStatistics:
        """What was received so far."""
        counts = self._counts
        return ReceiveStatistics(
            frames=counts["frames"],
            bytes=counts["bytes"],
            opened=self.stream.opened,
            held=self.stream.held_frames,
            rejected=dict(self.stream.rejected) | self._dropped,
            withheld=counts["withheld"],
            concealed=counts["concealed"],
            key_frame_requests=self.key_frames.sent,
            opening=self._opening / 1e9,
        )

    def withhold(self, *, withheld: bool) -> None:
        """Whether what is opened is kept from the decoder. What comes after that begins with a key frame."""
        if self._withheld and not withheld:
            self._concealment.restart()
            self._begins = True
            self.key_frames.want()
        self._withheld = withheld

    @property
    def shown(self) -> bool:
        """Whether what is opened is decoded."""
        return not self._withheld

    def arrived(self, size: int) -> None:
        """Count a frame of ``size`` bytes that came."""
        self._counts["frames"] += 1
        self._counts["bytes"] += size

    def took(self, nanoseconds: int) -> None:
        """Count what it took to open one."""
        self._opening += nanoseconds

    def drop(self, reason: Reason) -> None:
        """Count a frame that never came to the opener."""
        self._dropped[reason] += 1
        self.key_frames.want()

    def connected_anew(self) -> None:
        """From now on the frames come over another connection, with other timestamps, and go to another decoder."""
        self._concealment.restart()
        self._begins = True

    def deliver(self, frame: OpenedFrame, receiver: RTCRtpReceiver, arrival: Arrival) -> None:
        """To the decoder of this receiver."""
        if CODECS[frame.codec].begins(frame.data):
            self.key_frames.satisfied()
            self._begins = self._withheld
        if self._withheld or self._begins:
            self._counts["withheld"] += 1
            if not self._withheld:
                self.key_frames.want()
            return
        for packet, timestamp in self._concealment.before(frame, arrival.timestamp):
            self._counts["concealed"] += 1
            deliver(receiver, arrival.payload_type, packet, timestamp)
        deliver(receiver, arrival.payload_type, frame.data, arrival.timestamp)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a frame came, which it keeps while it waits for its key."""

    buffer: OpeningJitterBuffer
    payload_type: int
    timestamp: int
    at: int


class ReceivedFrames:
    """The frames of all receivers of a peer, on their way through its one opener. Belongs to the event loop."""

    def __init__(self, opener: FrameOpener, clock: Clock, observer: FrameObserver = NOBODY) -> None:
        self._opener = opener
        self._clock = clock
        self._observer = observer

    def attach(self, receiver: RTCRtpReceiver, incoming: IncomingFrames) -> OpeningJitterBuffer:
        """From now on this receiver decodes what the opener opened, and nothing else."""
        buffers: list[OpeningJitterBuffer] = []

        def around(frames: FrameBuffer) -> OpeningJitterBuffer:
            buffers.append(OpeningJitterBuffer(frames, receiver, incoming, self))
            return buffers[0]

        incoming.connected_anew()
        install_frame_buffer(receiver, around)
        filter_key_frame_requests(receiver, incoming.key_frames.permit)
        persist_in_nacks(receiver, self._clock)
        return buffers[0]

    def release(self) -> None:
        """After an epoch was installed: frames that waited for their key go to their decoders, in order (FRAME-14)."""
        self._settle(self._opener.release(self._clock()))

    def take(self, buffer: OpeningJitterBuffer, frame: ReassembledFrame) -> None:
        """Open a frame that came, or keep it for a while."""
        now, incoming = self._clock(), buffer.incoming
        self._expire(now)
        self._observer.received(incoming.stream.kind, frame.data, frame.timestamp)
        if not frame.whole:  # FRAME-22
            incoming.drop(RtcReason.INCOMPLETE)
            return
        if frame.codec != incoming.stream.codec.lower():  # its decoder would get another codec's
            incoming.drop(RtcReason.WRONG_CODEC)
            return
        arrival = Arrival(buffer, frame.payload_type, frame.timestamp, now)
        began = time.thread_time_ns()
        outcome = self._opener.open(incoming.stream, frame.data, now, arrival)
        incoming.took(time.thread_time_ns() - began)
        if not isinstance(outcome, Held):
            self._settle([(incoming.stream, arrival, outcome)])

    def _expire(self, now: int) -> None:
        due = self._opener.get_timer()
        if due is not None and now >= due:
            self._settle(self._opener.handle_timer(now))

    def _settle(
        self, outcomes: Sequence[tuple[IncomingStream, object, OpenedFrame | Rejected]]
    ) -> None:
        for stream, context, outcome in outcomes:
            arrival = cast(Arrival, context)
            incoming = arrival.buffer.incoming
            if isinstance(outcome, Rejected):  # FRAME-11: no byte of it goes on
                incoming.key_frames.want()
                continue
            if arrival.buffer.is_detached:  # its receiver shows another stream by now
                continue
            incoming.deliver(outcome, arrival.buffer.receiver, arrival)
            if incoming.shown:
                self._observer.opened(stream.kind, outcome, arrival.timestamp, arrival.at)


class OpeningJitterBuffer:
    """Stands in for a receiver's jitter buffer: packets go in, opened frames go to the decoder by themselves."""

    def __init__(
        self,
        reassembly: FrameBuffer,
        receiver: RTCRtpReceiver,
        incoming: IncomingFrames,
        received: ReceivedFrames,
    ) -> None:
        self.receiver = receiver
        self.incoming = incoming
        self.is_detached = False
        self._reassembly = reassembly
        self._received = received

    def detach(self) -> None:
        """Nothing that came here goes to this receiver's decoder any more."""
        self.is_detached = True

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take a packet. The first value asks for a key frame; frames are never returned."""
        incoming = self.incoming
        try:
            lost, frames = self._reassembly.reassemble(packet)
            if lost:
                incoming.key_frames.want()
            for frame in frames:
                incoming.arrived(len(frame.data))
                self._received.take(self, frame)
        except Exception:  # noqa: BLE001 - it would close the whole transport
            incoming.drop(RtcReason.INTERNAL)
        return incoming.key_frames.wanted and incoming.stream.kind in VIDEO, None
