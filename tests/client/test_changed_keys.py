"""A changed account key waits for a person, in the profile, whichever process saw it (IDENT-10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2ee.client.profile import Profile
from e2ee.client.sealed_store import SealedStore
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import AttestationAuthority
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.trust import Trust
from e2ee.profile.suites import X25519
from e2ee.signalling.versions import VERSION_1_0

NOW = 1_800_000_000_000
ENTROPY = SeededEntropy(b"changed keys")
DIRECTORY = AttestationAuthority(1, ED25519.generate(ENTROPY))


def certificate() -> VerifiedCertificate:
    """Of an account bob with a fresh key."""
    account, device = AccountKey.create("bob", ENTROPY), ED25519.generate(ENTROPY)
    made = account.certify(
        device.public,
        device_id=1,
        now=NOW,
        versions=(VERSION_1_0,),
        suites=(X25519.mls,),
        attestation=DIRECTORY.attest("bob", account.public, NOW),
    )
    return verify_certificate(made.encode(), device.public)


def trust_of(profile: Profile) -> Trust:
    return Trust(profile.contacts, DIRECTORY.directory_keys())


def test_it_is_there_until_the_person_has_decided(tmp_path: Path) -> None:
    old, new = certificate(), certificate()
    with Profile.open(tmp_path / "profile") as profile:
        trust_of(profile).accept(old, NOW)
        profile.changed_keys.note(new)
    with Profile.open(tmp_path / "profile") as profile:
        trust = trust_of(profile)
        assert profile.changed_keys.find(trust, "bob") == new
        assert profile.changed_keys.find(trust, "alice") is None
        trust.accept_change(new, NOW)
        assert profile.changed_keys.find(trust, "bob") is None
        trust.mark_verified("bob", old.account_key)
        assert profile.changed_keys.find(trust, "bob") == new
        profile.changed_keys.forget("bob")
        assert profile.changed_keys.find(trust, "bob") is None


def test_of_whom_no_key_is_known_none_has_changed() -> None:
    profile = Profile.in_memory()
    profile.changed_keys.note(certificate())
    assert profile.changed_keys.find(trust_of(profile), "bob") is None


def test_what_is_no_certificate_is_damage(tmp_path: Path) -> None:
    with SealedStore.open(tmp_path / "profile", ENTROPY) as store:
        store.put("changed keys", b"bob", b"junk")
    with Profile.open(tmp_path / "profile") as profile:
        with pytest.raises(StoreError) as damaged:
            profile.changed_keys.find(trust_of(profile), "bob")
        assert damaged.value.reason is StoreReason.DAMAGED
