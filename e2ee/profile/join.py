"""``join``: the KeyPackage extension of who wants to join a group call (KEYS-21).

A KeyPackage with it was made for one call and is good for nothing else, and one without it was not made for a group
call: so a server adds nobody to a call who never asked. Whether ``link_proof`` is right only who has the link can say
(GROUP-12), and how old the request may be is the committer's to judge (GROUP-9): both are no reason to refuse here.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.errors import DecodeError
from e2ee.mls.extension import Extension, find
from e2ee.mls.key_package import KeyPackage
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.tls_syntax import Opaque, Struct, Uint64, fixed, struct

__all__ = ["JOIN", "Join", "check_join", "check_no_join", "join_extension", "join_of"]

JOIN = 0xF0C2
"""The extension's type (private use, RFC 9420 Section 17.3). The leaf lists it (``leaves.call_capabilities``)."""

PROOF_LENGTH = 32


@struct
class Join(Struct):
    """KEYS-21. ``created_at`` is in Unix milliseconds; ``link_proof`` has 32 bytes, or none if the policy is not link."""

    call_id: Annotated[bytes, fixed(16)]
    created_at: Uint64
    link_proof: Opaque


def join_extension(call_id: bytes, now: int, link_proof: bytes = b"") -> Extension:
    """The extension of a KeyPackage that is made ``now`` to join this call."""
    return Extension(JOIN, Join(call_id, now, link_proof).encode())


def join_of(key_package: KeyPackage) -> Join | None:
    """What the KeyPackage says of the call that it is for; None if it is for no group call. Raises ProfileError."""
    data = find(key_package.extensions, JOIN)
    if data is None:
        return None
    # KEYS-21: "it is not a `last_resort_key_package`"
    if key_package.is_last_resort:
        raise ProfileError(ProfileReason.BAD_JOIN, "for more than one use")
    try:
        return Join.decode(data)
    except DecodeError as error:
        raise ProfileError(ProfileReason.BAD_JOIN, str(error)) from None


def check_join(key_package: KeyPackage, call_id: bytes, join_policy: int) -> Join:
    """What a KeyPackage says that was made to join this call, while its policy is this. Raises ProfileError."""
    join = join_of(key_package)
    # KEYS-21: "The KeyPackage of who wants to join MUST carry the extension `join`"
    if join is None:
        raise ProfileError(ProfileReason.JOIN_MISSING, "not made to join a call")
    if join.call_id != call_id:
        raise ProfileError(ProfileReason.BAD_JOIN, "made to join another call")
    due = PROOF_LENGTH if join_policy == JoinPolicy.LINK else 0
    if len(join.link_proof) != due:
        detail = f"link_proof of {len(join.link_proof)} bytes, not {due}"
        raise ProfileError(ProfileReason.BAD_JOIN, detail)
    return join


def check_no_join(key_package: KeyPackage) -> None:
    """Everywhere else: in the directory, in a call of two, for a letter. Raises ProfileError."""
    # KEYS-21: "a KeyPackage with `join` MUST be refused in every other place"
    if find(key_package.extensions, JOIN) is not None:
        raise ProfileError(ProfileReason.JOIN_UNEXPECTED, "made to join a group call")
