"""The profile of a group call: what hosts may write into it, and what it says of each account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.profile.call_profile import (
    CALL_PROFILE,
    MAX_ACCOUNTS,
    CallKind,
    CallProfile,
    JoinPolicy,
    call_profile,
    check_group_call,
    check_one_to_one,
    check_profile,
    check_ring,
    group_extensions,
    group_profile,
    one_to_one,
    ring,
)
from e2ee.profile.errors import ProfileError, ProfileReason

ALICE, BOB, CAROL, DAVE, SERVICE = (bytes([name]) * 32 for name in range(1, 6))
CALL_ID = bytes(range(16))
LINK_ID = b"E2EE Call 1.0 Link" + bytes(16)
ADMITTED = group_profile(ALICE, SERVICE, join_policy=JoinPolicy.ADMITTED)
LINKED = group_profile(ALICE, SERVICE, join_policy=JoinPolicy.LINK, link_id=LINK_ID)


def refusal(profile: CallProfile, group_id: bytes = CALL_ID) -> str:
    with pytest.raises(ProfileError) as refused:
        check_group_call(profile, group_id)
    assert refused.value.reason is ProfileReason.BAD_CALL_PROFILE
    return refused.value.detail


def accounts(count: int) -> tuple[bytes, ...]:
    return tuple(number.to_bytes(32, "big") for number in range(count))


@pytest.mark.requirement("KEYS-9", "KEYS-19")
def test_the_encoding_is_the_chapters_structure() -> None:
    profile = group_profile(
        ALICE,
        SERVICE,
        join_policy=JoinPolicy.LINK,
        accounts=[BOB],
        speakers=[ALICE, BOB],
        link_id=LINK_ID,
    )
    assert (
        profile.encode()
        == (
            b"\x01\x00"  # version
            b"\x02\x0a\x04"  # kind, S, E
            b"\x20" + ALICE + b"\x20" + BOB + b"\x00"  # hosts, accounts, banned
            b"\x40\x40" + ALICE + BOB + b"\x22" + LINK_ID + b"\x02" + SERVICE + b"\x00\x00"
        )
    )


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hosts": (CAROL, ALICE)},
        {"accounts": (CAROL, ALICE, BOB)},  # in any order, and a host too
        {"banned": (BOB, CAROL)},
        {"speakers": (BOB,)},
        {"accounts": accounts(MAX_ACCOUNTS)},
        {"join_policy": JoinPolicy.CLOSED},
        {"join_policy": JoinPolicy.LINK, "link_id": LINK_ID},
        {"delivery_key": bytes(32)},  # the service compares it with its own
    ],
)
def test_what_a_group_call_may_be(changes: dict[str, Any]) -> None:
    profile = replace(ADMITTED, **changes)
    check_group_call(profile, CALL_ID)
    check_profile(profile, CALL_ID)
    assert call_profile(group_extensions(profile)) == profile


OTHER_VALUES: list[tuple[str, Any]] = [
    ("version", 0x0101),
    ("kind", 0),
    ("kind", 1),
    ("kind", 3),
    ("kind", 4),
    ("S", 9),
    ("E", 5),
    ("stamps", 1),
    ("signed_lists", 1),
    ("join_policy", 3),
    ("join_policy", 255),
    ("hosts", ()),
    ("link_id", LINK_ID),  # the policy is not link
    *((name, (BOB, CAROL, BOB)) for name in ("hosts", "accounts", "banned", "speakers")),
    *((name, accounts(1025)) for name in ("hosts", "accounts", "banned", "speakers")),
]


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize(("field", "value"), OTHER_VALUES)
def test_another_value_is_refused(field: str, value: Any) -> None:
    check_group_call(ADMITTED, CALL_ID)
    refusal(replace(ADMITTED, **{field: value}))


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize("listed", ["hosts", "accounts", "speakers"])
def test_nobody_is_banned_and_something_else(listed: str) -> None:
    check_group_call(replace(ADMITTED, banned=(BOB,)), CALL_ID)
    both: dict[str, Any] = {"banned": (BOB,), listed: (*getattr(ADMITTED, listed), BOB)}
    refusal(replace(ADMITTED, **both))


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize(
    "link_id", [b"", b"link", LINK_ID[:-1], LINK_ID + b"\x00", b"e2ee" + LINK_ID[4:], bytes(34)]
)
def test_the_id_of_a_link_is_a_links(link_id: bytes) -> None:
    check_group_call(LINKED, CALL_ID)
    refusal(replace(LINKED, link_id=link_id))


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_call_id_has_16_bytes(length: int) -> None:
    refusal(ADMITTED, bytes(length))


def test_every_field_has_another_value_here() -> None:
    """``delivery_key`` is any service's."""
    fields = {field for field, _ in OTHER_VALUES}
    assert {*fields, "delivery_key"} == {*CallProfile.__slots__}


@pytest.mark.requirement("KEYS-22")
def test_a_ring_group_is_between_a_caller_and_a_callee() -> None:
    ringing = ring(ALICE, BOB, SERVICE)
    check_ring(ringing, CALL_ID)
    check_profile(ringing, CALL_ID)
    assert replace(ringing, kind=CallKind.ONE_TO_ONE) == one_to_one(ALICE, BOB, SERVICE)
    assert (ringing.caller, ringing.callee) == (ALICE, BOB)


@pytest.mark.requirement("KEYS-22")
@pytest.mark.parametrize(
    "changes",
    [{"hosts": (ALICE,)}, {"accounts": (ALICE, ALICE)}, {"link_id": LINK_ID}, {"join_policy": 2}],
)
def test_a_ring_group_has_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(ProfileError):
        check_ring(replace(ring(ALICE, BOB, SERVICE), **changes), CALL_ID)


@pytest.mark.requirement("KEYS-10", "KEYS-19", "KEYS-22")
def test_no_kind_of_call_is_taken_for_another() -> None:
    of_two = (one_to_one(ALICE, BOB, SERVICE), ring(ALICE, BOB, SERVICE))
    checks = (check_one_to_one, check_ring, check_group_call)
    for profile, right in zip((*of_two, ADMITTED), checks, strict=True):
        right(profile, CALL_ID)
        for check in checks:
            if check is not right:
                with pytest.raises(ProfileError):
                    check(profile, CALL_ID)


@pytest.mark.requirement("KEYS-19")
@pytest.mark.parametrize("kind", [CallKind.STAGE, 4, 255])
def test_there_is_no_call_of_another_kind(kind: int) -> None:
    with pytest.raises(ProfileError) as refused:
        check_profile(replace(ADMITTED, kind=kind), CALL_ID)
    assert refused.value.reason is ProfileReason.BAD_CALL_PROFILE


@pytest.mark.requirement("KEYS-9")
@pytest.mark.parametrize(
    "required",
    [
        RequiredCapabilities((CALL_PROFILE, 0xF0C2), (), ()),
        RequiredCapabilities((CALL_PROFILE,), (0xF001,), ()),
        RequiredCapabilities((CALL_PROFILE,), (), (1,)),
        RequiredCapabilities((CALL_PROFILE, CALL_PROFILE), (), ()),
    ],
)
def test_a_call_requires_nothing_but_its_profile(required: RequiredCapabilities) -> None:
    extension = Extension(ExtensionType.REQUIRED_CAPABILITIES, required.encode())
    with pytest.raises(ProfileError) as refused:
        call_profile((extension, Extension(CALL_PROFILE, ADMITTED.encode())))
    assert refused.value.reason is ProfileReason.UNEXPECTED_REQUIREMENT


def test_hosts_are_a_list() -> None:
    both = replace(ADMITTED, hosts=(ALICE, BOB))
    assert [both.is_host(who) for who in (ALICE, BOB, CAROL)] == [True, True, False]


def test_everybody_speaks_unless_there_are_speakers() -> None:
    assert all(ADMITTED.may_speak(who) for who in (ALICE, BOB, CAROL))
    staged = replace(ADMITTED, speakers=(BOB,))
    assert [staged.may_speak(who) for who in (ALICE, BOB, CAROL)] == [True, True, False]


@pytest.mark.requirement("KEYS-20")
def test_whom_a_call_admits() -> None:
    """Alice is a host, Bob is listed, Carol is banned, Dave is nobody."""
    everybody = (ALICE, BOB, CAROL, DAVE)
    listed = replace(ADMITTED, accounts=(BOB,), banned=(CAROL,))
    for policy in (JoinPolicy.CLOSED, JoinPolicy.ADMITTED):
        unlinked = replace(listed, join_policy=policy)
        assert [unlinked.admits(who) for who in everybody] == [True, True, False, False]
    linked = replace(LINKED, accounts=(BOB,), banned=(CAROL,))
    assert [linked.admits(who) for who in everybody] == [True, True, False, True]


keys = st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple)
numbers = st.integers(0, 255)


@given(
    profile=st.builds(
        CallProfile,
        version=st.integers(0, 2**16 - 1),
        kind=numbers,
        S=numbers,
        E=numbers,
        hosts=keys,
        accounts=keys,
        banned=keys,
        speakers=keys,
        link_id=st.binary(max_size=70),
        join_policy=numbers,
        delivery_key=st.binary(min_size=32, max_size=32),
        stamps=numbers,
        signed_lists=numbers,
    )
)
def test_what_is_written_is_read(profile: CallProfile) -> None:
    assert CallProfile.decode(profile.encode()) == profile
