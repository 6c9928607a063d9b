"""H.264's split, against what a packetiser and a depacketiser do with a byte stream."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.media import h264
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import BadFrame, MediaReason
from e2ee.media.reasons import RejectReason

SPS, PPS = bytes.fromhex("6742c01e 8c8d40"), bytes.fromhex("68ce3c80")
SEI, AUD = bytes.fromhex("0605ff 0203 80"), bytes.fromhex("09f0")
SLICE, IDR = bytes.fromhex("419a02"), bytes.fromhex("658880")

START_CODES = [b"\0\0\1", b"\0\0\0\1", b"\0\0\0\0\0\1"]

start_codes = st.sampled_from(START_CODES)
other_units = st.sampled_from([SPS, PPS, SEI, AUD])
slices = st.builds(bytes.__add__, st.sampled_from([SLICE, IDR]), st.binary(max_size=40))
few_bytes = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 0x80, 0x65]), max_size=60).map(bytes)
"""Bytes of which many are to be escaped."""


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """What encoders make: parameter sets and the like, then slices, behind start codes of any length."""
    units = [*draw(st.lists(other_units, max_size=3)), draw(slices)]
    units += draw(st.lists(slices, max_size=2))
    return b"".join(draw(start_codes) + unit for unit in units)


def units_of(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream, as a packetiser reads it (H.264 Annex B.3): zeros before a start code are nobody's."""
    return (unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:])


def through_rtp(stream: bytes) -> bytes:
    """A packetiser, and a depacketiser that writes the long start code."""
    return b"".join(h264.START_CODE + unit for unit in units_of(stream))


def escaped(zeros: int, payload: bytes) -> bytes:
    """H.264 Section 7.4.1, a byte at a time."""
    out = bytearray()
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


@pytest.mark.requirement("CODEC-10", "CODEC-11")
@given(frames())
def test_the_clear_part_ends_two_bytes_after_the_first_slices_header(frame: bytes) -> None:
    clear, rest = h264.split(frame)
    *before, first = units_of(clear)
    assert all(unit[0] & 31 not in (1, 5) for unit in before)
    assert first[0] & 31 in (1, 5)
    assert len(clear) == sum(4 + len(unit) for unit in before) + 4 + 3
    assert frame.endswith(rest)
    assert clear == through_rtp(frame[: len(frame) - len(rest)] + b"\xff")[:-1]


@pytest.mark.requirement("CODEC-13")
@given(frame=frames(), sframe=few_bytes)
@example(frame=b"\0\0\1\x41\0\0", sframe=b"\0\0\1")
@example(frame=b"\0\0\1\x41\x9a\0", sframe=b"\0\1")
@example(frame=b"\0\0\1\x41\x9a\0", sframe=b"")
def test_emulation_prevention_looks_back_into_the_clear_part(frame: bytes, sframe: bytes) -> None:
    clear, _ = h264.split(frame)
    zeros = len(clear) - len(clear.rstrip(b"\0"))
    assert h264.joined(clear, sframe) == clear + escaped(zeros, sframe + b"\x80")


@pytest.mark.requirement("CODEC-13", "CODEC-14")
@given(frame=frames(), sframe=st.one_of(few_bytes, st.binary(max_size=200)))
def test_what_is_sent_survives_a_packetiser_and_comes_apart_again(
    frame: bytes, sframe: bytes
) -> None:
    clear, _ = h264.split(frame)
    sent = h264.joined(clear, sframe)
    assert not re.search(rb"\0\0[\0\1\2]", sent[len(clear) - 3 :])
    assert through_rtp(sent) == sent
    assert h264.parted(sent) == (clear, sframe)


@pytest.mark.requirement("CODEC-11")
@given(frame=frames(), sframe=st.binary(max_size=60), short=st.sampled_from(START_CODES))
def test_a_depacketiser_may_write_the_start_codes_as_it_likes(
    frame: bytes, sframe: bytes, short: bytes
) -> None:
    clear, _ = h264.split(frame)
    sent = h264.joined(clear, sframe)
    came = b"".join(short + unit for unit in units_of(sent))
    assert h264.parted(came) == (clear, sframe)


@pytest.mark.requirement("CODEC-3", "CODEC-12", "CODEC-14")
@given(st.one_of(st.binary(max_size=80), few_bytes, frames()))
def test_whatever_comes_is_taken_apart_or_refused_for_a_reason_of_the_chapter(data: bytes) -> None:
    try:
        clear, sframe = h264.parted(data)
    except BadFrame as refused:
        assert refused.reason in {
            MediaReason.TOO_SHORT,
            MediaReason.NO_SLICE,
            MediaReason.BAD_ENDING,
        }
        return
    assert h264.parted(h264.joined(clear, sframe)) == (clear, sframe)


@pytest.mark.requirement("CODEC-3", "CODEC-12")
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", MediaReason.TOO_SHORT),
        (b"\0\0\1\x65", MediaReason.TOO_SHORT),
        (b"\0\0\1\x65\x88", MediaReason.TOO_SHORT),
        (b"\0\0\1", MediaReason.NO_SLICE),
        (b"\x65\x88\x80", MediaReason.NO_SLICE),
        (b"\x80\0\0\1\x65\x88\x80", MediaReason.NO_SLICE),
        (b"\0\0\1" + SPS + b"\0\0\1" + PPS, MediaReason.NO_SLICE),
        (b"\0\0\1\x42\x88\x80", MediaReason.NO_SLICE),  # data partition A
    ],
)
def test_a_frame_without_its_clear_bytes_is_refused(frame: bytes, reason: MediaReason) -> None:
    with pytest.raises(BadFrame) as refused:
        h264.split(frame)
    assert refused.value.reason == reason


def test_a_long_run_of_anything_is_looked_at_once() -> None:
    """Half a megabyte of each: looking at it twice for each byte would take minutes."""
    size = 1 << 19
    beginning = b"\0\0\1" + SLICE
    for hostile in (
        bytes(size),
        b"\0\0\1" * (size // 3),
        b"\0\0\3" * (size // 3),
        b"\0\0\1\x67" * (size // 4),
        beginning + bytes(size),
        beginning + b"\0\0\3" * (size // 3) + b"\x80",
    ):
        try:
            clear, sframe = h264.parted(hostile)
        except BadFrame:
            continue
        assert h264.parted(h264.joined(clear, sframe)) == (clear, sframe)


@pytest.mark.requirement("CODEC-10", "CODEC-14", "FRAME-3")
def test_every_truncation_of_a_protected_frame_is_refused(new_scene: type) -> None:
    scene = new_scene(Kind.CAMERA, codec=Codec.H264)
    scene.apply(5)
    frame = b"".join(START_CODES[1] + unit for unit in (SPS, PPS, IDR + bytes(range(40))))
    sent = scene.sender(0, 5).frame(frame)
    reasons = [scene.refused(sent[:length]) for length in range(len(sent))]
    clear = len(h264.split(frame)[0])
    assert set(reasons[1 : clear - 2]) == {RejectReason.NO_SLICE}
    assert {reasons[0], *reasons[clear - 2 : clear]} == {RejectReason.TOO_SHORT}
    assert set(reasons[clear:]) <= {
        RejectReason.BAD_ENDING,
        RejectReason.BAD_HEADER,
        RejectReason.NOT_AUTHENTIC,
    }
    opened = scene.open(sent)
    assert isinstance(opened, OpenedFrame)
    assert opened.data == frame
