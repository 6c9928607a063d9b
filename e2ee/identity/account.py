"""The account's own side: its key, and the certificates that it issues to its devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.attestation import NO_ATTESTATION
from e2ee.identity.device_certificate import (
    CERTIFICATE_VERSION,
    Attestation,
    DeviceCertificate,
    DeviceStatement,
    Role,
    certified_content,
    verify_certificate,
)
from e2ee.identity.labels import SignatureLabel, sign_labelled

__all__ = ["BACKDATED", "CERTIFIED_FOR", "AccountKey"]

CERTIFIED_FOR = 28 * 24 * 3600
"""How long a certificate is valid from ``now``, in seconds: below IDENT-2's 30 days."""

BACKDATED = 3600
"""How far ``not_before`` lies in the past, in seconds, for the sake of clocks that are behind."""


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account and its Ed25519 key, which only the account's primary device holds."""

    account_id: str
    key: SigningKey

    @classmethod
    def create(cls, account_id: str, entropy: Entropy) -> AccountKey:
        """A new account with a fresh key."""
        return cls(account_id, ED25519.generate(entropy))

    @property
    def public(self) -> bytes:
        """``account_key``, 32 bytes."""
        return self.key.public

    def certify(
        self,
        signature_key: bytes,
        *,
        device_id: int,
        now: int,
        versions: Sequence[int],
        suites: Sequence[int],
        generation: int = 0,
        roles: Role = Role.NONE,
        attestation: Attestation = NO_ATTESTATION,
    ) -> DeviceCertificate:
        """A certificate for the device whose leaves are signed with ``signature_key``. ``now`` in milliseconds.

        Raises CertificateError if the account id, versions, suites or roles break IDENT-1.
        """
        seconds = now // 1000
        statement = DeviceStatement(
            version=CERTIFICATE_VERSION,
            account_id=self.account_id.encode(),
            account_key=self.public,
            device_id=device_id,
            generation=generation,
            not_before=max(0, seconds - BACKDATED),
            not_after=seconds + CERTIFIED_FOR,
            versions=tuple(versions),
            suites=tuple(suites),
            roles=int(roles),
        )
        certificate = self.sign(statement, signature_key, attestation)
        verify_certificate(
            certificate.encode(), signature_key
        )  # we issue nothing that others refuse
        return certificate

    def sign(
        self, statement: DeviceStatement, signature_key: bytes, attestation: Attestation
    ) -> DeviceCertificate:
        """``statement`` under this account's signature, whatever it says."""
        content = certified_content(statement, signature_key)
        signature = sign_labelled(self.key, SignatureLabel.DEVICE, content)
        return DeviceCertificate(statement, signature, attestation)
