"""What the delivery service says of a member who is gone counts for one leaf in one epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.errors import DecodeError
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.gone import (
    GoneStatement,
    check,
    decode_statements,
    encode_statements,
    signed,
)

SERVICE, ANOTHER = (ED25519.generate(SeededEntropy(name)) for name in (b"service", b"another"))
CALL_ID = bytes(range(16))
EPOCH, LEAF, SINCE = 7, 3, 1_800_000_000_000
STATEMENT = signed(SERVICE, CALL_ID, EPOCH, LEAF, SINCE)

statements = st.builds(
    GoneStatement,
    group_id=st.binary(max_size=20),
    epoch=st.integers(0, 2**64 - 1),
    leaf=st.integers(0, 2**32 - 1),
    gone_since=st.integers(0, 2**64 - 1),
    signature=st.binary(min_size=64, max_size=64),
)


@pytest.mark.requirement("KEYS-24")
def test_the_service_signs_group_epoch_leaf_and_time() -> None:
    content = (
        b"E2EE Call 1.0 Gone"
        b"\x00\x10"
        + CALL_ID
        + EPOCH.to_bytes(8, "big")
        + LEAF.to_bytes(4, "big")
        + SINCE.to_bytes(8, "big")
    )
    ED25519.verify(SERVICE.public, content, STATEMENT.signature)
    check(STATEMENT, SERVICE.public, CALL_ID, EPOCH)


@pytest.mark.requirement("KEYS-24")
def test_the_encoding_is_the_chapters_structure() -> None:
    encoded = (
        b"\x10"
        + CALL_ID
        + EPOCH.to_bytes(8, "big")
        + LEAF.to_bytes(4, "big")
        + SINCE.to_bytes(8, "big")
        + STATEMENT.signature
    )
    assert STATEMENT.encode() == encoded
    assert encode_statements([STATEMENT]) == b"\x40" + bytes([len(encoded)]) + encoded


@pytest.mark.requirement("KEYS-24")
def test_it_counts_in_its_group_and_epoch() -> None:
    for group_id, epoch in ((bytes(16), EPOCH), (CALL_ID, EPOCH + 1), (CALL_ID, EPOCH - 1)):
        with pytest.raises(ProfileError) as refused:
            check(STATEMENT, SERVICE.public, group_id, epoch)
        assert refused.value.reason is ProfileReason.GONE_ELSEWHERE


@pytest.mark.requirement("KEYS-24", "IDENT-13")
@pytest.mark.parametrize(
    "changes",
    [
        {"leaf": LEAF + 1},
        {"gone_since": SINCE + 1},
        {"signature": bytes(64)},
        {"signature": signed(ANOTHER, CALL_ID, EPOCH, LEAF, SINCE).signature},
        {"signature": signed(SERVICE, CALL_ID, EPOCH + 1, LEAF, SINCE).signature},
        {"signature": signed(SERVICE, bytes(16), EPOCH, LEAF, SINCE).signature},
    ],
)
def test_what_the_service_did_not_sign_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProfileError) as refused:
        check(replace(STATEMENT, **changes), SERVICE.public, CALL_ID, EPOCH)
    assert refused.value.reason is ProfileReason.BAD_GONE_SIGNATURE


@pytest.mark.requirement("KEYS-24")
def test_a_commit_without_statements_carries_nothing() -> None:
    assert encode_statements([]) == b""
    assert decode_statements(b"") == ()


@pytest.mark.requirement("KEYS-24")
@pytest.mark.parametrize(
    "data",
    [b"\x00", b"gone", STATEMENT.encode(), encode_statements([STATEMENT]) + b"\x00"],
    ids=["an empty list", "text", "one statement without the list", "a byte too many"],
)
def test_what_is_no_list_of_statements_is_refused(data: bytes) -> None:
    with pytest.raises(ProfileError) as refused:
        decode_statements(data)
    assert refused.value.reason is ProfileReason.BAD_GONE_STATEMENTS


@given(made=st.lists(statements, max_size=4))
def test_what_is_written_is_read(made: list[GoneStatement]) -> None:
    assert decode_statements(encode_statements(made)) == tuple(made)


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_statements_or_refused(data: bytes) -> None:
    try:
        read = decode_statements(data)
    except ProfileError as refused:
        assert refused.reason is ProfileReason.BAD_GONE_STATEMENTS
    else:
        assert encode_statements(read) == data


@given(data=st.binary(max_size=120))
def test_arbitrary_bytes_are_a_statement_or_refused(data: bytes) -> None:
    try:
        statement = GoneStatement.decode(data)
    except DecodeError:
        pass
    else:
        assert statement.encode() == data
