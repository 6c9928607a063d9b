"""The profile of a one-to-one call has one form, and a group without it is no call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import DecodeError
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.profile.call_profile import (
    CALL_PROFILE,
    CallProfile,
    call_profile,
    check_one_to_one,
    group_extensions,
    one_to_one,
)
from e2ee.profile.errors import ProfileError, ProfileReason

CALLER, CALLEE, DELIVERY = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32
CALL_ID = bytes(range(16))
PROFILE = one_to_one(CALLER, CALLEE, DELIVERY)
REQUIRED = Extension(
    ExtensionType.REQUIRED_CAPABILITIES, RequiredCapabilities((CALL_PROFILE,), (), ()).encode()
)


def refusal(extensions: tuple[Extension, ...]) -> str:
    with pytest.raises(ProfileError) as refused:
        call_profile(extensions)
    return refused.value.reason


@pytest.mark.requirement("KEYS-9")
def test_the_encoding_is_the_chapters_structure() -> None:
    assert (
        PROFILE.encode()
        == (
            b"\x01\x00"  # version
            b"\x01\x0a\x04"  # kind, S, E
            b"\x00"  # hosts
            b"\x40\x40" + CALLER + CALLEE + b"\x00"  # banned
            b"\x00"  # speakers
            b"\x00"  # link_id
            b"\x00" + DELIVERY + b"\x00\x00"  # stamps, signed_lists
        )
    )
    assert CallProfile.decode(PROFILE.encode()) == PROFILE


@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_a_profile_or_refused(data: bytes) -> None:
    try:
        profile = CallProfile.decode(data)
    except DecodeError:
        pass
    else:
        assert profile.encode() == data


@pytest.mark.requirement("KEYS-9")
def test_a_group_carries_and_requires_its_profile() -> None:
    extensions = group_extensions(PROFILE)
    assert call_profile(extensions) == PROFILE
    assert extensions[0] == REQUIRED


@pytest.mark.requirement("KEYS-9")
def test_a_group_without_a_profile_is_refused() -> None:
    assert refusal(()) is ProfileReason.NO_CALL_PROFILE
    assert refusal((REQUIRED,)) is ProfileReason.NO_CALL_PROFILE


@pytest.mark.requirement("KEYS-9")
def test_a_group_that_does_not_require_its_profile_is_refused() -> None:
    carried = Extension(CALL_PROFILE, PROFILE.encode())
    assert refusal((carried,)) is ProfileReason.CALL_PROFILE_NOT_REQUIRED
    others = RequiredCapabilities((0xF0C2,), (CALL_PROFILE,), ())
    extension = Extension(ExtensionType.REQUIRED_CAPABILITIES, others.encode())
    assert refusal((extension, carried)) is ProfileReason.CALL_PROFILE_NOT_REQUIRED


@pytest.mark.requirement("KEYS-9")
@pytest.mark.parametrize("data", [b"", PROFILE.encode()[:-1], PROFILE.encode() + b"\x00"])
def test_a_profile_that_does_not_decode_is_refused(data: bytes) -> None:
    assert refusal((REQUIRED, Extension(CALL_PROFILE, data))) is ProfileReason.BAD_CALL_PROFILE


OTHER_VALUES: dict[str, Any] = {
    "version": 0x0200,
    "kind": 2,
    "S": 9,
    "E": 5,
    "hosts": (CALLER,),
    "accounts": (CALLER,),
    "banned": (CALLEE,),
    "speakers": (0,),
    "link_id": b"link",
    "join_policy": 1,
    "stamps": 1,
    "signed_lists": 1,
}


@pytest.mark.requirement("KEYS-10")
@pytest.mark.parametrize(("field", "value"), OTHER_VALUES.items())
def test_another_value_is_no_one_to_one_call(field: str, value: Any) -> None:
    check_one_to_one(PROFILE, CALL_ID)
    with pytest.raises(ProfileError) as refused:
        check_one_to_one(replace(PROFILE, **{field: value}), CALL_ID)
    assert refused.value.reason is ProfileReason.BAD_CALL_PROFILE


@pytest.mark.requirement("KEYS-10")
@pytest.mark.parametrize("accounts", [(), (CALLER, CALLEE, DELIVERY), (CALLER, CALLER)])
def test_a_one_to_one_call_is_between_two_accounts(accounts: tuple[bytes, ...]) -> None:
    with pytest.raises(ProfileError):
        check_one_to_one(replace(PROFILE, accounts=accounts), CALL_ID)


@pytest.mark.requirement("KEYS-10")
@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_call_id_has_16_bytes(length: int) -> None:
    with pytest.raises(ProfileError):
        check_one_to_one(PROFILE, bytes(length))


def test_every_field_has_another_value_here() -> None:
    """``delivery_key`` is any service's: the service compares it with its own."""
    assert {*OTHER_VALUES, "delivery_key"} == {*CallProfile.__slots__}


@pytest.mark.requirement("KEYS-9", "KEYS-13")
@pytest.mark.parametrize("extension_type", [ExtensionType.EXTERNAL_SENDERS, 0x0A0A])
def test_a_call_has_no_other_extension(extension_type: int) -> None:
    extensions = group_extensions(PROFILE)
    assert call_profile(extensions) == PROFILE
    with pytest.raises(ProfileError) as refused:
        call_profile((*extensions, Extension(extension_type, b"\x00")))
    assert refused.value.reason is ProfileReason.UNEXPECTED_EXTENSION
