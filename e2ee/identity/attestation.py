"""Attestation: the directory's word that an account id has an account key (IDENT-4, IDENT-15).

``DirectoryKeys`` is the client's side: the keys that it was shipped with, and the one judgement that they allow.
``AttestationAuthority`` is the directory's. An attestation is never more than a hint for accounts that are met
for the first time: it is not part of a certificate's validity, and it overrules no pin (IDENT-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from e2ee.crypto.errors import BadSignature
from e2ee.crypto.signature import SigningKey
from e2ee.identity.device_certificate import Attestation, VerifiedCertificate
from e2ee.identity.labels import SignatureLabel, opaque16, sign_labelled, verify_labelled

__all__ = [
    "ATTESTED_FOR",
    "MAX_ATTESTED",
    "NO_ATTESTATION",
    "AttestationAuthority",
    "DirectoryKeys",
]

MAX_ATTESTED = 30 * 24 * 3600
"""How far ahead ``attested_until`` may lie, in seconds (IDENT-4)."""

ATTESTED_FOR = MAX_ATTESTED - 24 * 3600
"""What the authority gives, in seconds: a day less, for the sake of clients whose clock is behind."""

NO_ATTESTATION = Attestation(directory_key_id=0, attested_until=0, attestation=bytes(64))
"""For a certificate without an attestation: it was valid until 1970."""


def _attested_content(account_id: bytes, account_key: bytes, attested_until: int) -> bytes:
    return opaque16(account_id) + account_key + attested_until.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class DirectoryKeys:
    """The directory's Ed25519 public keys by ``directory_key_id``: the current one and the next."""

    keys: Mapping[int, bytes]

    def attests(self, certificate: VerifiedCertificate, now: int) -> bool:
        """Whether the attestation counts (IDENT-4); all others are as good as none. ``now`` in milliseconds."""
        attestation = certificate.certificate.attestation
        statement = certificate.certificate.statement
        key = self.keys.get(attestation.directory_key_id)
        if key is None or not 0 <= attestation.attested_until - now // 1000 <= MAX_ATTESTED:
            return False
        content = _attested_content(
            statement.account_id, statement.account_key, attestation.attested_until
        )
        try:
            verify_labelled(key, SignatureLabel.ACCOUNT, content, attestation.attestation)
        except BadSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class AttestationAuthority:
    """The directory's signing key. Ask it only after ``login.verify_register`` (IDENT-15)."""

    directory_key_id: int
    key: SigningKey

    def attest(self, account_id: str, account_key: bytes, now: int) -> Attestation:
        """Attest that ``account_id`` has ``account_key``, for ``ATTESTED_FOR`` seconds from ``now`` (ms)."""
        until = now // 1000 + ATTESTED_FOR
        content = _attested_content(account_id.encode(), account_key, until)
        signature = sign_labelled(self.key, SignatureLabel.ACCOUNT, content)
        return Attestation(self.directory_key_id, until, signature)

    def directory_keys(self) -> DirectoryKeys:
        """What a client of this directory is shipped with."""
        return DirectoryKeys({self.directory_key_id: self.key.public})
