"""Trust through any history: keys come from attestations and people only, marks stay with their key, generations rise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, AttestationAuthority
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.trust import Contact, ContactState, MemoryTrustStore, Trust

NOW = 1_800_000_000_000
ENTROPY = SeededEntropy(b"tests of trust's model")
AUTHORITY = AttestationAuthority(7, ED25519.generate(ENTROPY))
DEVICE = ED25519.generate(ENTROPY)
KEYS = [AccountKey.create("", ENTROPY).key for _ in range(3)]

account_ids = st.sampled_from(["alice", "bob"])
keys = st.integers(0, len(KEYS) - 1)


@cache
def certificate(
    account_id: str, key: int, generation: int, *, attested: bool
) -> VerifiedCertificate:
    account = AccountKey(account_id, KEYS[key])
    attestation = AUTHORITY.attest(account_id, account.public, NOW) if attested else NO_ATTESTATION
    issued = account.certify(
        DEVICE.public,
        device_id=1,
        now=NOW,
        versions=[0x0100],
        suites=[1],
        generation=generation,
        attestation=attestation,
    )
    return verify_certificate(issued.encode(), DEVICE.public)


certificates = st.builds(certificate, account_ids, keys, st.integers(0, 2), attested=st.booleans())


class TrustLife(RuleBasedStateMachine):
    """What people do and what servers show, against a model of three dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryTrustStore()
        self.trust = Trust(self.store, AUTHORITY.directory_keys())
        self.pinned: dict[str, bytes] = {}
        self.verified: set[str] = set()
        self.blocked: set[str] = set()
        self.generations: dict[bytes, int] = {}

    def expected(self, shown: VerifiedCertificate) -> ContactState | IdentityReason:
        """What the rules say of a certificate, in their order."""
        pinned = self.pinned.get(shown.account_id)
        if shown.generation < self.generations.get(shown.account_key, 0):
            return IdentityReason.REVOKED
        if pinned is None:
            attested = shown.certificate.attestation != NO_ATTESTATION
            return ContactState.UNVERIFIED if attested else IdentityReason.NOT_ATTESTED
        if pinned != shown.account_key:
            return ContactState.CHANGED
        compared = shown.account_id in self.verified
        return ContactState.VERIFIED if compared else ContactState.UNVERIFIED

    def saw(self, shown: VerifiedCertificate) -> None:
        known = self.generations.get(shown.account_key, 0)
        self.generations[shown.account_key] = max(known, shown.generation)

    @rule(shown=certificates)
    def judge(self, shown: VerifiedCertificate) -> None:
        assert self._outcome(lambda: self.trust.judge(shown, NOW)) == self.expected(shown)

    @rule(shown=certificates)
    def observe(self, shown: VerifiedCertificate) -> None:
        self.trust.observe([shown], NOW)
        attested = shown.certificate.attestation != NO_ATTESTATION
        if attested or self.pinned.get(shown.account_id) == shown.account_key:
            self.saw(shown)

    @rule(shown=certificates)
    def accept(self, shown: VerifiedCertificate) -> None:
        expected = self.expected(shown)
        if expected is ContactState.CHANGED:
            expected = IdentityReason.CHANGED
        assert self._outcome(lambda: self.trust.accept(shown, NOW)) == expected
        if isinstance(expected, ContactState):
            self.pinned.setdefault(shown.account_id, shown.account_key)
            self.saw(shown)

    @rule(shown=certificates)
    def accept_change(self, shown: VerifiedCertificate) -> None:
        expected = self.expected(shown)
        outcome = self._outcome(lambda: self.trust.accept_change(shown, NOW))
        if isinstance(expected, IdentityReason):
            assert outcome == expected
        elif shown.certificate.attestation == NO_ATTESTATION:
            assert outcome == IdentityReason.NOT_ATTESTED
        else:
            if self.pinned.get(shown.account_id) != shown.account_key:
                self.verified.discard(shown.account_id)
            self.pinned[shown.account_id] = shown.account_key
            self.saw(shown)

    @rule(account_id=account_ids, key=keys)
    def compare_safety_numbers(self, account_id: str, key: int) -> None:
        self.trust.mark_verified(account_id, KEYS[key].public)
        self.pinned[account_id] = KEYS[key].public
        self.verified.add(account_id)

    @rule(account_id=account_ids)
    def block(self, account_id: str) -> None:
        self.trust.block(account_id)
        self.blocked.add(account_id)

    @precondition(lambda self: self.blocked)
    @rule()
    def unblock(self) -> None:
        self.trust.unblock(self.blocked.pop())

    @invariant()
    def contacts_are_what_was_decided(self) -> None:
        for account_id in ("alice", "bob"):
            assert self.trust.contact(account_id) == Contact(
                account_id,
                self.pinned.get(account_id),
                verified=account_id in self.verified,
                blocked=account_id in self.blocked,
            )
        assert {key: seen for key, seen in self.generations.items() if seen} == (
            self.store.generations
        )

    def _outcome(self, act: Callable[[], object]) -> object:
        try:
            return act()
        except TrustError as refused:
            return refused.reason


TestTrustLife = TrustLife.TestCase
