"""KeyPackage (RFC 9420 Section 10): what a client publishes so that others can add it to groups."""

from __future__ import annotations

from dataclasses import replace

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.errors import BadPublicKey
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, Extensions, find
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.labels import ref_hash, sign_with_label, verify_with_label
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature
from e2ee.mls.leaf_node_validation import ValidationPolicy, check_leaf_node, check_leaf_source
from e2ee.tls_syntax import EncodedOnce, Opaque, Uint16, opaque, struct

__all__ = [
    "LAST_RESORT",
    "KeyPackage",
    "check_key_package",
    "make_key_package_ref",
    "sign_key_package",
]


@struct
class KeyPackage(EncodedOnce):
    """RFC 9420 Section 10. ``version`` and ``cipher_suite`` are code points, known or not."""

    version: Uint16
    cipher_suite: Uint16
    init_key: Opaque
    leaf_node: LeafNode
    extensions: Extensions
    signature: Opaque

    @property
    def is_last_resort(self) -> bool:
        """Whether its owner meant it to be used when no other is left, and again after that."""
        return find(self.extensions, LAST_RESORT.extension_type) is not None


LAST_RESORT = Extension(0x000A, b"")
"""The KeyPackage extension ``last_resort_key_package`` of draft-ietf-mls-extensions-04 and -05, as mls-rs and OpenMLS have it.

It marks a KeyPackage that may be used more than once (RFC 9420 Section 16.8); its type is not a default one, so who uses it
lists it in its capabilities. Later drafts carry the mark in another extension.
"""


def make_key_package_ref(suite: CipherSuite, key_package: KeyPackage) -> bytes:
    """MakeKeyPackageRef (RFC 9420 Section 5.2): how a Welcome names the KeyPackage."""
    return ref_hash(suite.kdf, "MLS 1.0 KeyPackage Reference", key_package.encode())


def _to_be_signed(key_package: KeyPackage) -> bytes:
    """KeyPackageTBS: "all of the fields except for the signature field"."""
    return key_package.encode().removesuffix(opaque.encode(key_package.signature))


def sign_key_package(suite: CipherSuite, unsigned: KeyPackage, private: bytes) -> KeyPackage:
    """``unsigned`` with its signature by the key of its leaf."""
    signature = sign_with_label(suite, private, "KeyPackageTBS", _to_be_signed(unsigned))
    return replace(unsigned, signature=signature)


def check_key_package(
    suite: CipherSuite, key_package: KeyPackage, policy: ValidationPolicy
) -> None:
    """KeyPackage validation (RFC 9420 Section 10.1) for a group of this suite. Raises ValidationError.

    What the group asks of a new leaf (``leaf_node_validation.check_compatible``) is the caller's to check.
    """
    _check_version_and_suite(suite, key_package)
    _check_init_key(suite, key_package)
    leaf_node = key_package.leaf_node
    # "Verify that the leaf_node of the KeyPackage is valid for a KeyPackage according to Section 7.3."
    check_leaf_source(leaf_node, LeafNodeSource.KEY_PACKAGE)
    check_leaf_node(suite, leaf_node, policy)
    check_leaf_signature(suite, leaf_node, group_id=b"", leaf_index=0)
    # "Verify that the signature on the KeyPackage is valid using the public key in leaf_node.credential."
    verify_with_label(
        suite,
        leaf_node.signature_key,
        "KeyPackageTBS",
        _to_be_signed(key_package),
        key_package.signature,
        Rule.KEY_PACKAGE_SIGNATURE,
    )
    policy.authentication.check(leaf_node.credential, leaf_node.signature_key)


def _check_version_and_suite(suite: CipherSuite, key_package: KeyPackage) -> None:
    # "Verify that the cipher suite and protocol version of the KeyPackage match those in the GroupContext."
    if key_package.version != ProtocolVersion.MLS10:
        raise ValidationError(Rule.KEY_PACKAGE_VERSION, f"{key_package.version:#06x}")
    if key_package.cipher_suite != suite.code_point:
        raise ValidationError(Rule.KEY_PACKAGE_CIPHER_SUITE, f"{key_package.cipher_suite:#06x}")


def _check_init_key(suite: CipherSuite, key_package: KeyPackage) -> None:
    # "Verify that the value of leaf_node.encryption_key is different from the value of the init_key field."
    if key_package.init_key == key_package.leaf_node.encryption_key:
        raise ValidationError(Rule.KEY_PACKAGE_INIT_KEY_REUSED)
    # "The value for init_key MUST be a public key for the asymmetric encryption scheme defined by cipher_suite"
    try:
        suite.hpke.kem.check_public_key(key_package.init_key)
    except BadPublicKey as error:
        raise ValidationError(Rule.KEY_PACKAGE_INIT_KEY_MALFORMED, error.detail) from None
