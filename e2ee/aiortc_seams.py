"""The seams: every private name of aiortc and aioice that this project touches, and nothing else.

aiortc (pinned: 1.16.0) has no API for encoded frames: a sender encodes and packetises in one step, a receiver
reassembles and decodes in one step. This file opens those two steps, on single objects, never on classes or
modules, so another user of aiortc in the same process notices nothing:

    sender     track.recv -> encode, [Transforming...Encoder], packetise -> RTP -> SRTP
    receiver   SRTP -> RTP, padding stripped, RTX unwrapped, [PersistentNacks] -> [...FrameBuffer] -> [deliver] -> decoder
               -> [decode_into]
    transport  [gather_only] UDP -> [demultiplex] [accept_only_possible_datagrams] -> DTLS, SRTP
               -> [note_arrivals] -> [route_retransmissions]

It knows no key, no cipher and no policy. ``tests/rtc/test_aiortc_seams.py`` holds every name, signature and call
place that is relied on here and fails, saying where to look, when a new aiortc moves one of them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from aioice.candidate import Candidate
from aioice.ice import Connection, StunProtocol
from aiortc import RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.codecs.base import Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from aiortc.jitterbuffer import MAX_MISORDER, JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import NackGenerator
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import RtpPacket
from av import Packet
from av.frame import Frame

__all__ = [
    "AIORTC_VERSION",
    "AudioFrameBuffer",
    "DecodedFrames",
    "EncoderReplacedError",
    "FrameBuffer",
    "PacketSink",
    "PersistentNacks",
    "ReassembledFrame",
    "TransformingOpusEncoder",
    "TransformingVp8Encoder",
    "VideoFrameBuffer",
    "accept_only_possible_datagrams",
    "decode_into",
    "deliver",
    "demultiplex",
    "filter_key_frame_requests",
    "gather_only",
    "install_encoder",
    "install_frame_buffer",
    "note_arrivals",
    "persist_in_nacks",
    "route_retransmissions",
]

AIORTC_VERSION = "1.16.0"
"""The release that this file was written against."""

_log = logging.getLogger(__name__)

_LARGEST_DATAGRAM = 1500  # the buffer of a pylibsrtp.Session
_LAST_STUN_BYTE = 3

_Address = tuple[Any, ...]
_Receive = Callable[[bytes, _Address], None]

FrameTransform = Callable[[bytes], "bytes | None"]
"""One encoded frame in, what is to be packetised out; None drops the frame. Runs in an executor thread."""


# ------------------------------------------------------------------------------------------------ sending


class EncoderReplacedError(RuntimeError):
    """aiortc was about to encode with an encoder that is not the installed one. Nothing was sent."""


class TransformingVp8Encoder(Vp8Encoder):
    """aiortc's VP8 encoder with a transform between encoding and packetising.

    ``Vp8Encoder._packetize(buffer, picture_id)`` is called by ``encode`` and by ``pack``, with a whole frame.
    """

    def __init__(self, transform: FrameTransform) -> None:
        super().__init__()
        self._transform = transform

    def restart(self) -> None:
        """Begin anew with the next frame: other time stamps, another size, and no picture to refer to."""
        self.codec = None

    def _packetize(self, buffer: bytes, picture_id: int) -> list[bytes]:  # type: ignore[override]
        # A class method there, called as self._packetize: this one needs its encoder's transform.
        frame = self._transform(buffer) if buffer else None
        return super()._packetize(frame, picture_id) if frame else []


class TransformingOpusEncoder(OpusEncoder):
    """aiortc's Opus encoder with a transform after encoding, at a constant bit rate.

    aiortc lets libopus vary the bit rate, so that the size of a packet tells what is said (even encrypted).
    Here every packet has one size, and carries in-band FEC. libopus is opened by the first ``encode``.

    aiortc stamps all packets of one ``encode`` with one timestamp, and a receiver joins what has one
    timestamp: so a track has to yield frames of 20 ms, and a second packet is dropped, not sent.
    """

    def __init__(self, transform: FrameTransform) -> None:
        super().__init__()
        self._transform = transform
        self._choose_options()

    def restart(self) -> None:
        """Begin anew with the next frame: other time stamps, and no samples left of what came before."""
        super().__init__()
        self._choose_options()

    def _choose_options(self) -> None:
        self.codec.options = {"application": "voip", "vbr": "off", "fec": "1", "packet_loss": "10"}

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        payloads, timestamp = super().encode(frame, force_keyframe)
        return self._transformed(payloads[:1]), timestamp

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        payloads, timestamp = super().pack(packet)
        return self._transformed(payloads), timestamp

    def _transformed(self, payloads: list[bytes]) -> list[bytes]:
        return [frame for frame in map(self._transform, payloads) if frame]


def install_encoder(sender: RTCRtpSender, encoder: Encoder, codec_name: str) -> None:
    """Make ``sender`` encode with ``encoder`` only, from its first frame on.

    ``RTCRtpSender._next_encoded_frame`` makes an encoder of its own only where ``__encoder`` is None. Should
    anything have put another one there, or negotiated another codec, the sender ends before it encodes
    (``_run_rtp`` ends on an exception): it fails closed.
    """
    next_encoded_frame = sender._next_encoded_frame

    async def guarded(codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        if _encoder(sender) is not encoder or codec.name.lower() != codec_name.lower():
            raise EncoderReplacedError(f"{codec.name} with {type(_encoder(sender)).__name__}")
        return await next_encoded_frame(codec)

    sender._RTCRtpSender__encoder = encoder  # type: ignore[attr-defined]
    sender._next_encoded_frame = guarded  # type: ignore[method-assign]


def _encoder(sender: RTCRtpSender) -> Encoder | None:
    return cast("Encoder | None", sender._RTCRtpSender__encoder)  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------- receiving


@dataclass(frozen=True, slots=True)
class ReassembledFrame:
    """The payloads of the packets of one RTP timestamp, joined in order.

    ``whole`` is False when its first packet says that it does not begin a frame: the stream was joined in
    the middle of one. (That the last packet is there is certain: the next one had another timestamp.)
    """

    data: bytes
    timestamp: int
    payload_type: int
    whole: bool


class FrameBuffer(Protocol):
    """Makes frames of a receiver's packets."""

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        """Take a packet; say whether packets are lost for good, and give the frames that are complete now."""


class VideoFrameBuffer(JitterBuffer):
    """aiortc's jitter buffer, which also knows where VP8 frames begin, and gives every frame once it is complete.

    aiortc gives one frame for each packet, so a backlog that one lost packet made stays for the whole call.
    """

    def __init__(self, replaced: JitterBuffer) -> None:
        super().__init__(replaced._capacity, replaced._prefetch, is_video=True)
        self._first: RtpPacket | None = None

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        lost, frame = super().add(packet)
        frames = []
        while frame is not None:
            if frame.data:  # else padding only
                first = cast(RtpPacket, self._first)
                whole = _begins_vp8_frame(first)
                frames.append(
                    ReassembledFrame(frame.data, frame.timestamp, first.payload_type, whole)
                )
            frame = self._remove_frame(packet.sequence_number)
        return lost, frames

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        first = self._packets[cast(int, self._origin) % self._capacity]
        frame = super()._remove_frame(sequence_number)
        if frame is not None:
            self._first = first
        return frame


class AudioFrameBuffer:
    """Hands on packets, of which each is a frame, in their order: at once, unless one before them is missing.

    A missing one is waited for until ``PATIENCE`` later ones have come, and then is lost: one packet, one frame. This
    is in place of aiortc's buffer, which repairs nothing either (no NACK for audio), delays every packet by four, and
    waits for a lost one until 16 have piled up, of which it throws frames away.
    """

    PATIENCE = 3
    """Of packets, 60 ms: what TCP takes for a loss too (RFC 5681 Section 3.2)."""

    def __init__(self) -> None:
        self._waiting: dict[int, RtpPacket] = {}
        self._turn: int | None = None

    def reassemble(self, packet: RtpPacket) -> tuple[bool, list[ReassembledFrame]]:
        number, turn = packet.sequence_number, self._turn
        if turn is None or MAX_MISORDER <= _distance(number, turn) < _HALF:
            self._waiting.clear()  # the stream begins, or began anew
            turn = number
        elif 0 < _distance(number, turn) < _HALF:
            return False, []  # its turn is over
        self._waiting[number] = packet
        lost, frames = False, []
        while (step := self._step(turn)) is not None:
            lost = lost or step > 0
            turn = (turn + step) & 0xFFFF
            frames += _audio_frame(self._waiting.pop(turn))
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


def _audio_frame(packet: RtpPacket) -> list[ReassembledFrame]:
    """The frame of a packet, if it is not padding only."""
    if not packet.payload:
        return []
    return [ReassembledFrame(packet.payload, packet.timestamp, packet.payload_type, whole=True)]


_HALF = 1 << 15


def _distance(before: int, after: int) -> int:
    """From one sequence number forward to another, modulo 2^16."""
    return (after - before) & 0xFFFF


def _begins_vp8_frame(packet: RtpPacket) -> bool:
    """RFC 7741 Section 4.2: S is set, and PID is 0, in the first packet of a frame only."""
    if not packet.payload:
        return False
    descriptor, _ = VpxPayloadDescriptor.parse(packet.payload)
    return bool(descriptor.partition_start) and descriptor.partition_id == 0


class PacketSink(Protocol):
    """What a receiver calls of its jitter buffer: this, and nothing else."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Whether to ask for a key frame, and a frame to decode. What it raises closes the DTLS transport."""


def install_frame_buffer(
    receiver: RTCRtpReceiver, make: Callable[[FrameBuffer], PacketSink]
) -> None:
    """Replace the receiver's jitter buffer by what ``make`` makes around one of the two above."""
    old = cast(JitterBuffer, receiver._RTCRtpReceiver__jitter_buffer)  # type: ignore[attr-defined]
    frames = VideoFrameBuffer(old) if old._is_video else AudioFrameBuffer()
    receiver._RTCRtpReceiver__jitter_buffer = make(frames)  # type: ignore[attr-defined]


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
    """Ask ``permit`` before each Picture Loss Indication of this receiver, whatever wants it (loss, decoder, us)."""
    send: Callable[[int], Awaitable[None]] = receiver._send_rtcp_pli

    async def filtered(media_ssrc: int) -> None:
        if permit():
            await send(media_ssrc)

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


# ---------------------------------------------------------------------------------------------- transport


def _connection(transceiver: RTCRtpTransceiver) -> Connection:
    return transceiver.receiver.transport.transport._connection


def gather_only(transceiver: RTCRtpTransceiver, host_addresses: Sequence[str]) -> None:
    """Gather host candidates on these local addresses only. To be called before the local description is set.

    It is also the one way to gather 127.0.0.1, which ``aioice.ice.get_host_addresses`` always leaves out.
    Not for the relay-only transport policy, which gathers on no address.
    """
    connection = _connection(transceiver)
    gather = connection.get_component_candidates

    async def gather_here(component: int, addresses: list[str]) -> list[Candidate]:  # noqa: ARG001
        return await gather(component, list(host_addresses))

    connection.get_component_candidates = gather_here  # type: ignore[method-assign,assignment]


def accept_only_possible_datagrams(transceiver: RTCRtpTransceiver) -> None:
    """Drop datagrams that no DTLS or SRTP peer sends, before they reach ``RTCDtlsTransport._recv_next``.

    That reads ``data[0]`` of an empty datagram, and passes one of more than 1,500 bytes to pylibsrtp: either
    raises, which closes the transport. Whoever knows the port, and nothing else, could end a call so.
    """
    connection = _connection(transceiver)
    receive = connection.data_received

    def receive_possible(data: bytes, component: int) -> None:
        if 0 < len(data) <= _LARGEST_DATAGRAM:
            receive(data, component)

    connection.data_received = receive_possible  # type: ignore[method-assign]


def demultiplex(transceiver: RTCRtpTransceiver) -> None:
    """Tell STUN from everything else by RFC 7983. To be called when candidates have been gathered.

    ``StunProtocol.datagram_received`` tries to parse every datagram as STUN, goes by a length field, and lets
    ``struct.error`` out: an SRTP packet whose sequence number is its length - 20 can be lost, with a
    traceback in the log. RFC 7983 Section 7: first bytes 0 to 3 are STUN's.
    """
    connection = _connection(transceiver)
    for protocol in connection._protocols:
        protocol.datagram_received = partial(  # type: ignore[method-assign]
            _datagram_received, connection, protocol, protocol.datagram_received
        )


def _datagram_received(
    connection: Connection,
    protocol: StunProtocol,
    receive_stun: _Receive,
    data: bytes,
    address: _Address,
) -> None:
    if data and data[0] > _LAST_STUN_BYTE:
        connection.data_received(data, protocol.local_candidate.component)
        return
    try:
        receive_stun(data, address)
    except Exception as exception:  # noqa: BLE001 - anybody's bytes
        _log.debug("malformed STUN message dropped: %s", type(exception).__name__)


def note_arrivals(transceiver: RTCRtpTransceiver, arrived: Callable[[], None]) -> None:
    """Call ``arrived`` for each RTP or RTCP packet whose SRTP tag was right."""
    transport = transceiver.receiver.transport
    handle_rtp, handle_rtcp = transport._handle_rtp_data, transport._handle_rtcp_data

    async def handle_rtp_and_note(data: bytes, arrival_time_ms: int) -> None:
        arrived()
        await handle_rtp(data, arrival_time_ms=arrival_time_ms)

    async def handle_rtcp_and_note(data: bytes) -> None:
        arrived()
        await handle_rtcp(data)

    transport._handle_rtp_data = handle_rtp_and_note  # type: ignore[method-assign]
    transport._handle_rtcp_data = handle_rtcp_and_note  # type: ignore[method-assign]


def route_retransmissions(transceiver: RTCRtpTransceiver) -> None:
    """Let retransmissions reach their receiver also where two receivers share a transport. Before descriptions are applied.

    ``RTCDtlsTransport._register_rtp_receiver`` notes the SSRCs of media only, and a packet of another SSRC goes to the
    one receiver of its payload type: with two of video, to none, and no lost packet is ever repaired.
    """
    transport = transceiver.receiver.transport
    register = transport._register_rtp_receiver

    def register_both(receiver: RTCRtpReceiver, parameters: RTCRtpReceiveParameters) -> None:
        register(receiver, parameters)
        for encoding in parameters.encodings:
            if encoding.rtx is not None:
                transport._rtp_router.ssrc_table[encoding.rtx.ssrc] = receiver

    transport._register_rtp_receiver = register_both  # type: ignore[method-assign,assignment]
