"""Between encoding and packetising: a sender whose frames are transformed, or not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from aiortc import RTCRtpSender
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from av import Packet
from av.frame import Frame

__all__ = [
    "EncoderReplacedError",
    "TransformingH264Encoder",
    "TransformingOpusEncoder",
    "TransformingVp8Encoder",
    "install_encoder",
]

FrameTransform = Callable[[bytes], "bytes | None"]
"""One encoded frame in, what is to be packetised out; None drops the frame. Runs in an executor thread."""


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


class TransformingH264Encoder(H264Encoder):
    """aiortc's H.264 encoder with a transform between encoding and packetising.

    ``H264Encoder._split_bitstream(buf)`` is called by ``_encode_frame`` and by ``pack``, with a whole frame as a byte stream,
    and yields the NAL units that are packetised.
    """

    def __init__(self, transform: FrameTransform) -> None:
        super().__init__()
        self._transform = transform

    def restart(self) -> None:
        """Begin anew with the next frame: other time stamps, another size, and no picture to refer to."""
        self.codec = None

    def _split_bitstream(self, buf: bytes) -> Iterator[bytes]:  # type: ignore[override]
        # A static method there, called as self._split_bitstream: this one needs its encoder's transform.
        frame = self._transform(buf)
        return super()._split_bitstream(frame) if frame else iter(())


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
    """Make ``sender`` encode with ``encoder`` only, from its first frame on, in the place of one that was installed before.

    ``RTCRtpSender._next_encoded_frame`` makes an encoder of its own only where ``__encoder`` is None. Should
    anything have put another one there, or negotiated another codec, the sender ends before it encodes
    (``_run_rtp`` ends on an exception): it fails closed.
    """
    there = sender._next_encoded_frame
    next_encoded_frame = getattr(there, "unguarded", there)

    async def guarded(codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        if _encoder(sender) is not encoder or codec.name.lower() != codec_name.lower():
            raise EncoderReplacedError(f"{codec.name} with {type(_encoder(sender)).__name__}")
        return cast("RTCEncodedFrame | None", await next_encoded_frame(codec))

    guarded.unguarded = next_encoded_frame  # type: ignore[attr-defined]
    sender._RTCRtpSender__encoder = encoder  # type: ignore[attr-defined]
    sender._next_encoded_frame = guarded  # type: ignore[method-assign]


def _encoder(sender: RTCRtpSender) -> Encoder | None:
    return cast("Encoder | None", sender._RTCRtpSender__encoder)  # type: ignore[attr-defined]
