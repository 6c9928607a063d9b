"""Credentials (RFC 9420 Section 5.3): the identity that a leaf claims, and who judges the claim.

This module reads and writes credentials; whether one is acceptable is the application's decision, asked through
``AuthenticationService``, wherever Section 5.3.1 demands it. Certificates are handed to it as they came: nothing here
reads them. A service for X.509, with the ``cryptography`` package:

    class Certified:
        def check(self, credential, signature_key):
            if not credential.chain:
                raise Refused(Reason.NO_CERTIFICATE)
            leaf, *issuers = map(x509.load_der_x509_certificate, credential.chain)
            # "The public key encoded in the subjectPublicKeyInfo of the end-entity certificate MUST be identical to
            # the signature_key in the LeafNode containing this credential."
            if encoded(leaf.public_key()) != signature_key:
                raise Refused(Reason.ANOTHER_KEY)
            try:
                self.verifier.verify(leaf, issuers)      # x509.verification.PolicyBuilder(), with the application's roots
            except VerificationError:
                raise Refused(Reason.NOT_TRUSTED) from None

        def check_successor(self, old, new):
            if names(old) != names(new):                  # the subjectAltNames, say: a renewed certificate has the same
                raise Refused(Reason.ANOTHER_NAME)

``Refused`` is a ``RemoteProtocolError``; ``encoded`` gives the form in which MLS has the key (raw for Ed25519 and Ed448,
the uncompressed point for NIST curves). tests/mls/test_credential.py has all of it.

A credential of another type than basic and x509 has no length of its own, so bytes that hold one do not decode.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Protocol

from e2ee.tls_syntax import Opaque, Struct, enum, opaque, select, struct, uint16, vector

__all__ = [
    "AuthenticationService",
    "Certificate",
    "Credential",
    "CredentialType",
    "as_presented",
]


class CredentialType(IntEnum):
    """RFC 9420 Section 17.5."""

    BASIC = 1
    X509 = 2


@struct
class Certificate(Struct):
    """One DER-encoded X.509 certificate."""

    cert_data: Opaque


@struct
class Credential(Struct):
    """RFC 9420 Section 5.3. ``value`` is the identity (basic) or the chain, end entity first (x509)."""

    credential_type: Annotated[CredentialType, enum(CredentialType, uint16)]
    value: Annotated[
        bytes | tuple[Certificate, ...],
        select(
            "credential_type",
            {
                CredentialType.BASIC: opaque,
                CredentialType.X509: vector(Certificate.codec(), most=1 << 8),
            },
        ),
    ]

    @classmethod
    def basic(cls, identity: bytes) -> Credential:
        """A bare identity, in the application's own format."""
        return cls(CredentialType.BASIC, identity)

    @classmethod
    def x509(cls, *certificates: bytes) -> Credential:
        """A chain of DER-encoded certificates, that of the client first; roots and others that all know can be left out."""
        return cls(CredentialType.X509, tuple(map(Certificate, certificates)))

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The DER-encoded certificates of an X.509 credential; a sender may have left it empty. Nothing of a basic one."""
        return () if isinstance(self.value, bytes) else tuple(c.cert_data for c in self.value)


def as_presented(credential: Credential) -> Credential:
    """The identity of a client whose credential never changes: the credential itself."""
    return credential


class AuthenticationService(Protocol):
    """The application's judgement of credentials (RFC 9420 Section 5.3.1). Refuse by raising ``RemoteProtocolError``."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """The credential presents identities that are ours to accept and that own ``signature_key``."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """``new`` may replace ``old`` in the same leaf."""
