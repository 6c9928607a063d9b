"""A protected frame shows whose it is and of which stream, and a packet shows the frame in it; no key is needed."""

from __future__ import annotations

import struct

import pytest

from e2ee.inspection import Inspection, inspect
from e2ee.media import h264
from e2ee.sframe.header import encode_header
from e2ee.sframe.mls import KeyId, Kind

TAG = bytes(range(100, 116))
CAMERA = KeyId(Kind.CAMERA, 2, 700, 9)
MICROPHONE = KeyId(Kind.MICROPHONE, 0, 3, 1)


def protected(clear: bytes, key_id: KeyId, counter: int, sealed: bytes = b"sealed") -> bytes:
    return clear + encode_header(key_id.encode(), counter) + sealed + TAG


def named(found: Inspection) -> dict[str, object]:
    return {part.name: part.value for part in found.part.walk()}


@pytest.mark.requirement("FRAME-4", "FKEY-2")
@pytest.mark.parametrize(
    ("codec", "frame", "clear"),
    [
        ("opus", protected(b"", MICROPHONE, 300), None),
        ("VP8", protected(b"\x01", CAMERA, 300), "01"),
        ("VP8", protected(b"\x00" * 10, CAMERA, 300), "00" * 10),
        ("VP9", protected(b"", CAMERA, 300), None),
        ("sframe-rtp", protected(b"", CAMERA, 300), None),
    ],
)
def test_a_frame_shows_its_key_and_its_counter(codec: str, frame: bytes, clear: str | None) -> None:
    found = inspect(frame, "frame", codec)
    key_id = MICROPHONE if codec == "opus" else CAMERA
    assert found.stopped is None
    assert (
        named(found).items()
        >= {
            "KID": key_id.encode(),
            "kind": key_id.kind,
            "instance": key_id.instance,
            "leaf_index": key_id.leaf_index,
            "epoch": key_id.epoch_bits,
            "CTR": 300,
            "tag": TAG.hex(),
        }.items()
    )
    assert named(found).get("clear") == clear
    assert found.part.child("tag").offset + 16 == len(frame)


@pytest.mark.parametrize("kid", [1, 7, 8, 255, 256, 65_535, 65_536, 1 << 21])
@pytest.mark.parametrize("counter", [0, 7, 8, 255, 256, 65_536, (1 << 24) - 1])
def test_parts_of_a_header_lie_where_they_are(kid: int, counter: int) -> None:
    frame = encode_header(kid, counter) + bytes(16)
    header = inspect(frame, "frame", "sframe-rtp").part.child("header")
    for name, value in (("KID", kid), ("CTR", counter)):
        part = header.child(name)
        if value > 7:
            assert int.from_bytes(frame[part.offset : part.offset + part.size], "big") == value
        else:
            assert (part.offset, part.size) == (0, 1)


@pytest.mark.requirement("CODEC-14")
def test_a_frame_of_h264_is_taken_apart_after_its_first_slice() -> None:
    clear = h264.START_CODE + b"\x67parameters" + h264.START_CODE + b"\x65ab"
    frame = h264.joined(clear, protected(b"", CAMERA, 0))
    found = inspect(frame, "frame", "H264")
    assert found.stopped is None
    assert named(found)["clear"] == clear.hex()
    assert named(found)["leaf_index"] == 700
    assert found.part.child("header").offset == len(clear)


@pytest.mark.parametrize(
    ("codec", "frame", "reason", "offset"),
    [
        ("opus", b"", "TOO_SHORT", 0),
        ("VP8", b"\x00" * 9, "TOO_SHORT", 0),
        ("opus", b"\x99\x01", "BAD_HEADER", 0),
        ("opus", b"\x80\x07" + bytes(16), "BAD_HEADER", 0),
        ("opus", encode_header(1 << 22, 0) + bytes(16), "BAD_KID", 1),
        ("opus", encode_header(1 << 17, 0) + bytes(16), "BAD_KID", 1),
        ("opus", protected(b"", CAMERA, 0), "WRONG_KIND", 0),
        ("opus", protected(b"", MICROPHONE, 0)[:-8], "TRUNCATED", 2),
        ("H264", b"no slice", "NO_SLICE", 0),
    ],
)
def test_a_frame_that_is_none_is_refused_for_its_reason(
    codec: str, frame: bytes, reason: str, offset: int
) -> None:
    found = inspect(frame, "frame", codec)
    assert found.stopped is not None
    assert (found.stopped.reason, found.stopped.offset) == (reason, offset)


def packet(payload: bytes, *, first: int = 0x80, second: int = 96, more: bytes = b"") -> bytes:
    return struct.pack("!BBHLL", first, second, 7, 48_000, 0x1234) + more + payload


def test_a_packet_of_audio_is_recognised_by_the_frame_in_it() -> None:
    found = inspect(packet(protected(b"", MICROPHONE, 300)))
    assert (found.kind, found.stopped) == ("rtp", None)
    assert named(found).items() >= {"sequence_number": 7, "ssrc": 0x1234, "leaf_index": 3}.items()


def test_a_packet_has_extensions_contributors_and_padding() -> None:
    extensions = b"\xbe\xde\x00\x02" + b"\x10a" + b"\x32bcd" + b"\x00\x00"
    data = packet(
        protected(b"", MICROPHONE, 0) + b"\0\0\x03",
        first=0xB1,
        more=struct.pack("!L", 99) + extensions,
    )
    found = inspect(data, "rtp")
    assert found.stopped is None
    assert named(found).items() >= {"csrc[0]": 99, "element 1": "61", "element 3": "626364"}.items()
    assert found.part.child("padding").size == 3
    assert named(found)["tag"] == TAG.hex()


@pytest.mark.parametrize(
    ("codec", "descriptor", "clear"),
    [
        ("VP8", b"\x10", b"\x01"),
        ("VP8", b"\x90\xe0\x81\x23\x05\x20", b"\x01"),
        ("sframe-rtp", b"\xc0", b""),
    ],
)
def test_what_a_packet_begins_with_is_looked_over(
    codec: str, descriptor: bytes, clear: bytes
) -> None:
    data = packet(descriptor + protected(clear, CAMERA, 5), second=0x80 | 97)
    found = inspect(data, "rtp", codec)
    assert named(found).items() >= {"leaf_index": 700, "CTR": 5}.items()
    assert not any(part.problem for part in found.part.walk())


def test_a_packet_in_the_middle_of_a_frame_is_not_looked_into() -> None:
    found = inspect(packet(b"\x00" + bytes(30)), "rtp", "VP8")
    assert (found.stopped, "KID" in named(found)) == (None, False)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80\x60\x00", "TRUNCATED"),
        (packet(b"x", first=0x00), "UNKNOWN_VALUE"),
        (packet(b"\x00", first=0xA0), "BAD_LENGTH"),
        (packet(b"\x09", first=0xA0), "BAD_LENGTH"),
        (packet(b"", first=0x90, more=b"\xbe\xde\x00\x09"), "TRUNCATED"),
        (packet(b"", first=0x90, more=b"\xbe\xde\x00\x01\x1fabc"), "TRUNCATED"),
    ],
)
def test_a_packet_that_is_none_is_refused_for_its_reason(data: bytes, reason: str) -> None:
    found = inspect(data, "rtp")
    assert found.stopped is not None
    assert found.stopped.reason == reason
