"""KIDs, headers and counters: those that a call has, and those that it refuses, for the reason that comes with them."""

from __future__ import annotations

import pytest
from hypothesis import given

from e2ee.sframe.errors import HeaderError, KeyIdError, SFrameReason
from e2ee.sframe.header import MAX_VALUE, decode_header
from e2ee.sframe.mls import KeyId
from e2ee.testing.strategies import (
    Header,
    Refusable,
    headers,
    key_ids,
    kids,
    numbers,
    overlong_headers,
    replay_histories,
    unusable_kids,
)


@given(numbers(), replay_histories())
def test_numbers_are_those_of_headers(number: int, history: list[int]) -> None:
    assert all(0 <= each <= MAX_VALUE for each in (number, *history))


@given(key_ids(), kids())
def test_a_call_has_the_kids(key_id: KeyId, KID: int) -> None:
    assert KeyId.decode(key_id.encode()) == key_id
    assert KeyId.decode(KID).encode() == KID


@given(unusable_kids())
def test_no_call_has_the_others(unusable: tuple[int, SFrameReason]) -> None:
    KID, reason = unusable
    with pytest.raises(KeyIdError) as refused:
        KeyId.decode(KID)
    assert refused.value.reason is reason


@given(headers(), headers(kids()))
def test_headers_say_what_stands_beside_them(any_header: Header, of_a_call: Header) -> None:
    for KID, CTR, encoded in (any_header, of_a_call):
        assert decode_header(encoded) == (KID, CTR, len(encoded))
    KeyId.decode(of_a_call.KID)


@given(overlong_headers())
def test_a_longer_header_is_refused(header: Refusable) -> None:
    with pytest.raises(HeaderError) as refused:
        decode_header(header.data)
    assert refused.value.reason is header.reason
