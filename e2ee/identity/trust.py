"""Trust: which account keys this client takes for whom, and what it has seen revoked (IDENT-7 to IDENT-10, IDENT-18).

A ``Contact`` is all that a client knows of an account. Its key comes from an attested certificate or from a safety
number that two people compared, from nothing else, and no attestation overrules it. Everything that judges asks for a
``VerifiedCertificate``; what is only claimed cannot come in. ``judge`` looks, ``accept`` remembers; a refusal
remembers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason, TrustError

__all__ = [
    "CODE_ATTEMPTS",
    "CODE_ATTEMPTS_WITHIN",
    "Contact",
    "ContactState",
    "MemoryTrustStore",
    "Trust",
    "TrustStore",
]

CODE_ATTEMPTS = 3
"""How often a spoken code may be tried with a contact within ``CODE_ATTEMPTS_WITHIN``."""

CODE_ATTEMPTS_WITHIN = 24 * 3600 * 1000
"""For how long an attempt counts, in milliseconds."""


class ContactState(StrEnum):
    """What a person should know about a contact."""

    UNVERIFIED = "unverified"
    """The directory's word, or this key's first use."""
    VERIFIED = "verified"
    """A safety number was compared for this key."""
    CHANGED = "changed"
    """Another key than the one known so far; no call before a person accepts it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An account, as this client knows it."""

    account_id: str
    account_key: bytes | None = None
    """The key that this client takes for the account's, 32 bytes; None before it is pinned (IDENT-8)."""
    verified: bool = False
    """Whether people compared this key (IDENT-18)."""
    blocked: bool = False
    highest_suite: int = 0
    """The highest MLS suite that the account's devices ever had in common, or 0."""
    code_attempts: tuple[int, ...] = ()
    """When spoken codes were tried, in Unix milliseconds, oldest first; the last ``CODE_ATTEMPTS`` at most."""

    @property
    def state(self) -> ContactState | None:
        """What people should know when nothing is under way; None before a key is pinned."""
        if self.account_key is None:
            return None
        return ContactState.VERIFIED if self.verified else ContactState.UNVERIFIED

    def with_key(self, account_key: bytes, *, verified: bool) -> Contact:
        """The same account with this key; the mark that an earlier key had does not go over to it."""
        return replace(self, account_key=account_key, verified=verified)


class TrustStore(Protocol):
    """Where contacts and generations are kept; a write has happened when its call returns."""

    def contact(self, account_id: str) -> Contact | None:
        """What is kept of this account."""

    def put_contact(self, contact: Contact) -> None:
        """Keep, in the place of what was kept of the same ``account_id``."""

    def contacts(self) -> Iterable[Contact]:
        """All of them, in any order."""

    def generation(self, account_key: bytes) -> int:
        """The highest generation seen of this account key; 0 if none."""

    def put_generation(self, account_key: bytes, generation: int) -> None:
        """Remember a higher generation."""


@dataclass(slots=True)
class MemoryTrustStore:
    """A store that forgets when its process ends."""

    known: dict[str, Contact] = field(default_factory=dict)
    generations: dict[bytes, int] = field(default_factory=dict)

    def contact(self, account_id: str) -> Contact | None:
        return self.known.get(account_id)

    def put_contact(self, contact: Contact) -> None:
        self.known[contact.account_id] = contact

    def contacts(self) -> Iterable[Contact]:
        return list(self.known.values())

    def generation(self, account_key: bytes) -> int:
        return self.generations.get(account_key, 0)

    def put_generation(self, account_key: bytes, generation: int) -> None:
        self.generations[account_key] = generation


class Trust:
    """One client's judgement of accounts."""

    def __init__(self, store: TrustStore, directory_keys: DirectoryKeys) -> None:
        self._store = store
        self._directory_keys = directory_keys

    # -------------------------------------------------------------------------------- certificates

    def observe(self, certificates: Iterable[VerifiedCertificate], now: int) -> None:
        """Remember the generations of certificates that were seen, accepted or not (IDENT-7).

        Of several devices of an account observe all before judging one, so that their order does not matter. ``now`` in Unix
        milliseconds.
        """
        by_key: dict[bytes, list[VerifiedCertificate]] = {}
        for certificate in certificates:
            by_key.setdefault(certificate.account_key, []).append(certificate)
        for account_key, seen in by_key.items():
            highest = max(certificate.generation for certificate in seen)
            higher = highest > self._store.generation(account_key)
            # IDENT-7: "that is pinned or attested": else anybody has us remember as many keys as they make up
            if higher and any(self._is_known(certificate, now) for certificate in seen):
                self._store.put_generation(account_key, highest)

    def _is_known(self, certificate: VerifiedCertificate, now: int) -> bool:
        pinned = self.contact(certificate.account_id).account_key
        return pinned == certificate.account_key or self._directory_keys.attests(certificate, now)

    def judge(self, certificate: VerifiedCertificate, now: int) -> ContactState:
        """What this client makes of a certificate; ``now`` in Unix milliseconds.

        Raises TrustError: REVOKED (IDENT-7), NOT_ATTESTED (IDENT-9).
        """
        # IDENT-7: "MUST NOT add or answer a certificate of a lower one"
        if certificate.generation < self._store.generation(certificate.account_key):
            raise TrustError(IdentityReason.REVOKED, f"generation {certificate.generation}")
        contact = self.contact(certificate.account_id)
        if contact.account_key is None:
            # IDENT-9: "A certificate whose account is not pinned and that has no attestation MUST be refused"
            self._require_attestation(certificate, now)
            return ContactState.UNVERIFIED
        if contact.account_key != certificate.account_key:
            return ContactState.CHANGED  # IDENT-10, attested or not
        return ContactState.VERIFIED if contact.verified else ContactState.UNVERIFIED

    def accept(self, certificate: VerifiedCertificate, now: int) -> ContactState:
        """Judge, and pin an account that is met for the first time (IDENT-8).

        Raises TrustError: REVOKED, NOT_ATTESTED, CHANGED (IDENT-10).
        """
        state = self.judge(certificate, now)
        if state is ContactState.CHANGED:
            raise TrustError(IdentityReason.CHANGED, "not the account key known so far")
        contact = self.contact(certificate.account_id)
        if contact.account_key is None:
            self._store.put_contact(contact.with_key(certificate.account_key, verified=False))
        self.observe([certificate], now)
        return state

    def accept_change(self, certificate: VerifiedCertificate, now: int) -> None:
        """A person accepted the account's new key: it is pinned, unverified (IDENT-18).

        The key that is pinned already stays as it is, with its mark. Raises TrustError: REVOKED; NOT_ATTESTED (IDENT-8
        asks for an attestation here as well).
        """
        state = self.judge(certificate, now)
        self._require_attestation(certificate, now)
        if state is not ContactState.VERIFIED:
            contact = self.contact(certificate.account_id)
            self._store.put_contact(contact.with_key(certificate.account_key, verified=False))
        self.observe([certificate], now)

    def attests(self, certificate: VerifiedCertificate, now: int) -> bool:
        """Whether the directory says now that the account's key is this one, be it pinned or not (IDENT-4)."""
        return self._directory_keys.attests(certificate, now)

    def _require_attestation(self, certificate: VerifiedCertificate, now: int) -> None:
        if not self._directory_keys.attests(certificate, now):
            raise TrustError(IdentityReason.NOT_ATTESTED, "neither pinned nor attested")

    # ------------------------------------------------------------------------------------ contacts

    def contact(self, account_id: str) -> Contact:
        """All that is known of an account; of an unknown one, that it is neither pinned nor blocked."""
        return self._store.contact(account_id) or Contact(account_id)

    def contacts(self) -> list[Contact]:
        """Everybody of whom something is known, by account id."""
        return sorted(self._store.contacts(), key=lambda contact: contact.account_id)

    def mark_verified(self, account_id: str, account_key: bytes) -> None:
        """Two people compared the safety number, or scanned it, and it was this account key's (IDENT-8)."""
        self._store.put_contact(self.contact(account_id).with_key(account_key, verified=True))

    def block(self, account_id: str) -> None:
        """Nothing of this account shall reach the person any more."""
        self._store.put_contact(replace(self.contact(account_id), blocked=True))

    def unblock(self, account_id: str) -> None:
        """Take a block back."""
        self._store.put_contact(replace(self.contact(account_id), blocked=False))

    def is_blocked(self, account_id: str) -> bool:
        """Whether the person blocked this account, whatever key it has."""
        return self.contact(account_id).blocked

    # -------------------------------------------------------------------------------------- suites

    def note_suites(self, certificates: Sequence[VerifiedCertificate], order: Sequence[int]) -> int:
        """Remember the suites of one account's devices that are in a call; gives a suite that it once offered, or 0.

        ``order`` is the MLS suites of calls, from lower to higher. What the account offers is the highest that all the
        ``certificates`` list, as KEYS-2 chooses. A value other than 0 is a higher one that an earlier call could have: a
        device with fewer suites was added, or the others are kept away, and the person is warned. Only what a pinned key
        certified is remembered or compared, so ``accept`` comes first.
        """
        rank: Mapping[int, int] = {suite: place for place, suite in enumerate(order, 1)}
        contact = self.contact(certificates[0].account_id)
        if any(each.account_key != contact.account_key for each in certificates):
            return 0
        common = set(order).intersection(*(each.suites for each in certificates))
        offered = max(common, key=rank.__getitem__, default=0)
        before, after = (rank.get(suite, 0) for suite in (contact.highest_suite, offered))
        if after > before:
            self._store.put_contact(replace(contact, highest_suite=offered))
        return contact.highest_suite if after < before else 0

    # -------------------------------------------------------------------------------- spoken codes

    def code_attempts_left(self, account_id: str, now: int) -> int:
        """How often a spoken code may still be tried with this contact, as of ``now`` (Unix milliseconds)."""
        attempts = self.contact(account_id).code_attempts
        # An attempt of the future counts too: a clock that is set back gives no attempts away.
        counted = [at for at in attempts if now - at < CODE_ATTEMPTS_WITHIN]
        return CODE_ATTEMPTS - len(counted)

    def note_code_attempt(self, account_id: str, now: int) -> None:
        """This device tried a spoken code with this contact, finished or not."""
        contact = self.contact(account_id)
        attempts = tuple(sorted((*contact.code_attempts, now))[-CODE_ATTEMPTS:])
        self._store.put_contact(replace(contact, code_attempts=attempts))
