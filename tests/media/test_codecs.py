"""The table of codecs, which is the specification's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media.codecs import CODECS, clear_length_of, split
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadStream, MediaReason

ROWS = [
    (Codec.OPUS, Kind.MICROPHONE),
    (Codec.OPUS, Kind.SCREEN_AUDIO),
    (Codec.VP8, Kind.CAMERA),
    (Codec.VP8, Kind.SCREEN_VIDEO),
    (Codec.VP9, Kind.CAMERA),
    (Codec.VP9, Kind.SCREEN_VIDEO),
    (Codec.H264, Kind.CAMERA),
    (Codec.H264, Kind.SCREEN_VIDEO),
]


@pytest.mark.requirement("CODEC-5")
def test_every_codec_has_a_row_and_no_other() -> None:
    assert set(CODECS) == set(Codec)
    assert {(codec, kind) for codec, row in CODECS.items() for kind in row.kinds} == set(ROWS)


@pytest.mark.requirement("CODEC-1")
@given(first=st.integers(0, 255))
def test_no_byte_of_opus_is_clear(first: int) -> None:
    assert split(Codec.OPUS, bytes([first])) == (b"", bytes([first]))


@pytest.mark.requirement("CODEC-15")
@given(first=st.integers(0, 255))
def test_no_byte_of_vp9_is_clear(first: int) -> None:
    assert split(Codec.VP9, bytes([first])) == (b"", bytes([first]))


@pytest.mark.requirement("CODEC-2")
@given(first=st.integers(0, 255))
def test_ten_bytes_of_a_vp8_key_frame_are_clear_and_one_of_others(first: int) -> None:
    clear, _ = split(Codec.VP8, bytes([first]) + bytes(20))
    assert len(clear) == (10 if first % 2 == 0 else 1)


@pytest.mark.requirement("CODEC-4", "FRAME-5")
@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("kind", Kind)
def test_a_kind_carries_its_codecs_only(codec: Codec, kind: Kind) -> None:
    if (codec, kind) in ROWS:
        assert clear_length_of(codec, kind) is CODECS[codec].clear_length
        return
    with pytest.raises(BadStream) as refused:
        clear_length_of(codec, kind)
    assert refused.value.reason == MediaReason.KIND_WITHOUT_CODEC
