"""The chapter Codecs."""

from __future__ import annotations

from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.media import h264
from e2ee.media.codecs import clear_length_of, split
from e2ee.media.encoded_frame import Codec, Kind


@operation("codecs/clear-bytes")
@refusing
def clear_bytes(given: Given) -> Answer:
    """CODEC-1 to CODEC-3, CODEC-10 to CODEC-12, CODEC-15: what of a frame is clear."""
    clear, rest = split(Codec(given["codec"]), bytes.fromhex(given["frame"]))
    return Accepted({"clear_length": len(clear), "clear": clear.hex(), "rest": rest.hex()})


@operation("codecs/stream")
@refusing
def stream(given: Given) -> Answer:
    """CODEC-4: whether a stream of this kind may carry this codec."""
    clear_length_of(Codec(given["codec"]), Kind(given["kind"]))
    return Accepted()


@operation("codecs/h264-sending")
def h264_sending(given: Given) -> Answer:
    """CODEC-13: what goes to the packetiser."""
    protected = h264.joined(bytes.fromhex(given["clear"]), bytes.fromhex(given["sframe"]))
    return Accepted({"protected": protected.hex()})


@operation("codecs/h264-receiving")
@refusing
def h264_receiving(given: Given) -> Answer:
    """CODEC-14: what a depacketiser gives, taken apart."""
    clear, sframe = h264.parted(bytes.fromhex(given["frame"]))
    return Accepted({"clear": clear.hex(), "sframe": sframe.hex()})
