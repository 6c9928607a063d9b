"""``call_profile``: the GroupContext extension that fixes what a call is (KEYS-9, KEYS-10, KEYS-19, KEYS-22).

Every member and the delivery service read it from the group itself; nothing about a call's rules comes from
anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from enum import IntEnum
from typing import Annotated

from e2ee.errors import DecodeError
from e2ee.identity.labels import label
from e2ee.mls.capabilities import RequiredCapabilities, required_capabilities
from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint16, fixed, struct, vector

__all__ = [
    "CALL_PROFILE",
    "CHANGEABLE",
    "MAX_ACCOUNTS",
    "PROFILE_VERSION",
    "CallKind",
    "CallProfile",
    "JoinPolicy",
    "call_profile",
    "check_group_call",
    "check_one_to_one",
    "check_profile",
    "check_ring",
    "group_extensions",
    "group_profile",
    "one_to_one",
    "ring",
]

CALL_PROFILE = 0xF0C1
"""The extension's type (private use, RFC 9420 Section 17.3)."""

PROFILE_VERSION = 0x0100

ACCOUNT_LISTS = ("hosts", "accounts", "banned", "speakers")

CHANGEABLE = (*ACCOUNT_LISTS, "link_id", "join_policy")
"""KEYS-20: the fields that hosts of a group call may change while it lasts."""

MAX_ACCOUNTS = 1024
"""KEYS-19: the longest list of accounts."""

_LINK_ID_LABEL, _LINK_ID_LENGTH = label("Link"), 34

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
        """In a one-to-one call and a ring group: the caller's account key."""
        return self.accounts[0]

    @property
    def callee(self) -> bytes:
        """In a one-to-one call and a ring group: the callee's account key."""
        return self.accounts[1]

    def is_host(self, account_key: bytes) -> bool:
        """In a group call: whether the account may remove, admit, ban and change the roles."""
        return account_key in self.hosts

    def may_speak(self, account_key: bytes) -> bool:
        """In a group call: whether the account may send media; hosts always may."""
        return not self.speakers or account_key in self.speakers or self.is_host(account_key)

    def admits(self, account_key: bytes) -> bool:
        """In a group call: whether devices of the account may be added as the profile stands (KEYS-20)."""
        by_policy = self.join_policy == JoinPolicy.LINK
        listed = account_key in self.accounts or self.is_host(account_key)
        return (by_policy or listed) and account_key not in self.banned


_OF_NOBODY = CallProfile(
    version=PROFILE_VERSION,
    kind=CallKind.GROUP,
    S=10,
    E=4,
    hosts=(),
    accounts=(),
    banned=(),
    speakers=(),
    link_id=b"",
    join_policy=JoinPolicy.CLOSED,
    delivery_key=bytes(32),
    stamps=0,
    signed_lists=0,
)
"""What all calls have alike, and nobody in it."""


def one_to_one(
    caller: bytes, callee: bytes, delivery_key: bytes, version: int = PROFILE_VERSION
) -> CallProfile:
    """The profile of a call between two accounts, by their account keys, in a version of the protocol."""
    return _of_two(CallKind.ONE_TO_ONE, caller, callee, delivery_key, version)


def ring(
    caller: bytes, callee: bytes, delivery_key: bytes, version: int = PROFILE_VERSION
) -> CallProfile:
    """The profile of the group in which one account invites another to a group call (KEYS-22)."""
    return _of_two(CallKind.RING, caller, callee, delivery_key, version)


def _of_two(
    kind: CallKind, caller: bytes, callee: bytes, delivery_key: bytes, version: int
) -> CallProfile:
    accounts = (caller, callee)
    return replace(
        _OF_NOBODY, version=version, kind=kind, accounts=accounts, delivery_key=delivery_key
    )


def group_profile(
    creator: bytes,
    delivery_key: bytes,
    *,
    join_policy: JoinPolicy,
    accounts: Iterable[bytes] = (),
    speakers: Iterable[bytes] = (),
    link_id: bytes = b"",
    version: int = PROFILE_VERSION,
) -> CallProfile:
    """The profile of a group call in epoch 0: its one host is the creator. Accounts are given by their account keys.

    ``link_id`` is the link's ``psk_id`` if the policy is link, else empty (KEYS-19); ``check_group_call`` says whether it is.
    """
    return replace(
        _OF_NOBODY,
        version=version,
        hosts=(creator,),
        accounts=tuple(accounts),
        speakers=tuple(speakers),
        link_id=link_id,
        join_policy=join_policy,
        delivery_key=delivery_key,
    )


_REQUIRED = RequiredCapabilities(
    extension_types=(CALL_PROFILE,), proposal_types=(), credential_types=()
)


def group_extensions(profile: CallProfile) -> tuple[Extension, ...]:
    """The GroupContext extensions of a call: the profile, and that every member must know it (KEYS-9)."""
    return (
        Extension(ExtensionType.REQUIRED_CAPABILITIES, _REQUIRED.encode()),
        Extension(CALL_PROFILE, profile.encode()),
    )


_EXTENSIONS = frozenset({ExtensionType.REQUIRED_CAPABILITIES, CALL_PROFILE})


def call_profile(extensions: tuple[Extension, ...]) -> CallProfile:
    """The profile in a group's extensions. Raises ProfileError."""
    data = find(extensions, CALL_PROFILE)
    # KEYS-9: "A group without it ... MUST be refused."
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
    # KEYS-9: "and nothing else": else a profile could be changed only together with what else the group asks for
    if required != _REQUIRED:
        raise ProfileError(ProfileReason.UNEXPECTED_REQUIREMENT)
    # KEYS-9: "or with any other extension in its GroupContext"; with it goes KEYS-13's "external senders"
    for extension in extensions:
        if extension.extension_type not in _EXTENSIONS:
            raise ProfileError(
                ProfileReason.UNEXPECTED_EXTENSION, f"{extension.extension_type:#06x}"
            )
    return profile


def check_profile(profile: CallProfile, group_id: bytes) -> None:
    """Refuse every profile but those of one-to-one calls, ring groups and group calls. Raises ProfileError."""
    check = _CHECKS.get(profile.kind)
    if check is None:
        raise _bad(f"kind {profile.kind}")
    check(profile, group_id)


def check_one_to_one(profile: CallProfile, group_id: bytes) -> None:
    """KEYS-10: refuse every other value than those of a one-to-one call. Raises ProfileError.

    Which of the versions it has to be is ``check_group_version``'s.
    """
    _check_of_two(CallKind.ONE_TO_ONE, profile, group_id)


def check_ring(profile: CallProfile, group_id: bytes) -> None:
    """KEYS-22: refuse every other value than those of a ring group. Raises ProfileError."""
    _check_of_two(CallKind.RING, profile, group_id)


def _check_of_two(kind: CallKind, profile: CallProfile, group_id: bytes) -> None:
    _check_call_id_and_version(profile, group_id)
    if len(profile.accounts) != 2 or profile.caller == profile.callee:
        raise _bad("accounts are not a caller and a callee")
    due = _of_two(kind, *profile.accounts, profile.delivery_key, profile.version)
    _check_same(profile, due)


def check_group_call(profile: CallProfile, group_id: bytes) -> None:
    """KEYS-19: refuse every other value than those that a group call may have. Raises ProfileError."""
    _check_call_id_and_version(profile, group_id)
    for name in ACCOUNT_LISTS:
        _check_list(name, getattr(profile, name))
    if not profile.hosts:
        raise _bad("no host")
    # KEYS-19: "none of `banned` in any other"
    if {*profile.hosts, *profile.accounts, *profile.speakers} & {*profile.banned}:
        raise _bad("banned, and in another list")
    _check_link(profile)
    free = {name: getattr(profile, name) for name in ("version", "delivery_key", *CHANGEABLE)}
    _check_same(profile, replace(_OF_NOBODY, **free))


def _check_list(name: str, account_keys: tuple[bytes, ...]) -> None:
    # KEYS-19: "each without repetitions and of at most 1,024 accounts"
    if len(account_keys) > MAX_ACCOUNTS:
        raise _bad(f"{len(account_keys)} {name}")
    if len(set(account_keys)) != len(account_keys):
        raise _bad(f"{name} with a repetition")


def _check_link(profile: CallProfile) -> None:
    if profile.join_policy not in tuple(JoinPolicy):
        raise _bad(f"join_policy {profile.join_policy}")
    if profile.join_policy != JoinPolicy.LINK:
        if profile.link_id:
            raise _bad("link_id without a link")
    # KEYS-19: "`link_id` 34 bytes that begin with `label("Link")` if `join_policy` is 2 (link)"
    elif len(profile.link_id) != _LINK_ID_LENGTH or not profile.link_id.startswith(_LINK_ID_LABEL):
        raise _bad("link_id is no link's")


def _check_call_id_and_version(profile: CallProfile, group_id: bytes) -> None:
    if len(group_id) != 16:
        raise _bad(f"group_id of {len(group_id)} bytes")
    if profile.version not in SUPPORTED_VERSIONS:
        raise _bad(f"version {profile.version:#06x}")


def _check_same(profile: CallProfile, due: CallProfile) -> None:
    names = (field.name for field in fields(CallProfile))
    differing = [name for name in names if getattr(profile, name) != getattr(due, name)]
    if differing:
        raise _bad(", ".join(differing))


_CHECKS: Mapping[int, Callable[[CallProfile, bytes], None]] = {
    CallKind.RING: check_ring,
    CallKind.ONE_TO_ONE: check_one_to_one,
    CallKind.GROUP: check_group_call,
}


def _bad(detail: str) -> ProfileError:
    return ProfileError(ProfileReason.BAD_CALL_PROFILE, detail)
