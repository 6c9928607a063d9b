"""Credentials (RFC 9420 Section 5.3): the identity that a leaf claims, and who judges the claim.

This module reads and writes credentials; whether one is acceptable is the application's decision, asked through
``AuthenticationService``. A credential of another type than basic and x509 has no length of its own, so bytes that
hold one do not decode.
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
            {CredentialType.BASIC: opaque, CredentialType.X509: vector(Certificate.codec())},
        ),
    ]

    @classmethod
    def basic(cls, identity: bytes) -> Credential:
        """A bare identity, in the application's own format."""
        return cls(CredentialType.BASIC, identity)


class AuthenticationService(Protocol):
    """The application's judgement of credentials (RFC 9420 Section 5.3.1). Refuse by raising ``RemoteProtocolError``."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """The credential presents identities that are ours to accept and that own ``signature_key``."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """``new`` may replace ``old`` in the same leaf."""
