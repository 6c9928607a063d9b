"""What aiortc's H.264 encoder makes is what the chapter Codecs asks of a sender."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder, h264_depayload
from av import VideoFrame

from e2ee.aiortc_seams import TransformingH264Encoder
from e2ee.media import h264
from e2ee.vectorgen.encoder_output import RECORDINGS


def picture(number: int) -> VideoFrame:
    y, x = np.mgrid[0:240, 0:320]
    frame = VideoFrame.from_ndarray(((x + y + 9 * number) & 255).astype(np.uint8), format="gray")
    frame = frame.reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 30)
    return frame


def units(stream: bytes) -> list[bytes]:
    return [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]


class Bits:
    """H.264 Section 7.2 and 9.1, of a NAL unit without its header byte and its emulation prevention."""

    def __init__(self, unit: bytes) -> None:
        payload = unit[1:].replace(b"\0\0\3", b"\0\0")
        self._bits: Iterator[int] = (
            byte >> shift & 1 for byte in payload for shift in range(7, -1, -1)
        )

    def u(self, count: int) -> int:
        return int("".join(str(next(self._bits)) for _ in range(count)) or "0", 2)

    def ue(self) -> int:
        zeros = 0
        while not next(self._bits):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)


def restriction(sps: bytes) -> tuple[int, int, int] | None:
    """(max_num_reorder_frames, max_dec_frame_buffering, max_num_ref_frames); None without ``bitstream_restriction``.

    H.264 Sections 7.3.2.1.1 and E.1.1, for a baseline or main profile.
    """
    bits = Bits(sps)
    bits.u(24)  # profile, constraints, level
    bits.ue(), bits.ue()  # seq_parameter_set_id, log2_max_frame_num
    if (order_type := bits.ue()) == 0:
        bits.ue()
    assert order_type != 1
    references = bits.ue()
    bits.u(1), bits.ue(), bits.ue()  # gaps, width, height
    if not bits.u(1):
        bits.u(1)
    bits.u(1)
    if bits.u(1):  # frame_cropping
        [bits.ue() for _ in range(4)]
    if not bits.u(1):  # vui_parameters_present_flag
        return None
    if bits.u(1) and bits.u(8) == 255:  # aspect ratio
        bits.u(32)
    if bits.u(1):  # overscan
        bits.u(1)
    if bits.u(1):  # video_signal_type
        bits.u(4)
        if bits.u(1):
            bits.u(24)
    if bits.u(1):  # chroma_loc_info
        bits.ue(), bits.ue()
    if bits.u(1):  # timing
        bits.u(65)
    assert not bits.u(1)  # hrd parameters
    assert not bits.u(1)
    bits.u(1)  # pic_struct_present_flag
    if not bits.u(1):
        return None
    bits.u(1)
    [bits.ue() for _ in range(4)]
    return bits.ue(), bits.ue(), references


def parameter_set(frame: bytes) -> bytes:
    return next(unit for unit in units(frame) if unit[0] & 31 == 7)


@pytest.mark.requirement("CODEC-16")
def test_no_depacketiser_has_a_reason_to_rewrite_its_parameter_sets() -> None:
    made: list[bytes] = []
    encoder = TransformingH264Encoder(lambda frame: made.append(frame) or frame)  # type: ignore[func-returns-value]
    encoder.encode(picture(0))
    found = restriction(parameter_set(made[0]))
    assert found is not None
    reordered, buffered, references = found
    assert reordered == 0
    assert buffered <= references


@pytest.mark.requirement("CODEC-16")
def test_another_encoders_parameter_set_would_be_rewritten() -> None:
    """x264 with B frames reorders: the check above finds it."""
    main = RECORDINGS["h264-libx264-main"].frames["key-frame-0"]
    found = restriction(parameter_set(main))
    assert found is not None
    assert found[0] > 0


@pytest.mark.requirement("CODEC-10", "CODEC-13", "CODEC-19")
def test_every_key_frame_brings_its_parameter_sets_and_every_frame_comes_apart_again() -> None:
    made: list[bytes] = []

    def transform(frame: bytes) -> bytes:
        made.append(frame)
        return frame

    encoder = TransformingH264Encoder(transform)
    for number in range(12):
        payloads, _ = encoder.encode(picture(number), force_keyframe=number % 4 == 0)
        came = b"".join(map(h264_depayload, payloads))
        assert units(came) == units(made[-1])
        assert h264.is_key_frame(made[-1]) == (number % 4 == 0)
        if number % 4 == 0:
            assert [unit[0] & 31 for unit in units(made[-1])][:2] == [7, 8]
        clear, rest = h264.split(made[-1])
        assert h264.split(clear + rest) == (clear, rest)


def test_what_the_transform_drops_makes_no_packet() -> None:
    encoder = TransformingH264Encoder(lambda _: None)
    assert encoder.encode(picture(0))[0] == []
    assert H264Encoder._packetize([]) == []
