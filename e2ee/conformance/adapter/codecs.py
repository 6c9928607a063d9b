"""The chapter Codecs."""

from __future__ import annotations

from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.media.codecs import CODECS, clear_length_of
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadFrame


@operation("codecs/clear-bytes")
@refusing
def clear_bytes(given: Given) -> Answer:
    """CODEC-1 to CODEC-3: what of a frame is clear."""
    frame, binding = bytes.fromhex(given["frame"]), CODECS[Codec(given["codec"])]
    if not frame or len(frame) < (length := binding.clear_length[frame[0]]):
        raise BadFrame(f"{len(frame)} bytes")
    clear, rest = frame[:length], frame[length:]
    return Accepted({"clear_length": length, "clear": clear.hex(), "rest": rest.hex()})


@operation("codecs/stream")
@refusing
def stream(given: Given) -> Answer:
    """CODEC-4: whether a stream of this kind may carry this codec."""
    clear_length_of(Codec(given["codec"]), Kind(given["kind"]))
    return Accepted()
