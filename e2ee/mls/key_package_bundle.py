"""KeyPackageBundle: a KeyPackage with the three private keys that only its owner has (RFC 9420 Section 10).

The KeyPackage is published; the bundle waits with its owner for a Welcome, or begins a group. It is for one use: who
joined by it drops the bundle, and with it ``init_private_key``. One that was marked with ``key_package.LAST_RESORT``
stays, since it is given away again and again when no other is left; who joined by it commits soon, so that no two of its
groups hold the same leaf for long.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import SigningKey
from e2ee.mls.advertising import check_advertised
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension
from e2ee.mls.grease import grease_extensions, with_grease
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.key_package import KeyPackage, sign_key_package
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime, sign_leaf_node

__all__ = ["KeyPackageBundle"]


@dataclass(frozen=True, slots=True)
class KeyPackageBundle:
    """A KeyPackage and its private keys; see ``generate`` and ``of``. Raises UsageError if a key is not that of the KeyPackage."""

    key_package: KeyPackage
    init_key_pair: KeyPair = field(repr=False)
    leaf_key_pair: KeyPair = field(repr=False)
    signature_private_key: Secret = field(repr=False)

    def __post_init__(self) -> None:
        leaf_node = self.key_package.leaf_node
        if (
            self.init_key_pair.public != self.key_package.init_key
            or self.leaf_key_pair.public != leaf_node.encryption_key
            or self.suite.signature.public_key(self.signature_private_key)
            != leaf_node.signature_key
        ):
            raise UsageError(Rule.PRIVATE_KEY_DOES_NOT_MATCH)

    @property
    def suite(self) -> CipherSuite:
        """That of the KeyPackage."""
        return cipher_suite(self.key_package.cipher_suite)

    @property
    def init_private_key(self) -> Secret:
        """That of the KeyPackage's ``init_key``."""
        return self.init_key_pair.private

    @property
    def encryption_private_key(self) -> Secret:
        """That of the leaf's ``encryption_key``."""
        return self.leaf_key_pair.private

    @classmethod
    def of(
        cls,
        key_package: KeyPackage,
        init_private_key: Secret,
        encryption_private_key: Secret,
        signature_private_key: Secret,
    ) -> KeyPackageBundle:
        """A bundle that was kept as its parts. Raises UsageError(PRIVATE_KEY_DOES_NOT_MATCH)."""
        kem = cipher_suite(key_package.cipher_suite).hpke.kem
        init, leaf = (
            KeyPair(private, kem.public_key(private))
            for private in (init_private_key, encryption_private_key)
        )
        return cls(key_package, init, leaf, signature_private_key)

    @classmethod
    def generate(
        cls,
        suite: CipherSuite,
        signing_key: SigningKey,
        credential: Credential,
        capabilities: Capabilities,
        lifetime: Lifetime,
        entropy: Entropy,
        *,
        extensions: tuple[Extension, ...] = (),
        leaf_extensions: tuple[Extension, ...] = (),
        grease: bool = False,
    ) -> KeyPackageBundle:
        """A fresh KeyPackage of this client, signed; its two HPKE key pairs are drawn from ``entropy``.

        ``capabilities`` are what the client supports. With ``grease``, which the RFC recommends, random values that mean
        nothing are added to them, to the leaf's extensions and to the KeyPackage's. Raises UsageError: DEFAULT_TYPE_LISTED,
        CAPABILITY_NOT_IMPLEMENTED, EXTENSION_NOT_LISTED.
        """
        check_advertised(suite, capabilities, (*extensions, *leaf_extensions))
        if grease:
            capabilities = with_grease(capabilities, entropy)
            extensions += grease_extensions(capabilities, entropy)
            leaf_extensions += grease_extensions(capabilities, entropy)
        init, encryption = (suite.hpke.kem.generate_key_pair(entropy) for _ in range(2))
        unsigned_leaf = LeafNode(
            encryption_key=encryption.public,
            signature_key=signing_key.public,
            credential=credential,
            capabilities=capabilities,
            leaf_node_source=LeafNodeSource.KEY_PACKAGE,
            details=lifetime,
            extensions=leaf_extensions,
            signature=b"",
        )
        leaf_node = sign_leaf_node(suite, unsigned_leaf, signing_key.private, b"", 0)
        unsigned = KeyPackage(
            version=ProtocolVersion.MLS10,
            cipher_suite=suite.code_point,
            init_key=init.public,
            leaf_node=leaf_node,
            extensions=extensions,
            signature=b"",
        )
        key_package = sign_key_package(suite, unsigned, signing_key.private)
        return cls(key_package, init, encryption, signing_key.private)
