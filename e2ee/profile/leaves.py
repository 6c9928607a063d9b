"""What the leaves of calls say and how they are judged: capabilities, lifetimes, policies (KEYS-6, KEYS-8, KEYS-9)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import CredentialType
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE, ValidationPolicy
from e2ee.profile.authentication import DeviceAuthentication
from e2ee.profile.call_profile import CALL_PROFILE

__all__ = [
    "KEY_PACKAGE_LIFETIME",
    "MAX_LEAVES",
    "MAX_LIFETIME",
    "call_capabilities",
    "committer_policy",
    "key_package_lifetime",
    "receiver_policy",
]

MAX_LEAVES = 1 << 10
"""As many as a KID can name (FKEY-2): a wider tree is no call's."""

MAX_LIFETIME = 31 * 24 * 3600
"""Longest lifetime of a KeyPackage, in seconds (KEYS-8)."""

KEY_PACKAGE_LIFETIME = 28 * 24 * 3600
"""How long a KeyPackage of ours lives from ``now``, in seconds: as long as a certificate of ours."""

BACKDATED = 3600
"""KEYS-8: "its `not_before` SHOULD be an hour in the past"."""


def call_capabilities(suites: Sequence[int], marks: Sequence[Extension] = ()) -> Capabilities:
    """What the leaf of a device with these MLS suites lists, in a KeyPackage that carries ``marks``."""
    return Capabilities(
        versions=(ProtocolVersion.MLS10,),
        cipher_suites=tuple(suites),
        extensions=(CALL_PROFILE, *(mark.extension_type for mark in marks)),
        proposals=(),
        credentials=(CredentialType.BASIC,),
    )


def key_package_lifetime(now: int) -> Lifetime:
    """The lifetime of a KeyPackage made ``now`` (Unix milliseconds)."""
    seconds = now // 1000
    return Lifetime(max(0, seconds - BACKDATED), seconds + KEY_PACKAGE_LIFETIME)


def committer_policy(now: int) -> ValidationPolicy:
    """KEYS-8: who adds a KeyPackage "MUST refuse it outside its lifetime". ``now`` in Unix milliseconds."""
    return ValidationPolicy(DeviceAuthentication(), now, 0, MAX_LIFETIME, MAX_LEAVES)


def receiver_policy(now: int) -> ValidationPolicy:
    """KEYS-8: "who receives the Add ... MUST accept 24 hours more on both sides, and no more"."""
    return ValidationPolicy(
        DeviceAuthentication(), now, RECEIVER_TOLERANCE, MAX_LIFETIME, MAX_LEAVES
    )
