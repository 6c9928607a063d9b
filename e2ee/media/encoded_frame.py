"""What an encoder makes and a decoder takes: one frame of audio or video, whole, not encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from e2ee.sframe.mls import KeyId, Kind

__all__ = ["Binding", "Codec", "EncodedFrame", "Kind", "OpenedFrame"]


class Codec(StrEnum):
    """A codec that calls may use, by its name in SDP."""

    OPUS = "opus"
    VP8 = "VP8"
    VP9 = "VP9"
    H264 = "H264"


class Binding(StrEnum):
    """How a frame travels in RTP."""

    CODEC_COMPAT = "codec-compat"
    """In the codec's own payload format, whose packetisers see some bytes."""
    SFRAME_RTP = "sframe-rtp"
    """In that of SFrame, which shows nothing (FRAME-17)."""


@dataclass(slots=True)
class EncodedFrame:
    """One frame. Not frozen, because a frozen one takes four times as long to make."""

    codec: Codec
    data: bytes


@dataclass(slots=True)
class OpenedFrame(EncodedFrame):
    """A frame that authenticated. ``key_id`` says which member sent it and what it shows, whatever a server claims.

    ``epoch`` is the full epoch, ``CTR`` the frame's number under its key.
    """

    key_id: KeyId
    epoch: int
    CTR: int
