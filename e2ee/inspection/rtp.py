"""RTP packets (RFC 3550): the header, its extensions, and the protected frame in the payload as far as one packet shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from e2ee.errors import DecodeReason
from e2ee.inspection.errors import NotDecodable
from e2ee.inspection.frames import SFRAME_RTP, frame_of
from e2ee.inspection.part import Part
from e2ee.inspection.structures import Reading, look_into
from e2ee.media.encoded_frame import Codec
from e2ee.tls_syntax import Reader

__all__ = ["packet_of"]

_ONE_BYTE, _TWO_BYTE = 0xBEDE, 0x1000
"""RFC 8285 Sections 4.2 and 4.3: the profiles of header extensions."""


def packet_of(codec: str | None) -> Reading:
    """How a packet is read whose payload is of this codec, or of Opus if None."""

    def read(reader: Reader, part: Part) -> None:
        part.type, part.references = "RTP packet", ("RFC 3550 Section 5.1",)
        first, second = _fixed(reader, part)
        for index in range(first & 0x0F):
            _number(reader, part, f"csrc[{index}]", 4)
        if first & 0x10:
            _extensions(reader, part)
        padding = _padding(reader) if first & 0x20 else 0
        _payload(reader, part, padding, codec or Codec.OPUS, second)
        if padding:
            _take(reader, part.add("padding", "padding", reader.position), padding)
        part.size = reader.position - part.offset

    return read


def _fixed(reader: Reader, part: Part) -> tuple[int, int]:
    first = _number(reader, part, "version, padding, extension, csrc_count", 1)
    part.children[-1].note = f"{first >> 6}, {first >> 5 & 1}, {first >> 4 & 1}, {first & 15}"
    if first >> 6 != 2:
        raise _stop(part.children[-1], DecodeReason.UNKNOWN_VALUE, f"version {first >> 6}")
    second = _number(reader, part, "marker, payload_type", 1)
    part.children[-1].note = f"{second >> 7}, {second & 0x7F}"
    for name, size in (("sequence_number", 2), ("timestamp", 4), ("ssrc", 4)):
        _number(reader, part, name, size)
    return first, second


def _extensions(reader: Reader, part: Part) -> None:
    block = part.add("extensions", "header extensions", reader.position)
    block.references = ("RFC 8285 Section 4",)
    profile = _number(reader, block, "profile", 2)
    block.children[-1].note = f"{profile:#06x}"
    words = _number(reader, block, "length", 2)
    stop = reader.position + 4 * words
    if stop > reader.end:
        raise _stop(block, DecodeReason.TRUNCATED, f"{4 * words} bytes of extensions")
    if profile == _ONE_BYTE or profile & 0xFFF0 == _TWO_BYTE:
        while reader.position < stop:
            _element(reader, block, stop, header=1 if profile == _ONE_BYTE else 2)
    reader.position = stop
    block.size = stop - block.offset


def _element(reader: Reader, block: Part, stop: int, header: int) -> None:
    first = reader.data[reader.position]
    if not first:
        reader.position += 1  # padding
        return
    element = block.add("element", "header extension", reader.position)
    begin = reader.position + header
    size = (first & 0x0F) + 1 if header == 1 else reader.data[begin - 1] if begin <= stop else 0
    element.name = f"element {first >> 4 if header == 1 else first}"
    if begin + size > stop:
        raise _stop(element, DecodeReason.TRUNCATED, f"{size} bytes in {stop - begin}")
    element.size = header + size
    element.value = reader.data[begin : begin + size].hex()
    reader.position = begin + size


def _padding(reader: Reader) -> int:
    """RFC 3550 Section 5.1: the last byte says how many bytes of padding there are, itself among them."""
    last = reader.data[reader.end - 1]
    if not 0 < last <= reader.end - reader.position:
        raise NotDecodable(DecodeReason.BAD_LENGTH, reader.end - 1, f"padding of {last} bytes")
    return last


def _payload(reader: Reader, part: Part, padding: int, codec: str, second: int) -> None:
    size = reader.end - padding - reader.position
    payload = part.add("payload", f"opaque[{size}]", reader.position)
    payload.size = size
    if size:
        payload.value = reader.data[reader.position : reader.position + size].hex()
        _look_into(reader, payload, codec, last=bool(second & 0x80))
    reader.position = payload.offset + size


def _look_into(reader: Reader, payload: Part, codec: str, *, last: bool) -> None:
    """An audio packet holds a frame; of video, the packet that a frame begins in shows the frame's header."""
    descriptor = _DESCRIPTORS.get(codec)
    if descriptor is None:
        payload.note = f"payloads of {codec} are not looked into"
        return
    size, begins, ends = descriptor(reader.data[payload.offset : payload.offset + payload.size])
    if size:
        child = payload.add("descriptor", f"payload descriptor of {codec}", payload.offset)
        child.size = min(size, payload.size)
    if not begins or size >= payload.size:
        payload.note = "no frame begins here"
        return
    if not (ends or last):
        payload.note = "the beginning of a frame: its tag is in a later packet"
    look_into(payload, reader.data, payload.offset + size, payload.size - size, frame_of(codec))


def _opus(_payload: bytes) -> tuple[int, bool, bool]:
    """RFC 7587 Section 4.2: a payload is a frame."""
    return 0, True, True


def _vp8(payload: bytes) -> tuple[int, bool, bool]:
    """RFC 7741 Section 4.2: X, S and the partition; the marker says where the frame ends."""
    extended = payload[0] & 0x80
    flags = payload[1] if extended and len(payload) > 1 else 0
    picture_id = (2 if payload[2:3] >= b"\x80" else 1) if flags & 0x80 else 0
    more = 1 + picture_id + bool(flags & 0x40) + bool(flags & 0x30) if extended else 0
    return 1 + more, payload[0] & 0x17 == 0x10, False


def _sframe(payload: bytes) -> tuple[int, bool, bool]:
    """FRAME-18: S and E."""
    return 1, bool(payload[0] & 0x80), bool(payload[0] & 0x40)


_DESCRIPTORS: Mapping[str, Callable[[bytes], tuple[int, bool, bool]]] = {
    Codec.OPUS: _opus,
    Codec.VP8: _vp8,
    SFRAME_RTP: _sframe,
}
"""By the codec: a payload, which is not empty -> how long its descriptor is, whether a frame begins, whether it says that it ends."""


def _number(reader: Reader, part: Part, name: str, size: int) -> int:
    child = part.add(name, f"uint{8 * size}", reader.position)
    number = int.from_bytes(_take(reader, child, size), "big")
    child.value = number
    return number


def _take(reader: Reader, part: Part, size: int) -> bytes:
    left = reader.end - reader.position
    if left < size:
        raise _stop(part, DecodeReason.TRUNCATED, f"{size} bytes wanted, {left} left")
    part.size = size
    return reader.take(size)


def _stop(part: Part, reason: DecodeReason, detail: str) -> NotDecodable:
    error = NotDecodable(reason, part.offset, f"{part.name}: {detail}")
    part.problem = str(error)
    return error
