"""What can be wrong with an identity.

RemoteProtocolError
  CertificateError     a DeviceCertificate that the rules of IDENT-1 to IDENT-5 refuse
  ProofError           a Login or Register signature that does not prove what it should
  TrustError           a certificate in order, of somebody whom this client does not trust (yet)
"""

from __future__ import annotations

from e2ee.errors import Reason, RemoteProtocolError

__all__ = ["CertificateError", "IdentityReason", "ProofError", "TrustError"]


class IdentityReason(Reason):
    """Which rule of the chapter Identity was broken."""

    BAD_VERSION = "BAD_VERSION"
    BAD_ACCOUNT_ID = "BAD_ACCOUNT_ID"
    BAD_VERSIONS = "BAD_VERSIONS"
    BAD_SUITES = "BAD_SUITES"
    BAD_ROLES = "BAD_ROLES"
    BAD_LIFETIME = "BAD_LIFETIME"
    BAD_SIGNATURE_KEY = "BAD_SIGNATURE_KEY"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"

    WRONG_SERVER = "WRONG_SERVER"
    """A server names itself otherwise than the one that was connected to (IDENT-14)."""
    BAD_LOGIN_SIGNATURE = "BAD_LOGIN_SIGNATURE"
    BAD_REGISTER_SIGNATURE = "BAD_REGISTER_SIGNATURE"

    NOT_ATTESTED = "NOT_ATTESTED"
    """Neither pinned nor attested (IDENT-9)."""
    REVOKED = "REVOKED"
    """Of a lower generation than one that was seen (IDENT-7)."""
    CHANGED = "CHANGED"
    """Another account key than the pinned one (IDENT-10)."""


class CertificateError(RemoteProtocolError):
    """A certificate that no client may accept."""


class ProofError(RemoteProtocolError):
    """Somebody did not prove to be who it should be."""


class TrustError(RemoteProtocolError):
    """A valid certificate that this client does not trust; tell its sender nothing (IDENT-9)."""
