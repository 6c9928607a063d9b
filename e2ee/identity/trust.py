"""Trust: which account keys this client takes for whom, and what it has seen revoked (IDENT-7 to IDENT-10).

A pin says which key an account has; it comes from an attested certificate or from a safety number that two people
compared, from nothing else, and no attestation overrules it. Everything here judges a ``VerifiedCertificate``;
what is only claimed cannot come in. ``judge`` looks, ``accept`` remembers; a refusal remembers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason, TrustError

__all__ = ["ContactState", "MemoryTrustStore", "Pin", "Trust", "TrustStore"]


class ContactState(StrEnum):
    """What a person should know about a contact."""

    UNVERIFIED = "unverified"
    """The directory's word, or this key's first use."""
    VERIFIED = "verified"
    """A safety number was compared for this key."""
    CHANGED = "changed"
    """Another key than the one known so far; no call before a person accepts it."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The account key that this client takes for an account, and whether people compared it."""

    account_key: bytes
    verified: bool


class TrustStore(Protocol):
    """Where pins and generations are kept; a write has happened when its call returns."""

    def pin(self, account_id: str) -> Pin | None:
        """The pin of this account."""

    def put_pin(self, account_id: str, pin: Pin) -> None:
        """Pin, in the place of an earlier pin."""

    def generation(self, account_key: bytes) -> int:
        """The highest generation seen of this account key; 0 if none."""

    def put_generation(self, account_key: bytes, generation: int) -> None:
        """Remember a higher generation."""


@dataclass(slots=True)
class MemoryTrustStore:
    """A store that forgets when its process ends."""

    pins: dict[str, Pin] = field(default_factory=dict)
    generations: dict[bytes, int] = field(default_factory=dict)

    def pin(self, account_id: str) -> Pin | None:
        return self.pins.get(account_id)

    def put_pin(self, account_id: str, pin: Pin) -> None:
        self.pins[account_id] = pin

    def generation(self, account_key: bytes) -> int:
        return self.generations.get(account_key, 0)

    def put_generation(self, account_key: bytes, generation: int) -> None:
        self.generations[account_key] = generation


class Trust:
    """One client's judgement of accounts."""

    def __init__(self, store: TrustStore, directory_keys: DirectoryKeys) -> None:
        self._store = store
        self._directory_keys = directory_keys

    def observe(self, certificates: Iterable[VerifiedCertificate]) -> None:
        """Remember the generations of certificates that were seen, accepted or not (IDENT-7).

        Of several devices of an account observe all before judging one, so that their order does not matter.
        """
        for certificate in certificates:
            if certificate.generation > self._store.generation(certificate.account_key):
                self._store.put_generation(certificate.account_key, certificate.generation)

    def judge(self, certificate: VerifiedCertificate, now: int) -> ContactState:
        """What this client makes of a certificate; ``now`` in Unix milliseconds.

        Raises TrustError: REVOKED (IDENT-7), NOT_ATTESTED (IDENT-9).
        """
        # IDENT-7: "MUST NOT add or answer a certificate of a lower one"
        if certificate.generation < self._store.generation(certificate.account_key):
            raise TrustError(IdentityReason.REVOKED, f"generation {certificate.generation}")
        pin = self._store.pin(certificate.account_id)
        if pin is None:
            # IDENT-9: "A certificate whose account is not pinned and that has no attestation MUST be refused"
            self._require_attestation(certificate, now)
            return ContactState.UNVERIFIED
        if pin.account_key != certificate.account_key:
            return ContactState.CHANGED  # IDENT-10, attested or not
        return ContactState.VERIFIED if pin.verified else ContactState.UNVERIFIED

    def accept(self, certificate: VerifiedCertificate, now: int) -> ContactState:
        """Judge, and pin an account that is met for the first time (IDENT-8).

        Raises TrustError: REVOKED, NOT_ATTESTED, CHANGED (IDENT-10).
        """
        state = self.judge(certificate, now)
        if state is ContactState.CHANGED:
            raise TrustError(IdentityReason.CHANGED, "not the account key known so far")
        if self._store.pin(certificate.account_id) is None:
            self._store.put_pin(
                certificate.account_id, Pin(certificate.account_key, verified=False)
            )
        self.observe([certificate])
        return state

    def accept_change(self, certificate: VerifiedCertificate, now: int) -> None:
        """A person accepted the account's new key: it is pinned, unverified.

        Raises TrustError: REVOKED; NOT_ATTESTED (IDENT-8 asks for an attestation here as well).
        """
        self.judge(certificate, now)
        self._require_attestation(certificate, now)
        self._store.put_pin(certificate.account_id, Pin(certificate.account_key, verified=False))
        self.observe([certificate])

    def mark_verified(self, account_id: str, account_key: bytes) -> None:
        """Two people compared the safety number, or scanned it, and it was this account key's (IDENT-8)."""
        self._store.put_pin(account_id, Pin(account_key, verified=True))

    def _require_attestation(self, certificate: VerifiedCertificate, now: int) -> None:
        if not self._directory_keys.attests(certificate, now):
            raise TrustError(IdentityReason.NOT_ATTESTED, "neither pinned nor attested")
