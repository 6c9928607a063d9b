"""The table of codecs in the binding ``codec-compat``: which bytes stay clear, and which streams carry the codec.

"Sender and receiver compute the number from the first byte alone" (CODEC-2): it is the same byte in a frame and in
the protected frame, or no byte is clear. A codec that is not in the table is not negotiated (CODEC-5). Video never takes
the place of kind 0 (CODEC-4), and nothing on RTP is of kind 4 (FRAME-5), because the table has no such row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.media import opus, vp8
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadStream, MediaReason

__all__ = ["CODECS", "ClearLength", "CodecBinding", "clear_length_of"]

ClearLength = tuple[int, ...]
"""How many bytes of a frame are clear, by its first byte: 256 numbers."""

AUDIO = frozenset({Kind.MICROPHONE, Kind.SCREEN_AUDIO})
VIDEO = frozenset({Kind.CAMERA, Kind.SCREEN_VIDEO})


@dataclass(frozen=True, slots=True)
class CodecBinding:
    """A row: the kinds of stream that a codec may be used on, and what of it is clear."""

    kinds: frozenset[Kind]
    clear_length: ClearLength


CODECS: Mapping[Codec, CodecBinding] = MappingProxyType(
    {
        Codec.OPUS: CodecBinding(AUDIO, opus.CLEAR_LENGTH),
        Codec.VP8: CodecBinding(VIDEO, vp8.CLEAR_LENGTH),
    }
)


def clear_length_of(codec: Codec, kind: Kind) -> ClearLength:
    """What is clear of ``codec`` on a stream of ``kind``. Raises BadStream."""
    binding = CODECS[codec]
    if kind not in binding.kinds:
        raise BadStream(MediaReason.KIND_WITHOUT_CODEC, f"{codec} on {kind.name}")
    return binding.clear_length
