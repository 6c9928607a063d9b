"""The roster: the verified certificates of a group's leaves, and how they stand together (KEYS-6, IDENT-11)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.mls.credential import Credential
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.profile.errors import ProfileError, ProfileReason

__all__ = ["Roster", "check_roster", "credential_certificate", "leaf_certificate", "roster"]

Roster = Mapping[int, VerifiedCertificate]
"""Each member's certificate by leaf index, from left to right."""

_NOBODY: Roster = MappingProxyType({})


def credential_certificate(credential: Credential, signature_key: bytes) -> VerifiedCertificate:
    """The certificate that a credential carries, verified for its leaf's signature key.

    Raises ProfileError, DecodeError or CertificateError.
    """
    # KEYS-6: "Every leaf's credential MUST be `basic` with a DeviceCertificate that IDENT-1 to IDENT-3 accept"
    if not isinstance(credential.value, bytes):
        raise ProfileError(ProfileReason.CREDENTIAL_NOT_BASIC)
    return verify_certificate(credential.value, signature_key)


def leaf_certificate(leaf_node: LeafNode) -> VerifiedCertificate:
    """The certificate of a leaf. Raises ProfileError, DecodeError or CertificateError."""
    return credential_certificate(leaf_node.credential, leaf_node.signature_key)


def roster(tree: RatchetTree, known: Roster = _NOBODY) -> Roster:
    """The certificates of all leaves, found to stand together. Raises RemoteProtocolError.

    ``known`` is a roster of this group in an earlier epoch: what was verified then is not verified again.
    """
    certificates = {
        leaf_index: _known_certificate(leaf, known.get(leaf_index)) or leaf_certificate(leaf)
        for leaf_index, leaf in tree.members()
    }
    check_roster(certificates)
    return certificates


def _known_certificate(
    leaf: LeafNode, known: VerifiedCertificate | None
) -> VerifiedCertificate | None:
    """``known`` if this leaf carries it, for the signature key that it was verified for."""
    if known is None or known.signature_key != leaf.signature_key:
        return None
    return known if leaf.credential == Credential.basic(known.certificate.encode()) else None


def check_roster(certificates: Roster) -> None:
    """IDENT-11, between the leaves of a group. Raises ProfileError."""
    account_keys: dict[str, bytes] = {}
    devices: set[tuple[str, int]] = set()
    for leaf_index, certificate in certificates.items():
        account_id = certificate.account_id
        # IDENT-11: "all leaves of an `account_id` MUST have the same `account_key`"
        if account_keys.setdefault(account_id, certificate.account_key) != certificate.account_key:
            raise ProfileError(ProfileReason.ACCOUNT_KEYS_DIFFER, f"leaf {leaf_index}")
        # IDENT-11: "`(account_id, device_id)` MUST be unique"
        if (account_id, certificate.device_id) in devices:
            raise ProfileError(ProfileReason.DEVICE_NOT_UNIQUE, f"leaf {leaf_index}")
        devices.add((account_id, certificate.device_id))
