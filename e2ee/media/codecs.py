"""The table of codecs: which bytes of a frame stay clear, and which streams carry the codec.

In the binding ``codec-compat`` "sender and receiver compute the number from the first byte alone" (CODEC-2): it is the
same byte in a frame and in the protected frame, or no byte is clear. H.264 alone is more work (``h264``). In ``sframe-rtp`` no
byte of any frame is clear (FRAME-17). A codec that is not in the table is not negotiated (CODEC-5). Video never takes the
place of kind 0 (CODEC-4), and nothing on RTP is of kind 4 (FRAME-5), because the table has no such row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.media import h264, opus, vp8, vp9
from e2ee.media.encoded_frame import Binding, Codec, Kind
from e2ee.media.errors import BadFrame, BadStream, MediaReason

__all__ = ["AUDIO", "CODECS", "VIDEO", "ClearLength", "CodecBinding", "clear_length_of", "split"]

ClearLength = tuple[int, ...]
"""How many bytes of a frame are clear, by its first byte: 256 numbers. None of them for H.264: see ``h264``."""

AUDIO = frozenset({Kind.MICROPHONE, Kind.SCREEN_AUDIO})
VIDEO = frozenset({Kind.CAMERA, Kind.SCREEN_VIDEO})

NOTHING: ClearLength = (0,) * 256


def _always(_: bytes) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class CodecBinding:
    """A row: the kinds of stream that a codec may be used on, what of it is clear, and where a decoder can begin.

    ``begins`` is asked of a frame that is not empty.
    """

    kinds: frozenset[Kind]
    clear_length: ClearLength
    begins: Callable[[bytes], bool] = _always


CODECS: Mapping[Codec, CodecBinding] = MappingProxyType(
    {
        Codec.OPUS: CodecBinding(AUDIO, opus.CLEAR_LENGTH),
        Codec.VP8: CodecBinding(VIDEO, vp8.CLEAR_LENGTH, vp8.is_key_frame),
        Codec.VP9: CodecBinding(VIDEO, vp9.CLEAR_LENGTH, vp9.is_key_frame),
        Codec.H264: CodecBinding(VIDEO, h264.CLEAR_LENGTH, h264.is_key_frame),
    }
)


def clear_length_of(
    codec: Codec, kind: Kind, binding: Binding = Binding.CODEC_COMPAT
) -> ClearLength:
    """What is clear of ``codec`` on a stream of ``kind``. Raises BadStream."""
    row = CODECS[codec]
    if kind not in row.kinds:
        raise BadStream(MediaReason.KIND_WITHOUT_CODEC, f"{codec} on {kind.name}")
    return NOTHING if binding is Binding.SFRAME_RTP else row.clear_length


def split(codec: Codec, frame: bytes) -> tuple[bytes, bytes]:
    """(clear, rest) of an encoder's frame in ``codec-compat``. Raises BadFrame: it cannot be sent (CODEC-3, CODEC-12)."""
    lengths = CODECS[codec].clear_length
    if not lengths:
        return h264.split(frame)
    if not frame or len(frame) < lengths[frame[0]]:
        raise BadFrame(f"{codec} frame of {len(frame)} bytes")
    return frame[: lengths[frame[0]]], frame[lengths[frame[0]] :]
