"""What stays the same of a client, whatever leaf it has: who it is, its signature key, and what it supports.

Clients made here support all cipher suites and credentials that the library has, and list GREASE values beside them
(RFC 9420 Section 13.5), as a careful client does: so an implementation that stumbles over what it does not know learns of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature_scheme import SigningKey
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.grease import without_grease
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.key_package_bundle import KeyPackageBundle

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """See the module."""

    suite: CipherSuite
    signing_key: SigningKey
    credential: Credential
    capabilities: Capabilities

    @classmethod
    def new(
        cls,
        suite: CipherSuite,
        credential: Credential,
        extensions: tuple[int, ...],
        entropy: Entropy,
    ) -> Identity:
        """A client with a new signature key, which supports these types of extensions."""
        capabilities = Capabilities(
            versions=(ProtocolVersion.MLS10,),
            cipher_suites=tuple(CIPHER_SUITES),
            extensions=extensions,
            proposals=(),
            credentials=tuple(CredentialType),
        )
        return cls(suite, suite.signature.generate(entropy), credential, capabilities)

    @classmethod
    def of(cls, bundle: KeyPackageBundle) -> Identity:
        """That of the owner of a KeyPackage."""
        leaf = bundle.key_package.leaf_node
        signing_key = SigningKey(bundle.signature_private_key, leaf.signature_key)
        return cls(bundle.suite, signing_key, leaf.credential, without_grease(leaf.capabilities))

    def supporting(self, extensions: tuple[Extension, ...]) -> Identity:
        """The same client, which also lists the types of these extensions."""
        listed = self.capabilities.extensions
        known = listed + tuple(map(int, ExtensionType))
        types = (extension.extension_type for extension in extensions)
        more = tuple(each for each in types if each not in known)
        return replace(self, capabilities=replace(self.capabilities, extensions=listed + more))

    def new_bundle(self, surroundings: Surroundings) -> KeyPackageBundle:
        """A fresh KeyPackage of this client."""
        return KeyPackageBundle.generate(
            self.suite,
            self.signing_key,
            self.credential,
            self.capabilities,
            surroundings.lifetime(),
            surroundings.entropy,
            grease=True,
        )
