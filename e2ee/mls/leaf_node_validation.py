"""Leaf node validation (RFC 9420 Section 7.3): the rules that look at one leaf alone, one function each.

Rules that compare a leaf with the others of its tree (unique keys, credential types in use) stand in
``tree_validation``. The time and the application's judgement of credentials come in as a ``ValidationPolicy``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.errors import BadPublicKey
from e2ee.mls.capabilities import required_capabilities
from e2ee.mls.credential import AuthenticationService, Credential, as_presented
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.ratchet_limits import DEFAULT_LIMITS, RatchetLimits

__all__ = [
    "MAXIMUM_LIFETIME",
    "RECEIVER_TOLERANCE",
    "ValidationPolicy",
    "check_compatible",
    "check_leaf_node",
    "check_leaf_source",
    "check_successor",
]

MAXIMUM_LIFETIME = 31 * 24 * 60 * 60
"""The longest total lifetime of a leaf that the protocol accepts, in seconds."""

RECEIVER_TOLERANCE = 24 * 60 * 60 * 1000
"""How far outside of its lifetime a receiver still accepts a leaf, in milliseconds; who commits has none."""


@dataclass(frozen=True, slots=True)
class ValidationPolicy:
    """What leaves are judged by beside the RFC: the application's word on credentials, and the time.

    ``now`` is Unix milliseconds; ``tolerance`` is milliseconds: 0 for who commits, ``RECEIVER_TOLERANCE`` for who
    receives; ``maximum_lifetime`` is seconds. A tree of more than ``maximum_leaves`` leaves, blank ones too, is refused
    before anything of it is hashed, and of one sender no more than ``maximum_proposals`` are kept in an epoch (all clients
    that ask to be added are one sender: anybody can be any number of them). ``ratchet_limits`` is for who receives messages. ``identity`` gives equal values for
    credentials that present equivalent identifiers (Section 11.3: "considered equivalent by the application").
    """

    authentication: AuthenticationService
    now: int
    tolerance: int = 0
    maximum_lifetime: int = MAXIMUM_LIFETIME
    maximum_leaves: int = 1 << 20
    maximum_proposals: int = 1_000
    ratchet_limits: RatchetLimits = DEFAULT_LIMITS
    identity: Callable[[Credential], Hashable] = as_presented


def check_leaf_node(suite: CipherSuite, leaf_node: LeafNode, policy: ValidationPolicy) -> None:
    """What must hold of a leaf wherever it stands, beside its signature and its credential."""
    _check_encryption_key(suite, leaf_node)
    _check_lifetime(leaf_node, policy)
    _check_extensions_listed(leaf_node)
    _check_credential_listed(leaf_node)


def _check_encryption_key(suite: CipherSuite, leaf_node: LeafNode) -> None:
    # Section 10: "the leaf_node field MUST be valid for the cipher suite, including both the encryption_key and
    # signature_key fields." (A signature key shows itself valid by verifying the leaf's signature.)
    try:
        suite.hpke.kem.check_public_key(leaf_node.encryption_key)
    except BadPublicKey as error:
        raise ValidationError(Rule.LEAF_ENCRYPTION_KEY_MALFORMED, error.detail) from None


def _check_lifetime(leaf_node: LeafNode, policy: ValidationPolicy) -> None:
    lifetime = leaf_node.lifetime
    if lifetime is None:
        return
    # Section 7.2: "Applications MUST define a maximum total lifetime that is acceptable for a LeafNode, and reject
    # any LeafNode where the total lifetime is longer than this duration."
    if lifetime.not_after - lifetime.not_before > policy.maximum_lifetime:  # KEYS-8
        raise ValidationError(Rule.LEAF_LIFETIME_TOO_LONG)
    # "If the LeafNode appears in a message being sent by the client [...] then the client MUST verify that the current
    # time is within the range of the lifetime field." For one received "it is RECOMMENDED". (KEYS-8)
    if (policy.now + policy.tolerance) // 1000 < lifetime.not_before:
        raise ValidationError(Rule.LEAF_NOT_YET_VALID, f"before {lifetime.not_before}")
    if (policy.now - policy.tolerance) // 1000 > lifetime.not_after:
        raise ValidationError(Rule.LEAF_EXPIRED, f"since {lifetime.not_after}")


def _check_extensions_listed(leaf_node: LeafNode) -> None:
    # "Verify that the extensions in the LeafNode are supported by checking that the ID for each extension in the
    # extensions field is listed in the capabilities.extensions field of the LeafNode."
    for extension in leaf_node.extensions:
        if not leaf_node.capabilities.supports_extension(extension.extension_type):
            detail = f"type {extension.extension_type:#06x}"
            raise ValidationError(Rule.LEAF_EXTENSION_NOT_LISTED, detail)


def _check_credential_listed(leaf_node: LeafNode) -> None:
    # Section 7.2: "the credential type used in the LeafNode MUST be included in the credentials field of the
    # capabilities field."
    if leaf_node.credential.credential_type not in leaf_node.capabilities.credentials:
        raise ValidationError(Rule.LEAF_CREDENTIAL_NOT_LISTED)


_WRONG_SOURCE = {
    LeafNodeSource.KEY_PACKAGE: Rule.LEAF_SOURCE_NOT_KEY_PACKAGE,
    LeafNodeSource.UPDATE: Rule.LEAF_SOURCE_NOT_UPDATE,
    LeafNodeSource.COMMIT: Rule.LEAF_SOURCE_NOT_COMMIT,
}


def check_leaf_source(leaf_node: LeafNode, due: LeafNodeSource) -> None:
    """The leaf was made for what it stands in: a KeyPackage, an Update proposal or an UpdatePath."""
    # "If the LeafNode appears in a KeyPackage, verify that leaf_node_source is set to key_package."
    # "If the LeafNode appears in an Update proposal, verify that leaf_node_source is set to update"
    # "If the LeafNode appears in the leaf_node value of the UpdatePath in a Commit, verify that leaf_node_source is
    # set to commit."
    if leaf_node.leaf_node_source != due:
        raise ValidationError(_WRONG_SOURCE[due])


def check_successor(old: LeafNode, new: LeafNode, policy: ValidationPolicy) -> None:
    """``new`` may stand in the place of ``old``: a fresh key, and the same client by the application's word."""
    # "verify that [...] encryption_key represents a different public key than the encryption_key in the leaf node
    # being replaced by the Update proposal."
    if new.encryption_key == old.encryption_key:
        raise ValidationError(Rule.LEAF_KEY_NOT_REPLACED)
    # Section 5.3.1: "In cases where a member's credential is being replaced, such as the Update and Commit cases
    # above, the AS MUST also verify that the set of presented identifiers in the new credential is valid as a
    # successor to the set of presented identifiers in the old credential". An unchanged one is not judged again, so a
    # member whose credential has expired meanwhile can still commit.
    if (new.credential, new.signature_key) != (old.credential, old.signature_key):
        policy.authentication.check(new.credential, new.signature_key)
        policy.authentication.check_successor(old.credential, new.credential)


def check_compatible(
    suite: CipherSuite, leaf_node: LeafNode, extensions: tuple[Extension, ...]
) -> None:
    """The leaf's client supports the group's version, suite and GroupContext extensions, and what these require."""
    supported = leaf_node.capabilities
    # Section 11.1: "At a minimum, all members of the group need to support the cipher suite and protocol version in
    # use."
    if ProtocolVersion.MLS10 not in supported.versions:
        raise ValidationError(Rule.LEAF_VERSION_NOT_LISTED)
    if suite.code_point not in supported.cipher_suites:
        raise ValidationError(Rule.LEAF_CIPHER_SUITE_NOT_LISTED)
    # Section 13.4: "The capabilities field MUST indicate support for each extension in the GroupContext."
    for extension in extensions:
        if not supported.supports_extension(extension.extension_type):
            detail = f"type {extension.extension_type:#06x}"
            raise ValidationError(Rule.LEAF_LACKS_GROUP_EXTENSION, detail)
    # "If the GroupContext has a required_capabilities extension, then the required extensions, proposals, and
    # credential types MUST be listed in the LeafNode's capabilities field."
    if not supported.meet(required_capabilities(extensions)):
        raise ValidationError(Rule.LEAF_LACKS_REQUIRED_CAPABILITY)
