"""A KeyPackage that was made to join a group call says so, and is good for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import DecodeError
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import LAST_RESORT, check_key_package
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.join import JOIN, Join, check_join, check_no_join, join_extension, join_of
from e2ee.profile.leaves import committer_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2ee.mls.key_package import KeyPackage
    from tests.profile.conftest import MakeDevice

CALL_ID, ANOTHER = bytes(range(16)), bytes(16)
PROOF = bytes([7]) * 32
UNLINKED = (JoinPolicy.CLOSED, JoinPolicy.ADMITTED)


def refusal(check: Callable[[], object]) -> str:
    with pytest.raises(ProfileError) as refused:
        check()
    return refused.value.reason


@pytest.fixture
def made_with(make_device: MakeDevice) -> Callable[..., KeyPackage]:
    """Bob's KeyPackage with these extensions."""
    return lambda *marks: make_device("bob", marks=marks).key_package


@pytest.mark.requirement("KEYS-21")
def test_the_encoding_is_the_chapters_structure() -> None:
    extension = join_extension(CALL_ID, 0x0102030405, PROOF)
    assert extension.extension_type == 0xF0C2
    assert extension.extension_data == (
        CALL_ID + b"\x00\x00\x00\x01\x02\x03\x04\x05" + b"\x20" + PROOF
    )


@given(data=st.binary(max_size=80))
def test_arbitrary_bytes_are_a_join_or_refused(data: bytes) -> None:
    try:
        join = Join.decode(data)
    except DecodeError:
        pass
    else:
        assert join.encode() == data


@given(
    call_id=st.binary(min_size=16, max_size=16),
    created_at=st.integers(0, 2**64 - 1),
    link_proof=st.binary(max_size=64),
)
def test_what_is_written_is_read(call_id: bytes, created_at: int, link_proof: bytes) -> None:
    join = Join(call_id, created_at, link_proof)
    assert Join.decode(join.encode()) == join
    assert join_extension(call_id, created_at, link_proof).extension_data == join.encode()


@pytest.mark.requirement("KEYS-21")
def test_who_wants_to_join_says_which_call_and_when(
    made_with: Callable[..., KeyPackage], now: int
) -> None:
    key_package = made_with(join_extension(CALL_ID, now, PROOF))
    said = Join(CALL_ID, now, PROOF)
    assert join_of(key_package) == said
    assert check_join(key_package, CALL_ID, JoinPolicy.LINK) == said


def test_the_leaf_lists_the_extension(made_with: Callable[..., KeyPackage], now: int) -> None:
    """Else MLS refuses a KeyPackage that has it."""
    key_package = made_with(join_extension(CALL_ID, now))
    assert JOIN in key_package.leaf_node.capabilities.extensions
    check_key_package(cipher_suite(0x0001), key_package, committer_policy(now))


@pytest.mark.requirement("KEYS-21")
def test_a_key_package_of_the_directory_joins_no_group_call(
    made_with: Callable[..., KeyPackage],
) -> None:
    for key_package in (made_with(), made_with(LAST_RESORT)):
        assert join_of(key_package) is None
        check_no_join(key_package)
        for policy in JoinPolicy:
            reason = refusal(lambda: check_join(key_package, CALL_ID, policy))  # noqa: B023
            assert reason is ProfileReason.JOIN_MISSING


@pytest.mark.requirement("KEYS-21")
def test_a_key_package_made_to_join_is_refused_everywhere_else(
    made_with: Callable[..., KeyPackage], now: int
) -> None:
    """Also if its extension is no ``join``: it was not made for the directory."""
    for mark in (join_extension(CALL_ID, now), Extension(JOIN, b"")):
        reason = refusal(lambda: check_no_join(made_with(mark)))  # noqa: B023
        assert reason is ProfileReason.JOIN_UNEXPECTED


@pytest.mark.requirement("KEYS-21")
def test_it_joins_the_call_that_it_names(made_with: Callable[..., KeyPackage], now: int) -> None:
    key_package = made_with(join_extension(ANOTHER, now, PROOF))
    check_join(key_package, ANOTHER, JoinPolicy.LINK)
    reason = refusal(lambda: check_join(key_package, CALL_ID, JoinPolicy.LINK))
    assert reason is ProfileReason.BAD_JOIN


@pytest.mark.requirement("KEYS-21")
def test_it_is_used_once(made_with: Callable[..., KeyPackage], now: int) -> None:
    key_package = made_with(join_extension(CALL_ID, now, PROOF), LAST_RESORT)
    assert refusal(lambda: join_of(key_package)) is ProfileReason.BAD_JOIN


@pytest.mark.requirement("KEYS-21")
@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_with_a_link_the_proof_has_32_bytes(
    made_with: Callable[..., KeyPackage], now: int, length: int
) -> None:
    key_package = made_with(join_extension(CALL_ID, now, bytes(length)))
    reason = refusal(lambda: check_join(key_package, CALL_ID, JoinPolicy.LINK))
    assert reason is ProfileReason.BAD_JOIN


@pytest.mark.requirement("KEYS-21")
@pytest.mark.parametrize("policy", UNLINKED)
def test_without_a_link_there_is_no_proof(
    made_with: Callable[..., KeyPackage], now: int, policy: JoinPolicy
) -> None:
    check_join(made_with(join_extension(CALL_ID, now)), CALL_ID, policy)
    proven = made_with(join_extension(CALL_ID, now, PROOF))
    assert refusal(lambda: check_join(proven, CALL_ID, policy)) is ProfileReason.BAD_JOIN


@pytest.mark.requirement("KEYS-21")
@pytest.mark.parametrize(
    "data", [b"", CALL_ID, Join(CALL_ID, 0, b"").encode() + b"\x00", b"\x00" * 24 + b"\x20"]
)
def test_an_extension_that_is_no_join_is_refused(
    made_with: Callable[..., KeyPackage], data: bytes
) -> None:
    assert refusal(lambda: join_of(made_with(Extension(JOIN, data)))) is ProfileReason.BAD_JOIN
