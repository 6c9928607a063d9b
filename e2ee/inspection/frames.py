"""Protected frames: what of one stands in the clear, taken apart (chapters Frame format, Frame keys, Codecs)."""

from __future__ import annotations

from collections.abc import Iterable

from e2ee.errors import DecodeReason, Reason
from e2ee.inspection.errors import InspectionReason, InspectionUsageError, NotDecodable
from e2ee.inspection.part import Part
from e2ee.inspection.structures import Reading
from e2ee.media import h264
from e2ee.media.codecs import CODECS
from e2ee.media.encoded_frame import Codec
from e2ee.media.errors import BadFrame
from e2ee.media.reasons import RejectReason
from e2ee.sframe.errors import HeaderError, KeyIdError
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import KeyId, Kind
from e2ee.tls_syntax import Reader

__all__ = ["CODEC_NAMES", "SFRAME_RTP", "frame_of"]

SFRAME_RTP = "sframe-rtp"
"""The binding in which nothing is clear, whatever the codec."""

CODEC_NAMES = (*(codec.value for codec in Codec), SFRAME_RTP)

TAG = 16
"""FRAME-2."""


def frame_of(codec: str | None) -> Reading:
    """How a protected frame of this codec is read; None: of the first with which it is one. Raises InspectionUsageError."""
    if codec is not None and codec not in CODEC_NAMES:
        raise InspectionUsageError(InspectionReason.UNKNOWN_CODEC, codec)

    def read(reader: Reader, part: Part) -> None:
        _first_that_fits([codec] if codec else CODEC_NAMES, reader, part)

    return read


def _first_that_fits(codecs: Iterable[str], reader: Reader, part: Part) -> None:
    """The attempt that reads it all, or else the one that came furthest."""
    start, best, error = reader.position, part, None
    for codec in codecs:
        reader.position, attempt = start, Part(part.name, "", start)
        try:
            _read(codec, reader, attempt)
        except NotDecodable as stop:
            if error is None or stop.offset > error.offset:
                best, error = attempt, stop
        else:
            best, error = attempt, None
            break
    part.type, part.children, part.note = best.type, best.children, best.note
    part.size, part.references = reader.end - start, ("FRAME-1",)
    reader.position = reader.end
    if error is not None:
        raise error


def _read(codec: str, reader: Reader, part: Part) -> None:
    part.type = "protected frame"
    part.note = f"as {codec}"
    clear, rest, shift = _split(codec, reader)
    start = reader.position
    if clear:
        _add(part, "clear", f"opaque[{len(clear)}]", start, len(clear), clear.hex(), "CODEC-2")
    kind = _header(rest, start + shift, part)
    if codec != SFRAME_RTP and kind not in CODECS[Codec(codec)].kinds:
        detail = f"{kind.name.lower()} is no stream of {codec}"
        raise NotDecodable(RejectReason.WRONG_KIND, start + shift, detail)


def _split(codec: str, reader: Reader) -> tuple[bytes, bytes, int]:
    """(clear, SFrame, where that begins). In H.264 the offsets after that are as if EP were undone (CODEC-14)."""
    data = reader.data[reader.position : reader.end]
    if codec == Codec.H264:
        try:
            clear, rest = h264.parted(data)
        except BadFrame as error:
            raise NotDecodable(error.reason, reader.position, error.detail) from None
        # The slice's header byte and the two after it are as they came; of the start code before, one form is shorter.
        end = data.find(b"\0\0\1" + clear[-3:]) + 6
        return data[:end], rest, end
    length = 0 if codec == SFRAME_RTP else CODECS[Codec(codec)].clear_length[data[0]] if data else 1
    if not data or len(data) < length:
        raise _stop(RejectReason.TOO_SHORT, reader.position, f"{len(data)} bytes of {codec}")
    return data[:length], data[length:], length


def _header(rest: bytes, offset: int, part: Part) -> Kind:
    try:
        KID, CTR, end = decode_header(rest)
    except HeaderError as error:
        raise _stop(RejectReason.BAD_HEADER, offset, error.detail) from None
    header = _add(
        part, "header", "SFrame header", offset, end, None, "RFC 9605 Section 4.3", "FRAME-4"
    )
    kid_size = max(rest[0] >> 4, 7) - 7
    ctr_size = end - 1 - kid_size
    # What is below 8 stands in the first byte.
    kid = _number(header, "KID", offset + 1 if kid_size else offset, kid_size, KID, "FKEY-2")
    kid.note = f"{KID:#x}"
    _number(header, "CTR", offset + 1 + kid_size if ctr_size else offset, ctr_size, CTR, "FKEY-4")
    kind = _key_id(KID, kid)
    if len(rest) - end < TAG:
        detail = f"{len(rest) - end} bytes after the header, the tag alone has {TAG}"
        raise _stop(DecodeReason.TRUNCATED, offset + end, detail)
    sealed = len(rest) - end - TAG
    _add(
        part,
        "ciphertext",
        f"opaque[{sealed}]",
        offset + end,
        sealed,
        rest[end:-TAG].hex(),
        "FRAME-1",
    )
    _add(part, "tag", f"opaque[{TAG}]", offset + end + sealed, TAG, rest[-TAG:].hex(), "FRAME-2")
    return kind


def _number(part: Part, name: str, offset: int, size: int, value: int, reference: str) -> Part:
    return _add(
        part,
        name,
        f"{8 * size} bits" if size else "half a byte",
        offset,
        size or 1,
        value,
        reference,
    )


def _key_id(KID: int, part: Part) -> Kind:
    try:
        key_id = KeyId.decode(KID)
    except KeyIdError as error:
        part.problem = str(error)
        raise _stop(RejectReason.BAD_KID, part.offset, error.detail) from None
    for name, bits, value in (
        ("kind", "bits 14 to 16", key_id.kind),
        ("instance", "bits 18 to 21", key_id.instance),
        ("leaf_index", "bits 4 to 13", key_id.leaf_index),
        ("epoch", "bits 0 to 3", key_id.epoch_bits),
    ):
        _add(part, name, bits, part.offset, part.size, int(value), "FKEY-2")
    part.child("kind").note = key_id.kind.name.lower()
    part.child("epoch").note = "the epoch modulo 16"
    return key_id.kind


def _add(
    part: Part,
    name: str,
    type_name: str,
    offset: int,
    size: int,
    value: int | str | None,
    *references: str,
) -> Part:
    child = part.add(name, type_name, offset)
    child.size, child.value, child.references = size, value, references
    return child


def _stop(reason: Reason, offset: int, detail: str) -> NotDecodable:
    return NotDecodable(reason, offset, detail)
