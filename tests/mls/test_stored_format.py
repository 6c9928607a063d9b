"""The envelope of stored bytes: what is damaged, unknown or of another kind is refused before it is looked into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret
from e2ee.errors import DecodeError, DecodeReason, E2EEError
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.stored_format import (
    FORMAT_VERSION,
    StoredKind,
    check_length,
    check_order,
    refused_as,
    unwrap,
    wrap,
)

HEADER_LENGTH = 10
bodies, kinds = st.binary(max_size=100), st.sampled_from(StoredKind)


def refusal(stored: bytes, kind: StoredKind = StoredKind.GROUP) -> Rule:
    with pytest.raises(StorageError) as refused:
        unwrap(kind, stored)
    assert isinstance(refused.value.reason, Rule)
    return refused.value.reason


@given(kinds, bodies)
def test_what_was_wrapped_is_unwrapped(kind: StoredKind, body: bytes) -> None:
    stored = wrap(kind, body)

    assert isinstance(stored, Secret)
    assert unwrap(kind, bytes(stored)) == body


def test_the_layout_of_version_1() -> None:
    """Bytes that are in stores: they do not change without a new version."""
    content = bytes.fromhex("653265652d6d6c73 0001 01") + b"body"

    assert FORMAT_VERSION == 1
    assert bytes(wrap(StoredKind.GROUP, b"body")) == content + HKDF_SHA256.hash(content)


@given(kinds, bodies, st.data())
def test_every_bit_counts(kind: StoredKind, body: bytes, data: st.DataObject) -> None:
    stored = bytearray(wrap(kind, body))
    bit = data.draw(st.integers(0, 8 * len(stored) - 1))
    stored[bit // 8] ^= 1 << bit % 8

    due = Rule.STORED_FORMAT if bit // 8 < HEADER_LENGTH else Rule.STORED_DAMAGED
    assert refusal(bytes(stored), kind) is due


@given(kinds, bodies, st.data())
def test_every_byte_counts(kind: StoredKind, body: bytes, data: st.DataObject) -> None:
    stored = bytes(wrap(kind, body))
    length = data.draw(st.integers(0, len(stored) - 1))

    due = Rule.STORED_FORMAT if length < HEADER_LENGTH else Rule.STORED_DAMAGED
    assert refusal(stored[:length], kind) is due
    assert refusal(stored + b"\x00", kind) is Rule.STORED_DAMAGED


def test_another_version_is_not_read_even_if_nothing_is_damaged() -> None:
    for version in (0, FORMAT_VERSION + 1, 0xFFFF):
        content = b"e2ee-mls" + version.to_bytes(2, "big") + b"\x01body"

        assert refusal(content + HKDF_SHA256.hash(content)) is Rule.STORED_FORMAT


def test_a_commit_is_no_group() -> None:
    assert refusal(wrap(StoredKind.PENDING_COMMIT, b"body")) is Rule.STORED_KIND
    assert refusal(wrap(StoredKind.GROUP, b"body"), StoredKind.PENDING_COMMIT) is Rule.STORED_KIND
    content = wrap(StoredKind.GROUP, b"")[:HEADER_LENGTH]
    assert refusal(content + HKDF_SHA256.hash(content)) is Rule.STORED_KIND


def test_what_others_refuse_is_the_stores_fault() -> None:
    with pytest.raises(StorageError) as refused, refused_as(Rule.STORED_TREE):
        raise DecodeError(DecodeReason.TRUNCATED, "3 bytes wanted, 2 left")
    assert refused.value.reason is Rule.STORED_TREE
    assert refused.value.detail == "TRUNCATED: 3 bytes wanted, 2 left"

    with pytest.raises(StorageError) as refused, refused_as(Rule.STORED_TREE):
        raise StorageError(Rule.STORED_LENGTH)
    assert refused.value.reason is Rule.STORED_LENGTH

    with pytest.raises(ZeroDivisionError), refused_as(Rule.STORED_TREE):
        _ = 1 // 0


@given(st.binary(max_size=10), st.integers(0, 10))
def test_lengths(value: bytes, length: int) -> None:
    try:
        check_length(value, length)
    except E2EEError as error:
        assert error.reason is Rule.STORED_LENGTH
        assert len(value) != length
    else:
        assert len(value) == length


@given(st.lists(st.integers(0, 9), max_size=5))
def test_order(keys: list[int]) -> None:
    try:
        check_order(keys)
    except E2EEError as error:
        assert error.reason is Rule.STORED_ORDER
        assert keys != sorted(set(keys))
    else:
        assert keys == sorted(set(keys))
