"""What comes over the media path and what is said about it: packets, frames of several packets, session descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

from aiortc import RTCSessionDescription
from aiortc.codecs import depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from aiortc.sdp import SessionDescription

from e2ee.aiortc_seams import AudioFrameBuffer, VideoFrameBuffer
from e2ee.media.encoded_frame import Codec
from e2ee.rtc.description import checked_description, checked_unit_answer, checked_unit_offer
from e2ee.rtc.errors import DescriptionError
from e2ee.session_description import compact, parsed
from e2ee.sfu.description import answer_of, publishing_offer
from e2ee.sfu.errors import SfuError
from e2ee.sfu.rtp import abs_send_time, begins_vp8_key_frame, payload_of
from tests.fuzz.choices import Choices
from tests.fuzz.target import Faulty, refused, target

CODECS = {
    number: RTCRtpCodecParameters(f"video/{name}", 90_000, payloadType=number)
    for number, name in ((97, "VP8"), (98, "H264"), (99, "VP9"))
}
OPUS = RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)
MOST_WAITING = 512


def _packets() -> Iterator[bytes]:
    descriptor = bytes(VpxPayloadDescriptor(partition_start=1, partition_id=0, picture_id=300))
    for payload in (b"payload", descriptor + b"\x10key", descriptor + b"\x11"):
        packet = RtpPacket(97, 1, 7, 9, 11, payload)
        yield packet.serialize()
        packet.csrc = [1, 2]
        encoded = packet.serialize()
        yield bytes([encoded[0] | 0x20]) + encoded[1:] + b"\0\0\0\4"  # with padding
    yield bytes.fromhex(
        "90610007000000090000000bbede0001320000000001payload".replace("payload", "70")
    )


@target("rtp-packet", seeds=_packets, longest=1 << 12, refuses=False)
def rtp_packet(data: bytes) -> bool:
    """What a forwarding unit reads of a packet that has the length of a header, at least."""
    packet = data.ljust(12, b"\0")
    body = payload_of(packet)
    if body is not None and not (body[1] and packet.endswith(body[1])):
        raise Faulty("a payload that is not there")
    for extension_id in (1, 3, 14):
        time = abs_send_time(packet, extension_id)
        if time is not None and not 0 <= time < 1 << 24:
            raise Faulty(f"a time of more than 24 bits: {time}")
    begins_vp8_key_frame(data)
    if body is not None:
        begins_vp8_key_frame(body[1])
    return body is not None


def _streams() -> Iterator[bytes]:
    for is_video in (0, 1):
        data = bytes([is_video])
        for number, packet in enumerate(_packets()):
            numbered = packet[:2] + number.to_bytes(2, "big") + packet[4:]
            data += len(numbered).to_bytes(2, "big") + numbered
        yield data
        yield data[:1] + data[40:] + data[1:40]


@target("frame-buffer", seeds=_streams, refuses=False)
def frame_buffer(data: bytes) -> bool:
    """Packets of a stream, in any order: frames come out of a buffer, or wait, and not without end."""
    choices = Choices(data)
    is_video = choices.number() % 2
    buffer = (VideoFrameBuffer if is_video else AudioFrameBuffer)(_codec_of)
    waiting = frames = 0
    while choices.left:
        packet = _arrived(choices.piece())
        if packet is None:
            continue
        waiting += max(len(packet._data), len(packet.payload))  # type: ignore[attr-defined]
        for frame in buffer.reassemble(packet)[1]:
            frames += 1
            waiting -= len(frame.data)
            if not frame.data:
                raise Faulty("a frame of nothing")
    if waiting < 0:
        raise Faulty("more came out than went in")
    if isinstance(buffer, AudioFrameBuffer) and len(buffer._waiting) > buffer.PATIENCE:
        raise Faulty(f"{len(buffer._waiting)} packets wait")
    return frames > 0


def _codec_of(payload_type: int) -> str:
    return CODECS.get(payload_type, OPUS).name.lower()


def _arrived(data: bytes) -> RtpPacket | None:
    """A packet as aiortc's receiver passes it on: of one that is none, and of one without its codec's descriptor, nothing."""
    try:
        packet = RtpPacket.parse(data, HeaderExtensionsMap())
        codec = CODECS.get(packet.payload_type, OPUS)
        packet._data = depayload(codec, packet.payload) if packet.payload else b""  # type: ignore[attr-defined]
    except ValueError:
        return None
    return packet


# Session descriptions

AGREED = (Codec.OPUS, Codec.VP8, Codec.VP8)
CHOICES = ((Codec.OPUS,), (Codec.VP8, Codec.H264), (Codec.H264, Codec.VP8))

_SECTION = """\
m={kind} 9 UDP/TLS/RTP/SAVPF {number}
c=IN IP4 0.0.0.0
a={direction}
a=mid:{mid}
a=rtcp-mux
a=ssrc:{ssrc} cname:x
a=rtpmap:{number} {codec}
a=rtcp-fb:{number} nack pli
a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host
a=end-of-candidates
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 {digest}
a=setup:{setup}
"""
_CODECS = {Codec.OPUS: ("audio", 96, "opus/48000/2"), Codec.VP8: ("video", 97, "VP8/90000")}


@cache
def description(direction: str, setup: str = "actpass") -> str:
    """One of three streams: a microphone and two videos."""
    sections = ""
    for mid, codec in enumerate(AGREED):
        kind, number, name = _CODECS[codec]
        sections += _SECTION.format(
            kind=kind,
            number=number,
            codec=name,
            mid=mid,
            direction=direction,
            ssrc=1000 + mid,
            setup=setup,
            digest=":".join(["AB"] * 32),
        )
    head = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 1 2\na=msid-semantic:WMS *\n"
    return (head + sections).replace("\n", "\r\n")


def _descriptions() -> Iterator[bytes]:
    for direction in ("sendrecv", "sendonly", "recvonly", "inactive"):
        for setup in ("actpass", "active"):
            text = description(direction, setup)
            yield text.encode()
            yield compact(text).encode()
    yield b"v=0"


@target("session-description", seeds=_descriptions)
def session_description(data: bytes) -> bool:
    """A session description: of a peer, of a forwarding unit, and to one."""
    text = data.decode(errors="replace")
    with suppress(ValueError):
        parsed(text)
    accepted = False
    for checked in _checks(text):
        try:
            found = checked()
        except (DescriptionError, SfuError) as error:
            refused(error)
        else:
            parsed(found.sdp)
            parsed(compact(found.sdp))
            accepted = True
    return accepted


def _checks(text: str) -> Iterator[Callable[[], RTCSessionDescription]]:
    """Everything that judges a description, each giving what aiortc would get."""
    offered = SessionDescription.parse(description("sendonly")).media
    known = [(section.kind, section.rtp.muxId) for section in offered]
    yield lambda: checked_description(text, "offer", CHOICES, loopback=True)[0]
    yield lambda: checked_description(text, "answer", CHOICES, loopback=False)[0]
    yield lambda: checked_unit_answer(text, AGREED, loopback=False)
    yield lambda: checked_unit_offer(text, known, loopback=False)[0]
    yield lambda: publishing_offer(text)[0]
    yield lambda: answer_of(text, offered)[0]
