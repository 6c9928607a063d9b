"""Whom a client trusts: pins from attestations or from people, changes only by people, nothing revoked."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.trust import Contact, ContactState, MemoryTrustStore, Trust

Certify = Callable[..., VerifiedCertificate]


def refused(
    act: Callable[[VerifiedCertificate, int], object], c: VerifiedCertificate, now: int
) -> str:
    with pytest.raises(TrustError) as error:
        act(c, now)
    return error.value.reason


@pytest.mark.requirement("IDENT-8")
def test_an_attested_stranger_is_pinned_when_accepted(
    trust: Trust, store: MemoryTrustStore, certify: Certify, alice: AccountKey, now: int
) -> None:
    certificate = certify(alice)
    assert trust.judge(certificate, now) is ContactState.UNVERIFIED
    assert store == MemoryTrustStore()  # who is only looked at is not pinned
    assert trust.accept(certificate, now) is ContactState.UNVERIFIED
    assert store.known == {"alice": Contact("alice", alice.public)}


@pytest.mark.requirement("IDENT-8", "IDENT-9")
def test_a_stranger_without_attestation_is_refused_and_not_pinned(
    trust: Trust, store: MemoryTrustStore, certify: Certify, alice: AccountKey, now: int
) -> None:
    certificate = certify(alice, attest=False)
    assert refused(trust.accept, certificate, now) is IdentityReason.NOT_ATTESTED
    assert store == MemoryTrustStore()


@pytest.mark.requirement("IDENT-8", "IDENT-9")
def test_a_pinned_account_needs_no_attestation(
    trust: Trust, certify: Certify, alice: AccountKey, now: int
) -> None:
    trust.accept(certify(alice), now)
    assert trust.accept(certify(alice, attest=False), now) is ContactState.UNVERIFIED


@pytest.mark.requirement("IDENT-8")
def test_a_compared_safety_number_pins_and_verifies(
    trust: Trust, certify: Certify, alice: AccountKey, now: int
) -> None:
    trust.mark_verified("alice", alice.public)
    assert trust.accept(certify(alice, attest=False), now) is ContactState.VERIFIED


@pytest.mark.requirement("IDENT-10")
@pytest.mark.parametrize("verified", [False, True])
def test_a_changed_key_is_reported_and_not_accepted(
    trust: Trust,
    store: MemoryTrustStore,
    certify: Certify,
    alice: AccountKey,
    other_alice: AccountKey,
    now: int,
    verified: bool,
) -> None:
    trust.accept(certify(alice), now)
    if verified:
        trust.mark_verified("alice", alice.public)
    before = deepcopy(store)
    attested_change = certify(other_alice)
    assert trust.judge(attested_change, now) is ContactState.CHANGED
    assert refused(trust.accept, attested_change, now) is IdentityReason.CHANGED
    assert store == before


@pytest.mark.requirement("IDENT-8", "IDENT-10", "IDENT-18")
def test_a_person_accepts_a_change_which_is_then_unverified(
    trust: Trust,
    certify: Certify,
    alice: AccountKey,
    other_alice: AccountKey,
    now: int,
) -> None:
    trust.accept(certify(alice), now)
    trust.mark_verified("alice", alice.public)
    unattested = certify(other_alice, attest=False)
    assert refused(trust.accept_change, unattested, now) is IdentityReason.NOT_ATTESTED
    trust.accept_change(certify(other_alice), now)
    assert trust.accept(certify(other_alice), now) is ContactState.UNVERIFIED
    assert trust.judge(certify(alice), now) is ContactState.CHANGED
    trust.mark_verified("alice", other_alice.public)
    assert trust.accept(certify(other_alice), now) is ContactState.VERIFIED


@pytest.mark.requirement("IDENT-18")
def test_accepting_the_key_that_is_pinned_takes_no_mark_away(
    trust: Trust, store: MemoryTrustStore, certify: Certify, alice: AccountKey, now: int
) -> None:
    """A change that somebody accepts twice, and compares in between."""
    trust.mark_verified("alice", alice.public)
    trust.accept_change(certify(alice), now)
    assert store.known == {"alice": Contact("alice", alice.public, verified=True)}


@pytest.mark.requirement("IDENT-7")
def test_a_lower_generation_is_refused_once_a_higher_one_was_seen(
    trust: Trust, store: MemoryTrustStore, certify: Certify, alice: AccountKey, now: int
) -> None:
    trust.accept(certify(alice, generation=1), now)
    trust.accept(certify(alice, generation=3), now)
    trust.accept(certify(alice, generation=3), now)
    before = deepcopy(store)
    for generation in (0, 1, 2):
        certificate = certify(alice, generation=generation)
        for act in (trust.judge, trust.accept, trust.accept_change):
            assert refused(act, certificate, now) is IdentityReason.REVOKED
    assert store == before


@pytest.mark.requirement("IDENT-7")
def test_a_generation_counts_when_it_is_seen_not_only_when_it_is_accepted(
    trust: Trust, certify: Certify, alice: AccountKey, now: int
) -> None:
    old, new = certify(alice, generation=4), certify(alice, attest=False, generation=5)
    trust.observe([new, old], now)
    assert refused(trust.accept, old, now) is IdentityReason.REVOKED


@pytest.mark.requirement("IDENT-7")
def test_nothing_is_remembered_of_a_key_that_anybody_may_have_made_up(
    trust: Trust, store: MemoryTrustStore, certify: Certify, alice: AccountKey, now: int
) -> None:
    """A stranger could send a certificate of another new key with each letter, and fill the disk."""
    trust.observe([certify(alice, attest=False, generation=5)], now)
    assert store == MemoryTrustStore()
    trust.mark_verified("alice", alice.public)
    trust.observe([certify(alice, attest=False, generation=5)], now)
    assert store.generations == {alice.public: 5}


@pytest.mark.requirement("IDENT-7")
def test_generations_are_counted_for_each_account_key(
    trust: Trust, certify: Certify, alice: AccountKey, other_alice: AccountKey, now: int
) -> None:
    """Nobody can revoke another's devices by claiming the account id."""
    trust.observe([certify(other_alice, generation=2**32 - 1)], now)
    assert trust.accept(certify(alice, generation=0), now) is ContactState.UNVERIFIED
