"""The authentication service of calls (RFC 9420 Section 5.3.1): credentials are DeviceCertificates (KEYS-6).

It judges what all who see a leaf judge alike: no clock, no pin, no attestation (KEYS-14). Dates of somebody who is
added are ``legal_commits``'s, people's trust is ``identity.trust``'s.
"""

from __future__ import annotations

from e2ee.mls.credential import Credential
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.roster import credential_certificate

__all__ = ["DeviceAuthentication"]


class DeviceAuthentication:
    """Accepts a leaf that carries a DeviceCertificate for its signature key. Holds no state."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """KEYS-6. Raises ProfileError, DecodeError or CertificateError."""
        credential_certificate(credential, signature_key)

    def check_successor(self, old: Credential, new: Credential) -> None:
        """IDENT-11: "a leaf's credential ... MUST NOT change while the leaf lives". Raises ProfileError."""
        if old != new:
            raise ProfileError(ProfileReason.LEAF_CHANGED, "another credential")
