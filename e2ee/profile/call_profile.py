"""``call_profile``: the GroupContext extension that fixes what a call is (KEYS-9, KEYS-10).

Every member and the delivery service read it from the group itself; nothing about a call's rules comes from
anywhere else.
"""

from __future__ import annotations

from dataclasses import fields
from enum import IntEnum
from typing import Annotated

from e2ee.errors import DecodeError
from e2ee.mls.capabilities import RequiredCapabilities, required_capabilities
from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint16, fixed, struct, vector

__all__ = [
    "CALL_PROFILE",
    "PROFILE_VERSION",
    "CallKind",
    "CallProfile",
    "JoinPolicy",
    "call_profile",
    "check_one_to_one",
    "group_extensions",
    "one_to_one",
]

CALL_PROFILE = 0xF0C1
"""The extension's type (private use, RFC 9420 Section 17.3)."""

PROFILE_VERSION = 0x0100

Key = Annotated[bytes, fixed(32)]
AccountKeys = Annotated[tuple[bytes, ...], vector(fixed(32))]


class CallKind(IntEnum):
    """What sort of call a group is."""

    RING = 0
    ONE_TO_ONE = 1
    GROUP = 2
    STAGE = 3


class JoinPolicy(IntEnum):
    """Who may be added."""

    CLOSED = 0
    ADMITTED = 1
    LINK = 2


@struct
class CallProfile(Struct):
    """KEYS-9. ``S`` and ``E`` are the KID's bits for leaf index and epoch (RFC 9605 Section 5.2)."""

    version: Uint16
    kind: Uint8
    S: Uint8
    E: Uint8
    hosts: AccountKeys
    accounts: AccountKeys
    banned: AccountKeys
    speakers: AccountKeys
    link_id: Opaque
    join_policy: Uint8
    delivery_key: Key
    stamps: Uint8
    signed_lists: Uint8

    @property
    def caller(self) -> bytes:
        """In a one-to-one call: the caller's account key."""
        return self.accounts[0]

    @property
    def callee(self) -> bytes:
        """In a one-to-one call: the callee's account key."""
        return self.accounts[1]


def one_to_one(
    caller: bytes, callee: bytes, delivery_key: bytes, version: int = PROFILE_VERSION
) -> CallProfile:
    """The profile of a call between two accounts, by their account keys, in a version of the protocol."""
    return CallProfile(
        version=version,
        kind=CallKind.ONE_TO_ONE,
        S=10,
        E=4,
        hosts=(),
        accounts=(caller, callee),
        banned=(),
        speakers=(),
        link_id=b"",
        join_policy=JoinPolicy.CLOSED,
        delivery_key=delivery_key,
        stamps=0,
        signed_lists=0,
    )


def group_extensions(profile: CallProfile) -> tuple[Extension, ...]:
    """The GroupContext extensions of a call: the profile, and that every member must know it (KEYS-9)."""
    required = RequiredCapabilities(
        extension_types=(CALL_PROFILE,), proposal_types=(), credential_types=()
    )
    return (
        Extension(ExtensionType.REQUIRED_CAPABILITIES, required.encode()),
        Extension(CALL_PROFILE, profile.encode()),
    )


_EXTENSIONS = frozenset({ExtensionType.REQUIRED_CAPABILITIES, CALL_PROFILE})


def call_profile(extensions: tuple[Extension, ...]) -> CallProfile:
    """The profile in a group's extensions. Raises ProfileError."""
    data = find(extensions, CALL_PROFILE)
    # KEYS-9: "A group without it MUST be refused."
    if data is None:
        raise ProfileError(ProfileReason.NO_CALL_PROFILE)
    try:
        required = required_capabilities(extensions)
        profile = CallProfile.decode(data)
    except DecodeError as error:
        raise ProfileError(ProfileReason.BAD_CALL_PROFILE, str(error)) from None
    # KEYS-9: "`required_capabilities` MUST list it"
    if CALL_PROFILE not in required.extension_types:
        raise ProfileError(ProfileReason.CALL_PROFILE_NOT_REQUIRED)
    # KEYS-9: "no other extension"; with it goes KEYS-13's "external senders"
    for extension in extensions:
        if extension.extension_type not in _EXTENSIONS:
            raise ProfileError(
                ProfileReason.UNEXPECTED_EXTENSION, f"{extension.extension_type:#06x}"
            )
    return profile


def check_one_to_one(profile: CallProfile, group_id: bytes) -> None:
    """KEYS-10: refuse every other value than those of a one-to-one call. Raises ProfileError.

    Which of the versions it has to be is ``check_group_version``'s.
    """
    if len(group_id) != 16:
        raise _bad(f"group_id of {len(group_id)} bytes")
    if profile.version not in SUPPORTED_VERSIONS:
        raise _bad(f"version {profile.version:#06x}")
    if len(profile.accounts) != 2 or profile.caller == profile.callee:
        raise _bad("accounts are not a caller and a callee")
    due = one_to_one(*profile.accounts, profile.delivery_key, profile.version)
    names = (field.name for field in fields(CallProfile))
    differing = [name for name in names if getattr(profile, name) != getattr(due, name)]
    if differing:
        raise _bad(", ".join(differing))


def _bad(detail: str) -> ProfileError:
    return ProfileError(ProfileReason.BAD_CALL_PROFILE, detail)
