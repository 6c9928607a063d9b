"""aiortc and aioice are still built the way that ``e2ee/aiortc_seams`` relies on.

Each row below names a place in their source and what has to be there. A row that fails names the function of
``aiortc_seams.py`` that relies on it: read both, bring the function in line, then the row.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import aioice.ice
import aiortc.codecs.h264
import aiortc.codecs.opus
import aiortc.codecs.vpx
import aiortc.rtcdtlstransport
import aiortc.rtcicetransport
import aiortc.rtcrtpreceiver
import aiortc.rtcrtpsender
import av
import numpy as np
import pylibsrtp
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver
from aiortc.codecs import CODECS
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import RtpPacket
from av.audio.frame import AudioFrame
from av.packet import Packet

from e2ee import aiortc_seams

sender, receiver = aiortc.rtcrtpsender, aiortc.rtcrtpreceiver
dtls, ice = aiortc.rtcdtlstransport, aiortc.rtcicetransport
vpx, opus, h264 = aiortc.codecs.vpx, aiortc.codecs.opus, aiortc.codecs.h264


@dataclass(frozen=True)
class Reliance:
    """``text`` has to occur in the source of ``where``, ``times`` times, because ``seam`` relies on it."""

    seam: str
    where: Any
    text: str
    times: int = 1

    def __str__(self) -> str:
        return f"{self.seam}: {self.where.__qualname__}: {self.text}"


SENDING = [
    Reliance(
        "TransformingVp8Encoder",
        vpx.Vp8Encoder.encode,
        "self._packetize(data_to_send, self.picture_id)",
    ),
    Reliance(
        "TransformingVp8Encoder",
        vpx.Vp8Encoder.pack,
        "self._packetize(bytes(packet), self.picture_id)",
    ),
    Reliance("TransformingVp8Encoder", vpx.Vp8Encoder, "_packetize", times=3),
    Reliance(
        "TransformingH264Encoder",
        h264.H264Encoder._encode_frame,
        "yield from self._split_bitstream(data_to_send)",
    ),
    Reliance(
        "TransformingH264Encoder", h264.H264Encoder.pack, "self._split_bitstream(bytes(packet))"
    ),
    Reliance("TransformingH264Encoder", h264.H264Encoder, "_split_bitstream", times=3),
    Reliance("TransformingH264Encoder", h264.H264Encoder._encode_frame, "if self.codec is None:"),
    Reliance(
        "TransformingOpusEncoder",
        opus.OpusEncoder.__init__,
        'self.codec.options = {"application": "voip"}',
    ),
    Reliance("TransformingVp8Encoder", vpx.Vp8Encoder.encode, "if self.codec is None:"),
    Reliance(
        "TransformingOpusEncoder",
        opus.OpusEncoder.encode,
        "packets[0].pts - self.first_packet_pts",
    ),
    Reliance(
        "TransformingOpusEncoder", opus.OpusEncoder.encode, "return [bytes(p) for p in packets]"
    ),
    Reliance(
        "install_encoder", sender.RTCRtpSender._next_encoded_frame, "if self.__encoder is None:"
    ),
    Reliance("install_encoder", sender.RTCRtpSender._next_encoded_frame, "self.__encoder.encode"),
    Reliance("install_encoder", sender.RTCRtpSender._next_encoded_frame, "self.__encoder.pack"),
    Reliance("install_encoder", sender.RTCRtpSender, "self.__encoder = ", times=2),
    Reliance("install_encoder", sender.RTCRtpSender, "self.__encoder: Optional[Encoder] = None"),
    Reliance("install_encoder", sender.RTCRtpSender, "get_encoder("),
    Reliance("install_encoder", sender.RTCRtpSender, "RTCEncodedFrame("),
    Reliance(
        "install_encoder", sender.RTCRtpSender._run_rtp, "await self._next_encoded_frame(codec)"
    ),
    Reliance("install_encoder", sender.RTCRtpSender, "self._next_encoded_frame("),
    Reliance("install_encoder", sender.RTCRtpSender._run_rtp, "except Exception:"),
    Reliance("install_encoder", sender.RTCRtpSender, "RtpPacket("),
    Reliance(
        "TransformingVp8Encoder", sender.RTCRtpSender._send_keyframe, "self.__force_keyframe = True"
    ),
    Reliance(
        "TransformingVp8Encoder", sender.RTCRtpSender._handle_rtcp_packet, "self._send_keyframe()"
    ),
]
RECEIVING = [
    Reliance("VideoFrameBuffer", JitterBuffer.add, "self._remove_frame(packet.sequence_number)"),
    Reliance("VideoFrameBuffer", JitterBuffer._remove_frame, "x._data for x in packets"),
    Reliance(
        "VideoFrameBuffer", JitterBuffer._remove_frame, "(self._origin + count) % self._capacity"
    ),
    Reliance("VideoFrameBuffer", JitterBuffer._remove_frame, "if frames >= self._prefetch:"),
    Reliance("VideoFrameBuffer", JitterBuffer.add, "if self.smart_remove(excess):"),
    Reliance("VideoFrameBuffer", JitterBuffer.remove, "self._origin = uint16_add(self._origin, 1)"),
    Reliance(
        "FrameBuffer",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "packet._data = depayload(codec, packet.payload)",
    ),
    Reliance(
        "install_frame_buffer",
        receiver.RTCRtpReceiver,
        "self.__jitter_buffer = JitterBuffer(",
        times=2,
    ),
    Reliance("install_frame_buffer", receiver.RTCRtpReceiver, "self.__jitter_buffer", times=3),
    Reliance(
        "install_frame_buffer",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "pli_flag, encoded_frame = self.__jitter_buffer.add(packet)",
    ),
    Reliance(
        "deliver",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "self.__decoder_queue.put((codec, encoded_frame))",
    ),
    Reliance("deliver", receiver.RTCRtpReceiver._handle_rtp_packet, "self.__timestamp_mapper.map("),
    Reliance(
        "deliver",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "self.__codecs.get(packet.payload_type)",
    ),
    Reliance("deliver", receiver.RTCRtpReceiver, "self.__decoder_queue.put(", times=2),
    Reliance("deliver", receiver.decoder_worker, "codec, encoded_frame = task"),
    Reliance("deliver", receiver.decoder_worker, "except av.FFmpegError"),
    Reliance("follow_codecs", receiver.RTCRtpReceiver, "self.__codecs", times=5),
    Reliance(
        "follow_codecs", receiver.RTCRtpReceiver.receive, "self.__codecs[codec.payloadType] = codec"
    ),
    Reliance("follow_codecs", RTCPeerConnection, "transceiver.receiver.receive("),
    Reliance("filter_key_frame_requests", receiver.RTCRtpReceiver, "self._send_rtcp_pli("),
    Reliance("filter_key_frame_requests", receiver.RTCRtpReceiver, "RTCP_PSFB_PLI"),
    Reliance("decode_into", receiver.RTCRtpReceiver.receive, "self._track._queue,"),
    Reliance("decode_anew", receiver.RTCRtpReceiver, "self._track._queue"),
    Reliance(
        "decode_anew",
        receiver.RTCRtpReceiver.receive,
        """            self.__decoder_thread = threading.Thread(
                target=decoder_worker,
                name=self.__kind + "-decoder",
                args=(
                    asyncio.get_event_loop(),
                    self.__decoder_queue,
                    self._track._queue,
                    self.__decoder_error,
                ),
            )""",
    ),
    Reliance("decode_anew", receiver.RTCRtpReceiver, "self.__decoder_thread", times=7),
    Reliance("decode_anew", receiver.RTCRtpReceiver, "self.__decoder_queue", times=4),
    Reliance("decode_anew", receiver.RTCRtpReceiver, "self.__decoder_error", times=4),
    Reliance("decode_anew", receiver.RTCRtpReceiver, "self.__timestamp_mapper", times=2),
    Reliance("decode_anew", receiver.decoder_worker, "if task is None:"),
    Reliance("install_frame_buffer", receiver.RTCRtpReceiver.__init__, "self.__kind = kind"),
    Reliance("decode_into", receiver.decoder_worker, "output_q.put(", times=2),
    Reliance(
        "persist_in_nacks",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "if self.__nack_generator is not None and self.__nack_generator.add(packet):",
    ),
    Reliance(
        "persist_in_nacks",
        receiver.RTCRtpReceiver._handle_rtp_packet,
        "sorted(self.__nack_generator.missing)",
    ),
    Reliance("persist_in_nacks", receiver.RTCRtpReceiver, "self.__nack_generator", times=5),
    Reliance(
        "decode_into",
        RTCPeerConnection.setRemoteDescription,
        """            self.emit("track", event.track)

        # connect
        asyncio.ensure_future(self.__connect())""",
    ),
]
TRANSPORT = [
    Reliance(
        "gather_only",
        aioice.ice.Connection.gather_candidates,
        "self.get_component_candidates(component=component, addresses=addresses)",
    ),
    Reliance("gather_only", aioice.ice.get_host_addresses, 'ip.ip != "127.0.0.1"'),
    Reliance(
        "accept_only_possible_datagrams",
        aioice.ice.StunProtocol.datagram_received,
        "self.receiver.data_received(data, self.local_candidate.component)",
    ),
    Reliance(
        "accept_only_possible_datagrams", dtls.RTCDtlsTransport._recv_next, "first_byte = data[0]"
    ),
    Reliance(
        "accept_only_possible_datagrams", pylibsrtp.Session.__init__, 'ffi.new("char[]", 1500)'
    ),
    Reliance(
        "demultiplex",
        aioice.ice.StunProtocol.datagram_received,
        "message = stun.parse_message(data)",
    ),
    Reliance(
        "demultiplex",
        aioice.ice.Connection.get_component_candidates,
        "self._protocols += host_protocols",
    ),
    Reliance(
        "note_arrivals",
        dtls.RTCDtlsTransport._recv_next,
        """data = self._rx_srtp.unprotect_rtcp(data)
                    await self._handle_rtcp_data(data)""",
    ),
    Reliance(
        "note_arrivals",
        dtls.RTCDtlsTransport._recv_next,
        """data = self._rx_srtp.unprotect(data)
                    await self._handle_rtp_data(data, arrival_time_ms=arrival_time_ms)""",
    ),
    Reliance(
        "forgive_header_extensions",
        dtls.RTCDtlsTransport._handle_rtp_data,
        "packet = RtpPacket.parse(data, self._rtp_header_extensions_map)",
    ),
    Reliance(
        "forgive_header_extensions",
        RtpPacket.parse,
        "packet.extensions = extensions_map.get(extension_profile, extension_value)",
    ),
    Reliance(
        "route_retransmissions",
        dtls.RTCDtlsTransport._register_rtp_receiver,
        "ssrcs.add(encoding.ssrc)",
    ),
    Reliance(
        "route_retransmissions",
        dtls.RtpRouter.route_rtp,
        "ssrc_receiver = self.ssrc_table.get(packet.ssrc)",
    ),
    Reliance(
        "route_retransmissions",
        dtls.RTCDtlsTransport._handle_rtp_data,
        "receiver = self._rtp_router.route_rtp(packet)",
    ),
    Reliance(
        "route_retransmissions",
        receiver.RTCRtpReceiver.receive,
        "self.__transport._register_rtp_receiver(self, parameters)",
    ),
    Reliance(
        "_connection", ice.RTCIceTransport.__init__, "self._connection = gatherer._connection"
    ),
]
FORWARDING = [
    Reliance(
        "PacketPath",
        aioice.ice.StunProtocol.datagram_received,
        "self.receiver.data_received(data, self.local_candidate.component)",
    ),
    Reliance(
        "PacketPath",
        dtls.RTCDtlsTransport._recv_next,
        "if is_rtcp(data):\n                    data = self._rx_srtp.unprotect_rtcp(data)",
    ),
    Reliance(
        "PacketPath", dtls.RTCDtlsTransport._recv_next, "data = self._rx_srtp.unprotect(data)"
    ),
    Reliance(
        "PacketPath",
        dtls.RTCDtlsTransport._send_rtp,
        """        if self._state != State.CONNECTED:
            raise ConnectionError("Cannot send encrypted RTP, not connected")

        if is_rtcp(data):
            data = self._tx_srtp.protect_rtcp(data)
        else:
            data = self._tx_srtp.protect(data)
        await self.transport._send(data)""",
    ),
    Reliance(
        "PacketPath",
        dtls.RTCDtlsTransport.start,
        """        self._setup_srtp()
        if self._state == State.FAILED:
            return

        # start data pump
        self.__log_debug("- DTLS handshake complete")
        self._set_state(State.CONNECTED)""",
    ),
    Reliance(
        "PacketPath",
        aioice.ice.Connection.sendto,
        """        active_pair = self._nominated.get(component)
        if active_pair:
            await active_pair.protocol.send_data(data, active_pair.remote_addr)""",
    ),
    Reliance("PacketPath", aioice.ice.Connection.send, "await self.sendto(data, 1)"),
    Reliance("PacketPath", aioice.ice.StunProtocol.send_data, "self.transport.sendto(data, addr)"),
    Reliance("PacketPath", aioice.ice.Connection.close, "self._nominated.clear()"),
    Reliance("never_start", RTCPeerConnection, "transceiver.sender.send("),
    Reliance("never_start", RTCPeerConnection, "transceiver.receiver.receive("),
    Reliance("never_start", RTCPeerConnection, ".receive(", times=1),
    Reliance("never_start", RTCPeerConnection, ".send(", times=1),
    Reliance("never_start", sender.RTCRtpSender.stop, "if self.__started:"),
    Reliance("never_start", receiver.RTCRtpReceiver.stop, "if self.__started:"),
    Reliance(
        "Connection: no candidates of members are needed",
        aioice.ice.Connection._check_periodic,
        "return self._remote_candidates_expected()",
    ),
    Reliance(
        "Connection: no candidates of members are needed",
        aioice.ice.Connection._remote_candidates_expected,
        "return not self._remote_candidates_end",
    ),
]
CONNECTION = [
    Reliance(
        "log_no_descriptions",
        RTCPeerConnection.setLocalDescription,
        '"setLocalDescription(%s)\\n%s"',
    ),
    Reliance(
        "log_no_descriptions",
        RTCPeerConnection.setRemoteDescription,
        '"setRemoteDescription(%s)\\n%s"',
    ),
    Reliance("log_no_descriptions", RTCPeerConnection, ".sdp,", times=3),
]

RELIANCES = [*SENDING, *RECEIVING, *TRANSPORT, *FORWARDING, *CONNECTION]


def test_the_release_that_the_seams_were_written_against_is_installed() -> None:
    assert version("aiortc") == aiortc_seams.AIORTC_VERSION, (
        "another aiortc is installed: run this file, and where it passes, raise AIORTC_VERSION in "
        "e2ee/aiortc_seams and the pin in pyproject.toml"
    )


@pytest.mark.parametrize("reliance", RELIANCES, ids=str)
def test_the_source_is_as_a_seam_relies_on(reliance: Reliance) -> None:
    found = inspect.getsource(reliance.where).count(reliance.text)
    assert found == reliance.times, (
        f"{reliance.where.__module__}.{reliance.where.__qualname__} has {reliance.text!r} {found} times, not "
        f"{reliance.times}: look at {reliance.seam} in e2ee/aiortc_seams"
    )


SIGNATURES: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "TransformingVp8Encoder": (vpx.Vp8Encoder._packetize, ["buffer", "picture_id"]),
    "TransformingH264Encoder": (h264.H264Encoder._split_bitstream, ["buf"]),
    "install_encoder": (sender.RTCRtpSender._next_encoded_frame, ["self", "codec"]),
    "VideoFrameBuffer": (JitterBuffer.__init__, ["self", "capacity", "prefetch", "is_video"]),
    "VideoFrameBuffer.smart_remove": (JitterBuffer.smart_remove, ["self", "count"]),
    "route_retransmissions route": (dtls.RtpRouter.route_rtp, ["self", "packet"]),
    "VideoFrameBuffer._remove_frame": (JitterBuffer._remove_frame, ["self", "sequence_number"]),
    "install_frame_buffer": (JitterBuffer.add, ["self", "packet"]),
    "filter_key_frame_requests": (receiver.RTCRtpReceiver._send_rtcp_pli, ["self", "media_ssrc"]),
    "gather_only": (
        aioice.ice.Connection.get_component_candidates,
        ["self", "component", "addresses", "timeout"],
    ),
    "accept_only_possible_datagrams": (
        aioice.ice.Connection.data_received,
        ["self", "data", "component"],
    ),
    "note_arrivals": (dtls.RTCDtlsTransport._handle_rtp_data, ["self", "data", "arrival_time_ms"]),
    "note_arrivals RTCP": (dtls.RTCDtlsTransport._handle_rtcp_data, ["self", "data"]),
    "route_retransmissions": (
        dtls.RTCDtlsTransport._register_rtp_receiver,
        ["self", "receiver", "parameters"],
    ),
    "PersistentNacks": (receiver.NackGenerator.add, ["self", "packet"]),
    "demultiplex": (aioice.ice.StunProtocol.datagram_received, ["self", "data", "addr"]),
    "decode_anew": (receiver.decoder_worker, ["loop", "input_q", "output_q", "decode_error"]),
    "never_start sender": (sender.RTCRtpSender.send, ["self", "parameters"]),
    "never_start receiver": (receiver.RTCRtpReceiver.receive, ["self", "parameters"]),
    "PacketPath protect": (pylibsrtp.Session.protect, ["self", "packet"]),
    "PacketPath unprotect": (pylibsrtp.Session.unprotect, ["self", "packet"]),
}


@pytest.mark.parametrize("seam", SIGNATURES)
def test_a_signature_is_as_a_seam_relies_on(seam: str) -> None:
    function, parameters = SIGNATURES[seam]
    found = list(inspect.signature(function).parameters)
    assert found == parameters, (
        f"{function.__qualname__} takes {found}: look at {seam} in e2ee/aiortc_seams"
    )


# What the seams do, on real objects of the installed aiortc.


def with_transceiver(kind: str, story: Callable[[RTCRtpTransceiver], Awaitable[None]]) -> None:
    async def tell() -> None:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await story(connection.addTransceiver(kind))
        await connection.close()

    asyncio.run(tell())


class Silence(MediaStreamTrack):
    """A track that has one frame."""

    kind = "audio"

    async def recv(self) -> AudioFrame:
        frame = AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        return frame


@pytest.mark.requirement("FRAME-1")
def test_a_sender_encodes_with_the_installed_encoder_or_not_at_all() -> None:
    opus_codec, pcmu_codec = CODECS["audio"][0], CODECS["audio"][2]

    async def story(transceiver: RTCRtpTransceiver) -> None:
        sender = transceiver.sender
        sender.replaceTrack(Silence())
        encoder = aiortc_seams.TransformingOpusEncoder(lambda _: b"transformed")
        aiortc_seams.install_encoder(sender, encoder, "opus")
        frame = await sender._next_encoded_frame(opus_codec)
        assert frame is not None
        assert frame.payloads == [b"transformed"]
        with pytest.raises(aiortc_seams.EncoderReplacedError, match="PCMU"):
            await sender._next_encoded_frame(pcmu_codec)
        sender._RTCRtpSender__encoder = opus.OpusEncoder()  # type: ignore[attr-defined]
        with pytest.raises(aiortc_seams.EncoderReplacedError, match="OpusEncoder"):
            await sender._next_encoded_frame(opus_codec)
        sender._RTCRtpSender__encoder = None  # type: ignore[attr-defined]
        with pytest.raises(aiortc_seams.EncoderReplacedError, match="NoneType"):
            await sender._next_encoded_frame(opus_codec)

    with_transceiver("audio", story)


def test_a_packet_of_encoded_media_is_transformed_too() -> None:
    """aiortc also takes tracks that yield encoded packets."""
    packet = Packet(b"encoded elsewhere")
    packet.pts, packet.time_base = 0, Fraction(1, 48_000)
    audio = aiortc_seams.TransformingOpusEncoder(lambda frame: frame[::-1])
    assert audio.pack(packet) == ([b"erehwesle dedocne"], 0)
    video = aiortc_seams.TransformingVp8Encoder(lambda frame: frame[::-1])
    assert [vpx.vp8_depayload(each) for each in video.pack(packet)[0]] == [b"erehwesle dedocne"]


def test_key_frame_requests_pass_only_if_they_are_permitted() -> None:
    async def story(transceiver: RTCRtpTransceiver) -> None:
        sent: list[int] = []

        async def send(media_ssrc: int) -> None:
            sent.append(media_ssrc)

        permitted = iter([True, False, True])
        transceiver.receiver._send_rtcp_pli = send  # type: ignore[method-assign]
        aiortc_seams.filter_key_frame_requests(transceiver.receiver, lambda: next(permitted))
        for ssrc in (1, 2, 3):
            await transceiver.receiver._send_rtcp_pli(ssrc)
        assert sent == [1, 3]
        aiortc_seams.filter_key_frame_requests(transceiver.receiver, lambda: True)
        await transceiver.receiver._send_rtcp_pli(4)  # nobody is asked who was asked before
        assert sent == [1, 3, 4]

    with_transceiver("video", story)


ABS_SEND_TIME = RTCRtpHeaderExtensionParameters(
    id=3, uri="http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
)


@pytest.mark.requirement("FRAME-21")
@pytest.mark.parametrize(
    "element",
    [
        pytest.param("300000", id="shorter-than-its-kind"),
        pytest.param("3f0000", id="cut-off"),
        pytest.param("ff0000", id="cut-off-after-identifier-15"),
    ],
)
def test_a_packet_is_taken_whatever_is_in_its_header_extension(element: str) -> None:
    async def story(transceiver: RTCRtpTransceiver) -> None:
        taken: list[RtpPacket] = []

        async def take(packet: RtpPacket, arrival_time_ms: int) -> None:
            taken.append(packet)

        transport, receiver = transceiver.receiver.transport, transceiver.receiver
        aiortc_seams.forgive_header_extensions(transceiver)
        receiver._handle_rtp_packet = take  # type: ignore[method-assign]
        codec = RTCRtpCodecParameters("audio/opus", 48_000, 2, 111)
        parameters = RTCRtpReceiveParameters(codecs=[codec], headerExtensions=[ABS_SEND_TIME])
        transport._register_rtp_receiver(receiver, parameters)
        header = bytes.fromhex("906f0001 00000002 00000003 bede0001")
        await transport._handle_rtp_data(header + bytes.fromhex(element + "00") + b"frame", 0)
        assert [packet.payload for packet in taken] == [b"frame"]

    with_transceiver("audio", story)


def test_a_lost_packet_is_asked_for_again_until_it_comes() -> None:
    time = 0
    nacks = aiortc_seams.PersistentNacks(lambda: time)

    def asks(number: int) -> bool:
        return nacks.add(RtpPacket(97, 0, number, number))

    assert [asks(number) for number in (1, 2, 4, 5)] == [False, False, True, False]
    time = nacks.INTERVAL
    assert [asks(number) for number in (6, 7)] == [True, False]
    time = 2 * nacks.INTERVAL
    assert not asks(3)
    assert not asks(8)


def test_a_frame_is_not_delivered_where_nobody_decodes_it() -> None:
    async def story(transceiver: RTCRtpTransceiver) -> None:
        assert not aiortc_seams.deliver(transceiver.receiver, 97, b"frame", 0)

    with_transceiver("video", story)


class Decoded:
    """Where a decoder puts what it decoded."""

    def __init__(self) -> None:
        self.frames: list[object] = []
        self.ended = asyncio.Event()

    async def put(self, frame: object) -> None:
        if frame is None:
            self.ended.set()
        else:
            self.frames.append(frame)


def opus_packets(count: int) -> list[bytes]:
    encoder, packets = opus.OpusEncoder(), []
    for number in range(count):
        frame = AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 960 * number, Fraction(1, 48_000)
        packets += encoder.encode(frame)[0]
    return packets


def test_another_stream_gets_a_decoder_of_its_own() -> None:
    """What the first one has still to decode goes where the first one's frames go."""

    async def story() -> None:
        one, other = RTCPeerConnection(), RTCPeerConnection()
        one.addTransceiver("audio", "sendonly")
        await one.setLocalDescription(await one.createOffer())
        await other.setRemoteDescription(one.localDescription)
        receiver = other.getReceivers()[0]
        first, second, third = Decoded(), Decoded(), Decoded()
        assert aiortc_seams.decode_anew(receiver, first) is None, "its thread was not started yet"
        await other.setLocalDescription(await other.createAnswer())
        await receiver.receive(other._RTCPeerConnection__remoteRtp(other.getTransceivers()[0]))  # type: ignore[attr-defined]
        packets = opus_packets(9)
        for number, packet in enumerate(packets[:6]):
            assert aiortc_seams.deliver(receiver, 96, packet, 5_000 + 960 * number)
        former = aiortc_seams.decode_anew(receiver, second)
        assert former is not None
        for number, packet in enumerate(packets[6:]):
            assert aiortc_seams.deliver(receiver, 96, packet, 960 * number)
        latter = aiortc_seams.decode_anew(receiver, third)
        assert latter is not None
        await asyncio.gather(first.ended.wait(), second.ended.wait())
        assert len(first.frames) == 6
        assert [frame.pts for frame in second.frames] == [0, 960, 1920]  # type: ignore[attr-defined]
        assert third.frames == []
        for thread in (former, latter):
            await asyncio.to_thread(thread.join)
        await asyncio.gather(one.close(), other.close())

    asyncio.run(story())


def test_a_transceiver_that_never_starts_has_no_thread_and_no_task() -> None:
    async def story(transceiver: RTCRtpTransceiver) -> None:
        aiortc_seams.never_start(transceiver)
        await transceiver.receiver.receive(RTCRtpReceiveParameters())
        await transceiver.sender.send(RTCRtpSendParameters())
        assert transceiver.receiver._RTCRtpReceiver__decoder_thread is None  # type: ignore[attr-defined]
        assert transceiver.sender._RTCRtpSender__rtp_task is None  # type: ignore[attr-defined]
        await transceiver.stop()

    with_transceiver("video", story)


def test_packets_go_past_aiortc_and_nothing_else_does(
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    """Two ends of one connection: what one sends comes to the other as it was, and a stranger's datagram does not."""
    received: list[bytes] = []

    def spoilt(packet: bytes) -> None:
        received.append(packet)
        raise KeyError

    async def story() -> None:
        ends = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
        paths = []
        for end, rtp in zip(ends, (received.append, spoilt), strict=True):
            transceiver = end.addTransceiver("audio")
            aiortc_seams.never_start(transceiver)
            aiortc_seams.gather_only(transceiver, ["127.0.0.1"])
            paths.append(aiortc_seams.PacketPath(transceiver, rtp, received.append))
        one, other = paths
        packet, report = b"\x80\x60\0\1" + bytes(8) + b"payload", b"\x81\xc9\0\1\0\0\0\1"
        assert not one.send(packet)
        await ends[0].setLocalDescription(await ends[0].createOffer())
        await ends[1].setRemoteDescription(ends[0].localDescription)
        await ends[1].setLocalDescription(await ends[1].createAnswer())
        for end in ends:
            aiortc_seams.demultiplex(end.getTransceivers()[0])
        await ends[0].setRemoteDescription(ends[1].localDescription)
        await until(lambda: {end.connectionState for end in ends} == {"connected"})
        connection = ends[0].getTransceivers()[0].receiver.transport.transport._connection
        for forged in (b"", packet + bytes(16), report + bytes(30), bytes(1_600), b"\xff" * 30):
            connection.data_received(forged, 1)
        assert one.send(packet)
        assert one.send_rtcp(report)
        assert not one.send(bytes([0x80, 96]) + bytes(1_400)), "libsrtp has no room for it"
        assert one.dropped == 1
        assert other.send(packet)
        await until(lambda: len(received) == 3)
        assert sorted(received) == sorted([packet, report, packet])
        assert {end.connectionState for end in ends} == {"connected"}
        await ends[0].close()
        assert not one.send(packet)
        await ends[1].close()

    asyncio.run(story())


def test_an_empty_packet_ends_a_decoder_of_libav_for_good() -> None:
    """Why ``deliver`` lets none through. Should this fail, libav has changed for the better."""
    encoder, decoder = opus.OpusEncoder(), opus.OpusDecoder()
    frame = AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    [payload], _ = encoder.encode(frame)
    assert decoder.decode(JitterFrame(payload, 0))
    decoder.decode(JitterFrame(b"", 960))
    with pytest.raises(av.error.EOFError):
        decoder.decode(JitterFrame(payload, 1920))


def test_a_connection_logs_its_states_and_no_description(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        quiet, other = RTCPeerConnection(), RTCPeerConnection()
        aiortc_seams.log_no_descriptions(quiet)
        for connection in (quiet, other):
            connection.addTransceiver("audio")
            await connection.setLocalDescription(await connection.createOffer())
            await connection.close()

    with caplog.at_level("DEBUG", "aiortc.rtcpeerconnection"):
        asyncio.run(story())
    described = [line for line in caplog.messages if "ice-pwd" in line]
    assert len(described) == 1  # of the other connection, which is somebody else's
    assert sum("connectionState" in line for line in caplog.messages) == 2
