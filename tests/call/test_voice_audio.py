"""The audio of a voice message: whole Opus packets of 20 ms, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.voice_audio import MAX_PACKET, join_packets, split_packets
from e2ee.errors import DecodeError, DecodeReason

SILK_20_MS, CELT_20_MS, CELT_10_MS = b"\x48", b"\xf8", b"\xf0"

TOCS = st.sampled_from([config << 3 | stereo for config in (1, 9, 13, 15, 31) for stereo in (0, 4)])
PACKETS = st.builds(lambda toc, frame: bytes([toc]) + frame, TOCS, st.binary(max_size=100))


@pytest.mark.requirement("LETTER-5")
@given(st.lists(PACKETS, min_size=1, max_size=20))
def test_packets_come_out_as_they_went_in(packets: list[bytes]) -> None:
    assert split_packets(join_packets(packets)) == tuple(packets)


@given(st.binary(max_size=200))
def test_whatever_bytes_they_are(audio: bytes) -> None:
    try:
        packets = split_packets(audio)
    except DecodeError:
        return
    assert join_packets(packets) == audio


@pytest.mark.requirement("LETTER-5")
@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (b"", DecodeReason.TRUNCATED),
        (b"\x00", DecodeReason.TRUNCATED),
        (b"\x00\x03\xf8\x00", DecodeReason.TRUNCATED),
        (b"\x00\x01\xf8\x00", DecodeReason.TRUNCATED),
        (b"\x00\x00", DecodeReason.BAD_LENGTH),
        (b"\x04\xfd\xf8" + bytes(MAX_PACKET), DecodeReason.BAD_LENGTH),
        (b"\x00\x01" + CELT_10_MS, DecodeReason.UNKNOWN_VALUE),
        (b"\x00\x02" + b"\xf9\x00", DecodeReason.UNKNOWN_VALUE),  # two frames: 40 ms
    ],
)
def test_what_is_no_audio(audio: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        split_packets(audio)
    assert refused.value.reason is reason


@pytest.mark.requirement("LETTER-5")
def test_the_longest_packet() -> None:
    longest = CELT_20_MS + bytes(MAX_PACKET - 1)
    assert split_packets(join_packets([SILK_20_MS, longest])) == (SILK_20_MS, longest)
    with pytest.raises(DecodeError):
        join_packets([longest + b"\x00"])
    with pytest.raises(DecodeError):
        join_packets([])
