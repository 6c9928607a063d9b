"""An attestation counts if a shipped directory key signed it for this account, and not too far ahead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import (
    ATTESTED_FOR,
    MAX_ATTESTED,
    NO_ATTESTATION,
    AttestationAuthority,
    DirectoryKeys,
)
from e2ee.identity.device_certificate import (
    Attestation,
    VerifiedCertificate,
    verify_certificate,
)


def attested(
    account: AccountKey, device: SigningKey, now: int, attestation: Attestation
) -> VerifiedCertificate:
    certificate = account.certify(
        device.public,
        device_id=1,
        now=now,
        versions=[0x0100],
        suites=[1],
        attestation=attestation,
    )
    return verify_certificate(certificate.encode(), device.public)


@pytest.mark.requirement("IDENT-4", "IDENT-13")
def test_the_directory_signs_what_the_chapter_says(
    alice: AccountKey, authority: AttestationAuthority, now: int
) -> None:
    attestation = authority.attest("alice", alice.public, now)
    until = now // 1000 + ATTESTED_FOR
    assert attestation.attested_until == until
    signed = b"E2EE Call 1.0 Account\x00\x05alice" + alice.public + until.to_bytes(8, "big")
    ED25519.verify(authority.key.public, signed, attestation.attestation)


@pytest.mark.requirement("IDENT-4")
def test_an_attestation_counts_until_its_end(
    alice: AccountKey, device: SigningKey, authority: AttestationAuthority, now: int
) -> None:
    certificate = attested(alice, device, now, authority.attest("alice", alice.public, now))
    keys = authority.directory_keys()
    assert keys.attests(certificate, now)
    assert keys.attests(certificate, now - 24 * 3600 * 1000)  # a client whose clock is behind
    assert keys.attests(certificate, now + ATTESTED_FOR * 1000 + 999)
    assert not keys.attests(certificate, now + (ATTESTED_FOR + 1) * 1000)


@pytest.mark.requirement("IDENT-4")
def test_an_attestation_for_longer_than_30_days_is_as_good_as_none(
    alice: AccountKey, device: SigningKey, authority: AttestationAuthority, now: int
) -> None:
    begin = now + (MAX_ATTESTED - ATTESTED_FOR) * 1000
    certificate = attested(alice, device, now, authority.attest("alice", alice.public, begin))
    keys = authority.directory_keys()
    assert keys.attests(certificate, now)
    assert not keys.attests(certificate, now - 1000)


@pytest.mark.requirement("IDENT-4")
def test_only_shipped_keys_count(
    alice: AccountKey, device: SigningKey, authority: AttestationAuthority, now: int
) -> None:
    certificate = attested(alice, device, now, authority.attest("alice", alice.public, now))
    public, next_key = authority.key.public, bytes(range(32))
    assert DirectoryKeys({7: public, 8: next_key}).attests(certificate, now)
    assert not DirectoryKeys({}).attests(certificate, now)
    assert not DirectoryKeys({8: public}).attests(certificate, now)
    assert not DirectoryKeys({7: next_key}).attests(certificate, now)


@pytest.mark.requirement("IDENT-4")
def test_an_attestation_is_of_one_account_and_one_key(
    alice: AccountKey,
    device: SigningKey,
    authority: AttestationAuthority,
    entropy: SeededEntropy,
    now: int,
) -> None:
    keys = authority.directory_keys()
    mallory = AccountKey.create("alice", entropy.fork(b"mallory"))
    for attestation in (
        authority.attest("alice", mallory.public, now),
        authority.attest("alicf", alice.public, now),
        replace(authority.attest("alice", alice.public, now), attested_until=now // 1000),
        replace(authority.attest("alice", alice.public, now), attestation=bytes(64)),
        NO_ATTESTATION,
    ):
        assert not keys.attests(attested(alice, device, now, attestation), now)
