"""What can be wrong with an identity.

RemoteProtocolError
  CertificateError     a DeviceCertificate that the rules of IDENT-1 to IDENT-5 refuse
  ProofError           a Login or Register signature that does not prove what it should
  LinkError            what came to a new device, or what it showed, that must not make it a device of an account
  TrustError           a certificate in order, of somebody whom this client does not trust (yet)
LocalProtocolError
  IdentityUsageError   the account's own side was asked for something that its devices do not allow
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason, RemoteProtocolError

__all__ = [
    "CertificateError",
    "IdentityReason",
    "IdentityUsageError",
    "LinkError",
    "ProofError",
    "TrustError",
]


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

    BAD_LINK_SIGNATURE = "BAD_LINK_SIGNATURE"
    """A link that the holder of its signature key did not make (IDENT-20)."""
    LINK_NOT_AUTHENTIC = "LINK_NOT_AUTHENTIC"
    """Not sealed to this device's secret (IDENT-22)."""
    LINK_NOT_AS_SHOWN = "LINK_NOT_AS_SHOWN"
    """A certificate of other versions, suites or roles than the device showed (IDENT-22)."""
    LINK_EXPIRED = "LINK_EXPIRED"
    """The secret was used, or is older than 10 minutes (IDENT-17)."""
    LINK_TOO_LARGE = "LINK_TOO_LARGE"
    """More contacts than one message takes (IDENT-21)."""
    BAD_CONTACTS = "BAD_CONTACTS"
    """A contact twice, verified without a key, or with an unassigned flag (IDENT-22)."""

    NOT_ATTESTED = "NOT_ATTESTED"
    """Neither pinned nor attested (IDENT-9)."""
    REVOKED = "REVOKED"
    """Of a lower generation than one that was seen (IDENT-7)."""
    CHANGED = "CHANGED"
    """Another account key than the pinned one (IDENT-10)."""

    ANOTHER_DEVICE = "ANOTHER_DEVICE"
    """A certificate that this device is offered as its own, and that is another's (IDENT-16)."""
    NOT_NEWER = "NOT_NEWER"
    """A certificate that this device is offered, and that lasts no longer than its own (IDENT-16)."""

    NO_SUCH_DEVICE = "NO_SUCH_DEVICE"
    DEVICE_KNOWN = "DEVICE_KNOWN"
    ALREADY_REVOKED = "ALREADY_REVOKED"
    NO_GENERATION_LEFT = "NO_GENERATION_LEFT"


class CertificateError(RemoteProtocolError):
    """A certificate that no client may accept."""


class ProofError(RemoteProtocolError):
    """Somebody did not prove to be who it should be."""


class LinkError(RemoteProtocolError):
    """A device that cannot be linked so. State is unchanged."""


class TrustError(RemoteProtocolError):
    """A valid certificate that this client does not trust; tell its sender nothing (IDENT-9)."""


class IdentityUsageError(LocalProtocolError):
    """The account cannot do this with its devices. Nothing was signed."""
