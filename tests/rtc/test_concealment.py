"""Sound that was lost on the way: how much is missing, what stands in for it, and where it ends."""

from __future__ import annotations

import av
import numpy as np
import pytest
from aiortc.codecs.opus import OpusDecoder, OpusEncoder
from aiortc.jitterbuffer import JitterFrame
from av.audio.frame import AudioFrame
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.opus import stand_in
from e2ee.rtc.concealment import Concealment
from e2ee.sframe.mls import KeyId

TOC = b"\x6c"
"""Hybrid, 20 ms, stereo, one frame: what aiortc's encoder makes with our options."""


def frame(CTR: int, epoch: int = 2, data: bytes = TOC, codec: Codec = Codec.OPUS) -> OpenedFrame:
    kind = Kind.MICROPHONE if codec is Codec.OPUS else Kind.CAMERA
    return OpenedFrame(codec, data + b"sound", KeyId(kind, 0, 1, epoch), epoch, CTR)


def between(before: OpenedFrame, after: OpenedFrame, first: int, second: int) -> list[int]:
    """The timestamps of what stands in between two frames with these timestamps."""
    concealment = Concealment()
    assert list(concealment.before(before, first)) == []
    return [timestamp for _, timestamp in concealment.before(after, second)]


@pytest.mark.requirement("FRAME-16")
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_each_missing_frame_is_concealed_up_to_a_tenth_of_a_second(first: int, lost: int) -> None:
    second = (first + 960 * (lost + 1)) % 2**32
    concealed = between(frame(7), frame(8 + lost), first, second)
    assert concealed == [(first + 960 * i) % 2**32 for i in range(1, min(lost, 5) + 1)]


@pytest.mark.requirement("FRAME-16")
def test_time_that_passes_without_a_lost_frame_is_not_filled() -> None:
    """Somebody was muted for ten seconds."""
    assert between(frame(7), frame(8), 0, 480_000) == []


@pytest.mark.requirement("FRAME-16")
def test_a_gap_in_the_counter_without_time_for_it_is_not_filled() -> None:
    assert between(frame(7), frame(100), 0, 960) == []
    assert between(frame(7), frame(100), 960, 0) == [1920, 2880, 3840, 4800, 5760]


@pytest.mark.requirement("FRAME-16")
def test_between_two_keys_nothing_is_known_to_be_missing() -> None:
    assert between(frame(7), frame(9, epoch=3), 0, 4 * 960) == []


def test_pictures_are_not_concealed() -> None:
    assert between(frame(7, codec=Codec.VP8), frame(9, codec=Codec.VP8), 0, 9000) == []


def test_a_packet_of_several_frames_has_no_stand_in() -> None:
    assert [stand_in(bytes([0x6C | code]) + b"sound") is None for code in range(4)] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("configuration", "milliseconds"),
    [(0, 10), (1, 20), (2, 40), (3, 60), (11, 60), (12, 10), (13, 20), (15, 20), (16, 2.5), (19, 20), (31, 20)],
)  # fmt: skip
def test_the_duration_of_a_frame_is_read_off_its_first_byte(
    configuration: int, milliseconds: float
) -> None:
    stands_in = stand_in(bytes([configuration << 3]))
    assert stands_in is not None
    assert stands_in.samples == milliseconds * 48
    decoder = OpusDecoder()
    [decoded] = decoder.decode(JitterFrame(stands_in.packet, 0))
    assert isinstance(decoded, AudioFrame)
    assert decoded.samples == stands_in.samples


def test_a_decoder_goes_on_from_what_it_had_and_fades() -> None:
    av.logging.set_level(av.logging.PANIC)
    encoder, decoder = OpusEncoder(), OpusDecoder()
    loudness = []
    for number in range(12):
        time = (960 * number + np.arange(960)) / 48_000
        samples = (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
        sound = AudioFrame.from_ndarray(np.repeat(samples, 2).reshape(1, -1), "s16", "stereo")
        sound.sample_rate, sound.pts, sound.time_base = (
            48_000,
            960 * number,
            encoder.codec.time_base,
        )
        [[packet], timestamp] = encoder.encode(sound)
        stands_in = stand_in(packet)
        assert stands_in is not None
        packet = stands_in.packet if number >= 8 else packet
        [decoded] = decoder.decode(JitterFrame(packet, timestamp))
        assert isinstance(decoded, AudioFrame)
        loudness.append(float(np.abs(decoded.to_ndarray()).mean()))
    assert loudness[8] > loudness[7] / 2
    assert loudness[8] > loudness[9] > loudness[10] > loudness[11]
