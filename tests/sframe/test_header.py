"""RFC 9605 Section 4.3: one encoding for each pair of KID and CTR."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.sframe.errors import HeaderError, OutOfRange, SFrameReason
from e2ee.sframe.header import MAX_VALUE, decode_header, encode_header, header_prefixes
from e2ee.testing.strategies import numbers

REFUSED = {SFrameReason.TRUNCATED, SFrameReason.NON_MINIMAL_KID, SFrameReason.NON_MINIMAL_CTR}


@given(KID=numbers(), CTR=numbers(), before=st.binary(max_size=4), after=st.binary(max_size=4))
def test_decoding_gives_what_was_encoded(KID: int, CTR: int, before: bytes, after: bytes) -> None:
    header = encode_header(KID, CTR)
    data, start = before + header + after, len(before)
    assert decode_header(data, start) == (KID, CTR, start + len(header))


@pytest.mark.requirement("FRAME-4")
@given(st.binary(max_size=20))
def test_bytes_are_the_one_encoding_or_refused(data: bytes) -> None:
    try:
        KID, CTR, end = decode_header(data)
    except HeaderError as error:
        assert error.reason in REFUSED
    else:
        assert encode_header(KID, CTR) == data[:end]


@given(KID=numbers(), CTR=numbers(), data=st.data())
def test_a_header_that_is_cut_off_is_refused(KID: int, CTR: int, data: st.DataObject) -> None:
    header = encode_header(KID, CTR)
    cut = header[: data.draw(st.integers(0, len(header) - 1))]
    with pytest.raises(HeaderError) as refused:
        decode_header(cut)
    assert refused.value.reason == SFrameReason.TRUNCATED


@pytest.mark.requirement("FRAME-4")
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("8000", SFrameReason.NON_MINIMAL_KID),  # 0 in a byte of its own
        ("8007", SFrameReason.NON_MINIMAL_KID),  # the last that lies in the config byte
        ("9000ff", SFrameReason.NON_MINIMAL_KID),  # a leading zero byte
        ("f000ffffffffffffff", SFrameReason.NON_MINIMAL_KID),
        ("0800", SFrameReason.NON_MINIMAL_CTR),
        ("0807", SFrameReason.NON_MINIMAL_CTR),
        ("0900ff", SFrameReason.NON_MINIMAL_CTR),
        ("0f00ffffffffffffff", SFrameReason.NON_MINIMAL_CTR),
        ("880808", None),
    ],
)
def test_only_the_shortest_encoding_is_accepted(header: str, reason: SFrameReason | None) -> None:
    data = bytes.fromhex(header)
    if reason is None:
        assert decode_header(data)[2] == len(data)
        return
    with pytest.raises(HeaderError) as refused:
        decode_header(data)
    assert refused.value.reason == reason


@given(KID=numbers())
def test_prefixes_are_what_the_headers_of_a_kid_begin_with(KID: int) -> None:
    prefixes = header_prefixes(KID)
    for length in range(1, 9):
        assert encode_header(KID, (1 << 8 * length) - 1).startswith(prefixes[7 + length])
    for CTR in range(8):
        assert encode_header(KID, CTR) == prefixes[CTR]


@pytest.mark.parametrize("value", [-1, MAX_VALUE + 1])
def test_values_that_no_header_can_hold_are_refused(value: int) -> None:
    with pytest.raises(OutOfRange):
        encode_header(value, 0)
    with pytest.raises(OutOfRange):
        encode_header(0, value)
