"""The seams: every private name of aiortc and aioice that this project touches, and nothing else.

aiortc (pinned: 1.16.0) has no API for encoded frames: a sender encodes and packetises in one step, a receiver
reassembles and decodes in one step. This package opens those two steps, on single objects, never on classes or
modules, so another user of aiortc in the same process notices nothing:

    sender     track.recv -> encode, [Transforming...Encoder], packetise -> RTP -> SRTP
    receiver   SRTP -> RTP, padding stripped, RTX unwrapped, [PersistentNacks] -> [...FrameBuffer | another sink] -> [deliver] -> decoder
               -> [decode_into, decode_anew]; [follow_codecs] with each description
    transport  [gather_only] UDP -> [demultiplex] [accept_only_possible_datagrams] -> DTLS, SRTP
               -> [note_arrivals] -> [forgive_header_extensions] -> [route_retransmissions]
    or else    UDP -> [demultiplex] [PacketPath] -> packets of a unit that forwards them

It knows no key, no cipher and no policy. ``tests/rtc/test_aiortc_seams.py`` holds every name, signature and call
place that is relied on here and fails, saying where to look, when a new aiortc moves one of them.
"""

from __future__ import annotations

from e2ee.aiortc_seams.connection import log_no_descriptions
from e2ee.aiortc_seams.forwarding import PacketPath, never_start
from e2ee.aiortc_seams.receiving import (
    AudioFrameBuffer,
    DecodedFrames,
    FrameBuffer,
    PacketSink,
    PersistentNacks,
    ReassembledFrame,
    VideoFrameBuffer,
    decode_anew,
    decode_into,
    deliver,
    filter_key_frame_requests,
    follow_codecs,
    install_frame_buffer,
    install_packet_sink,
    persist_in_nacks,
)
from e2ee.aiortc_seams.sending import (
    EncoderReplacedError,
    TransformingH264Encoder,
    TransformingOpusEncoder,
    TransformingVp8Encoder,
    install_encoder,
)
from e2ee.aiortc_seams.transport import (
    accept_only_possible_datagrams,
    demultiplex,
    forgive_header_extensions,
    gather_only,
    note_arrivals,
    route_retransmissions,
)

__all__ = [
    "AIORTC_VERSION",
    "AudioFrameBuffer",
    "DecodedFrames",
    "EncoderReplacedError",
    "FrameBuffer",
    "PacketPath",
    "PacketSink",
    "PersistentNacks",
    "ReassembledFrame",
    "TransformingH264Encoder",
    "TransformingOpusEncoder",
    "TransformingVp8Encoder",
    "VideoFrameBuffer",
    "accept_only_possible_datagrams",
    "decode_anew",
    "decode_into",
    "deliver",
    "demultiplex",
    "filter_key_frame_requests",
    "follow_codecs",
    "forgive_header_extensions",
    "gather_only",
    "install_encoder",
    "install_frame_buffer",
    "install_packet_sink",
    "log_no_descriptions",
    "never_start",
    "note_arrivals",
    "persist_in_nacks",
    "route_retransmissions",
]

AIORTC_VERSION = "1.16.0"
"""The release that this package was written against."""
