"""Between packets and the decoder: frames whole and in their order, decoded when they are delivered, and put elsewhere."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import MAX_MISORDER, JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import NackGenerator, TimestampMapper, decoder_worker
from aiortc.rtp import RtpPacket
from av.frame import Frame

from e2ee.aiortc_seams.payloads import ANY, FORMATS

__all__ = [
    "AudioFrameBuffer",
    "DecodedFrames",
    "FrameBuffer",
    "PacketSink",
    "PersistentNacks",
    "ReassembledFrame",
    "VideoFrameBuffer",
    "decode_anew",
    "decode_into",
    "deliver",
    "filter_key_frame_requests",
    "follow_codecs",
    "install_frame_buffer",
    "install_packet_sink",
    "persist_in_nacks",
]


@dataclass(frozen=True, slots=True)
class ReassembledFrame:
    """The payloads of the packets of one RTP timestamp, joined in order.

    ``whole`` is False when it does not begin as a frame, or its beginning may be missing (FRAME-22): the stream was joined in
    the middle of one. (That the last packet is there is certain: it has the marker, or the next one had another timestamp.) ``codec`` is that
    of the payload type, by its name in SDP, in small letters.
    """

    data: bytes
    timestamp: int
    payload_type: int
    whole: bool
    codec: str


class FrameBuffer(Protocol):
    """Makes frames of a receiver's packets."""

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        """Take a packet; say whether packets are lost for good, and give the frames that are complete now."""


CodecOf = Callable[[int], str]
"""Payload type -> the name of its codec in SDP, in small letters; empty if it has none."""


class VideoFrameBuffer(JitterBuffer):
    """aiortc's jitter buffer, which also knows where frames begin, and gives every frame as soon as it is complete.

    aiortc waits for the next frame before it gives one, and gives one for each packet, so a backlog that one lost packet made stays
    for the whole call.
    """

    CAPACITY = 512
    """Packets, as in aiortc's own."""

    def __init__(self, codec_of: CodecOf) -> None:
        super().__init__(self.CAPACITY, is_video=True)
        self._codec_of = codec_of
        self._first: RtpPacket | None = None
        self._nothing_missing = True
        """Before that one: the packet before it was given, or it is the stream's first."""
        self._next: int | None = None
        """The sequence number after that of the last packet that was given or dropped."""

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        there = self._packets[packet.sequence_number % self._capacity]
        if there is not None and there.sequence_number == packet.sequence_number:
            return False, []  # FRAME-23; aiortc would put it in the other's place
        if packet.payload and not self._takes(packet):
            return False, []
        lost, frame = super().add(packet)
        frames = []
        while frame is not None:
            if frame.data:  # else padding only
                frames.append(self._reassembled(frame, cast(RtpPacket, self._first)))
            frame = self._remove_frame(packet.sequence_number)
        return lost, frames

    def _takes(self, packet: RtpPacket) -> bool:
        """FRAME-23: whether it is what its payload format allows. Then ``_data`` is the part of a frame."""
        parts = cast(Any, packet)
        read = FORMATS.get(self._codec_of(packet.payload_type), ANY)
        try:
            parts._data = read.part(packet.payload, parts._data)
        except ValueError:
            return False
        return True

    def _reassembled(self, frame: JitterFrame, first: RtpPacket) -> ReassembledFrame:
        number = first.payload_type
        codec = self._codec_of(number)
        read = FORMATS.get(codec, ANY)
        whole = read.begins(first.payload) and (read.tells or self._nothing_missing)
        return ReassembledFrame(frame.data, frame.timestamp, number, whole, codec)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        origin = cast(int, self._origin)
        first = self._first_part(origin)
        frame = self._remove_marked() or super()._remove_frame(sequence_number)
        if frame is not None:
            self._first = first
            self._nothing_missing = self._next in (None, origin)
            self._next = self._origin
        return frame

    def _remove_marked(self) -> JitterFrame | None:
        """A frame of which the packet with the marker has come, and all before it. aiortc waits for the first one of the next frame."""
        packets: list[RtpPacket] = []
        for count in range(self._capacity):
            packet = self._packets[(cast(int, self._origin) + count) % self._capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                return None
            packets.append(packet)
            if packet.marker:
                self.remove(len(packets))
                data = b"".join(cast(Any, each)._data for each in packets)
                return JitterFrame(data, packet.timestamp)
        return None

    def _first_part(self, origin: int) -> RtpPacket | None:
        """The first packet from there on that is not padding alone."""
        for count in range(self._capacity):
            packet = self._packets[(origin + count) % self._capacity]
            if packet is None or cast(Any, packet)._data:
                return packet
        return None

    def smart_remove(self, count: int) -> bool:
        """Packets at whose end the room is, whatever is missing between them."""
        came = {packet.sequence_number for packet in self._packets if packet is not None}
        emptied = super().smart_remove(count)
        before = (cast(int, self._origin) - 1) & 0xFFFF
        self._next = self._origin if before in came else _NONE
        return emptied


class AudioFrameBuffer:
    """Hands on packets, of which each is a frame, in their order: at once, unless one before them is missing.

    A missing one is waited for until ``PATIENCE`` later ones have come, and then is lost: one packet, one frame. This
    is in place of aiortc's buffer, which repairs nothing either (no NACK for audio), delays every packet by four, and
    waits for a lost one until 16 have piled up, of which it throws frames away.
    """

    PATIENCE = 3
    """Of packets, 60 ms: what TCP takes for a loss too (RFC 5681 Section 3.2)."""

    def __init__(self, codec_of: CodecOf) -> None:
        self._codec_of = codec_of
        self._waiting: dict[int, RtpPacket] = {}
        self._turn: int | None = None

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        number, turn = packet.sequence_number, self._turn
        if turn is None or MAX_MISORDER <= _distance(number, turn) < _HALF:
            self._waiting.clear()  # the stream begins, or began anew
            turn = number
        elif 0 < _distance(number, turn) < _HALF:
            return False, []  # its turn is over
        self._waiting.setdefault(number, packet)  # FRAME-23: one that came already stays
        lost, frames = False, []
        while (step := self._step(turn)) is not None:
            lost = lost or step > 0
            turn = (turn + step) & 0xFFFF
            frames += self._frame(self._waiting.pop(turn))
            turn = (turn + 1) & 0xFFFF
        self._turn = turn
        return lost, frames

    def _step(self, turn: int) -> int | None:
        """How many packets to give up from ``turn`` on (0: it is here); None while they may still come."""
        if turn in self._waiting:
            return 0
        if len(self._waiting) < self.PATIENCE:
            return None
        return min(_distance(turn, number) for number in self._waiting)

    def _frame(self, packet: RtpPacket) -> list[ReassembledFrame]:
        """The frame of a packet, if it is not padding only."""
        if not packet.payload:
            return []
        number = packet.payload_type
        codec = self._codec_of(number)
        return [ReassembledFrame(packet.payload, packet.timestamp, number, whole=True, codec=codec)]


_HALF = 1 << 15
_NONE = -1
"""No sequence number."""


def _distance(before: int, after: int) -> int:
    """From one sequence number forward to another, modulo 2^16."""
    return (after - before) & 0xFFFF


class PacketSink(Protocol):
    """What a receiver calls of its jitter buffer: this, and nothing else."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Whether to ask for a key frame, and a frame to decode. What it raises closes the DTLS transport."""


def install_frame_buffer(
    receiver: RTCRtpReceiver, make: Callable[[FrameBuffer], PacketSink]
) -> None:
    """Replace the receiver's jitter buffer by what ``make`` makes around one of the two above, which is empty."""
    parts = cast(Any, receiver)

    def codec_of(payload_type: int) -> str:
        codec = parts._RTCRtpReceiver__codecs.get(payload_type)
        return codec.name.lower() if codec else ""

    is_video = parts._RTCRtpReceiver__kind == "video"
    buffer = VideoFrameBuffer(codec_of) if is_video else AudioFrameBuffer(codec_of)
    install_packet_sink(receiver, make(buffer))


def install_packet_sink(receiver: RTCRtpReceiver, sink: PacketSink) -> None:
    """Replace the receiver's jitter buffer."""
    receiver._RTCRtpReceiver__jitter_buffer = sink  # type: ignore[attr-defined]


def deliver(receiver: RTCRtpReceiver, payload_type: int, data: bytes, timestamp: int) -> bool:
    """Put one frame into the receiver's decoder queue, as ``_handle_rtp_packet`` does; False if it has ended.

    Timestamps have to come in order: the mapper takes an older one for a wrap and moves everything after it
    by 2^32. Never an empty frame: libav takes that for the end of the stream and decodes nothing after it.
    """
    parts = cast(Any, receiver)
    codec = parts._RTCRtpReceiver__codecs.get(payload_type)
    if codec is None or parts._RTCRtpReceiver__decoder_thread is None or not data:
        return False
    frame = JitterFrame(data, parts._RTCRtpReceiver__timestamp_mapper.map(timestamp))
    parts._RTCRtpReceiver__decoder_queue.put((codec, frame))
    return True


def filter_key_frame_requests(receiver: RTCRtpReceiver, permit: Callable[[], bool]) -> None:
    """Ask ``permit`` before each Picture Loss Indication of this receiver, whatever wants it (loss, decoder, us).

    It takes the place of another one that was asked before.
    """
    there = receiver._send_rtcp_pli
    send: Callable[[int], Awaitable[None]] = getattr(there, "unfiltered", there)

    async def filtered(media_ssrc: int) -> None:
        if permit():
            await send(media_ssrc)

    filtered.unfiltered = send  # type: ignore[attr-defined]
    receiver._send_rtcp_pli = filtered  # type: ignore[method-assign]


class DecodedFrames(Protocol):
    """Where a receiver's decoder puts what it decoded."""

    async def put(self, frame: Frame | None) -> None:
        """Take a frame, or None: nothing comes any more."""


def decode_into(receiver: RTCRtpReceiver, frames: DecodedFrames) -> None:
    """Put decoded frames there, and not into the queue of the receiver's own track (which is without bound: 14 MB a second).

    To be called on the connection's "track" event: the decoder thread gets the queue when it starts.
    """
    cast(Any, receiver._track)._queue = frames


def decode_anew(receiver: RTCRtpReceiver, frames: DecodedFrames) -> threading.Thread | None:
    """Decode into ``frames`` from now on, with a decoder that has decoded nothing else.

    What the former one has still to decode goes where it was to go. Its thread ends by itself, and is to be joined some
    time before the event loop ends; None if it was not running.
    """
    parts = cast(Any, receiver)
    parts._track._queue = frames  # where a thread takes it from that is started later
    former: threading.Thread | None = parts._RTCRtpReceiver__decoder_thread
    if former is None:
        return None
    parts._RTCRtpReceiver__decoder_queue.put(None)
    waiting: queue.Queue[Any] = queue.Queue()
    failed = threading.Event()
    parts._RTCRtpReceiver__decoder_queue, parts._RTCRtpReceiver__decoder_error = waiting, failed
    parts._RTCRtpReceiver__timestamp_mapper = TimestampMapper()
    parts._RTCRtpReceiver__decoder_thread = threading.Thread(
        target=decoder_worker,
        name=former.name,
        args=(asyncio.get_running_loop(), waiting, frames, failed),
    )
    parts._RTCRtpReceiver__decoder_thread.start()
    return former


def follow_codecs(receiver: RTCRtpReceiver) -> None:
    """Let each description say what the receiver's payload types mean. Before the first one is applied.

    ``RTCRtpReceiver.receive``, which is called after each, goes by the first one only, and so does the router of packets.
    """
    parts = cast(Any, receiver)
    start = receiver.receive

    async def start_or_follow(parameters: RTCRtpReceiveParameters) -> None:
        await start(parameters)
        codecs = {codec.payloadType: codec for codec in parameters.codecs}
        parts._RTCRtpReceiver__codecs = codecs
        receiver.transport._register_rtp_receiver(receiver, parameters)

    receiver.receive = start_or_follow  # type: ignore[method-assign]


class PersistentNacks(NackGenerator):
    """Asks for missing packets again while they are missing.

    aiortc asks when it notes a loss, and only then. Where the request is lost, or what was sent again, the picture
    stands still until the next loss, or until 512 packets wait.
    """

    INTERVAL = 100
    """Milliseconds between two requests without a new loss."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self._next = 0

    def add(self, packet: RtpPacket) -> bool:
        missed = super().add(packet)
        now = self._clock()
        if missed or (self.missing and now >= self._next):
            self._next = now + self.INTERVAL
            return True
        return False


def persist_in_nacks(receiver: RTCRtpReceiver, clock: Callable[[], int]) -> None:
    """Let a receiver of video ask again for what is still missing. ``clock`` is in milliseconds."""
    if receiver._RTCRtpReceiver__nack_generator is not None:  # type: ignore[attr-defined]
        receiver._RTCRtpReceiver__nack_generator = PersistentNacks(clock)  # type: ignore[attr-defined]
