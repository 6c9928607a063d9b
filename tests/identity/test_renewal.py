"""Which certificate a device takes as its own, from a service that may send any (IDENT-16)."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.errors import DecodeError
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import CertificateError, IdentityReason
from e2ee.identity.renewal import newer_certificate

DAY_MS = 24 * 3600 * 1000


def issued(account: AccountKey, key: SigningKey, now: int, **changed: Any) -> bytes:
    settings = {"device_id": 1, "versions": [0x0100], "suites": [1], "generation": 5, **changed}
    return account.certify(key.public, now=now, **settings).encode()


@pytest.fixture
def current(alice: AccountKey, device: SigningKey, now: int) -> VerifiedCertificate:
    """The device's own certificate, of generation 5."""
    return verify_certificate(issued(alice, device, now), device.public)


def refusal(current: VerifiedCertificate, encoded: bytes) -> str:
    with pytest.raises(CertificateError) as refused:
        newer_certificate(current, encoded)
    return refused.value.reason


@pytest.mark.requirement("IDENT-16")
@pytest.mark.parametrize(
    ("days", "generation"), [(20, 5), (0, 6), (-20, 6), (20, 6)], ids=["later", "risen", "", "both"]
)
def test_a_later_one_and_one_of_a_higher_generation_are_taken(
    current: VerifiedCertificate,
    alice: AccountKey,
    device: SigningKey,
    now: int,
    days: int,
    generation: int,
) -> None:
    encoded = issued(alice, device, now + days * DAY_MS, generation=generation)
    assert newer_certificate(current, encoded).certificate.encode() == encoded


@pytest.mark.requirement("IDENT-16")
def test_suites_and_versions_may_be_others(
    current: VerifiedCertificate, alice: AccountKey, device: SigningKey, now: int
) -> None:
    encoded = issued(alice, device, now + DAY_MS, suites=[1, 0xF0E2])
    assert newer_certificate(current, encoded).suites == (1, 0xF0E2)


@pytest.mark.requirement("IDENT-16")
def test_for_another_signature_key(
    current: VerifiedCertificate, alice: AccountKey, entropy: SeededEntropy, now: int
) -> None:
    other = ED25519.generate(entropy.fork(b"another device"))
    encoded = issued(alice, other, now + DAY_MS)
    assert refusal(current, encoded) is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-16")
def test_of_another_account_key_account_or_device(
    current: VerifiedCertificate,
    alice: AccountKey,
    other_alice: AccountKey,
    device: SigningKey,
    now: int,
) -> None:
    later = now + DAY_MS
    for encoded in (
        issued(other_alice, device, later),
        issued(AccountKey("bob", alice.key), device, later),
        issued(alice, device, later, device_id=2),
    ):
        assert refusal(current, encoded) is IdentityReason.ANOTHER_DEVICE


@pytest.mark.requirement("IDENT-16")
def test_of_a_lower_generation_however_late(
    current: VerifiedCertificate, alice: AccountKey, device: SigningKey, now: int
) -> None:
    encoded = issued(alice, device, now + 20 * DAY_MS, generation=4)
    assert refusal(current, encoded) is IdentityReason.REVOKED


@pytest.mark.requirement("IDENT-16")
@pytest.mark.parametrize("days", [0, -1])
def test_one_that_lasts_no_longer(
    current: VerifiedCertificate, alice: AccountKey, device: SigningKey, now: int, days: int
) -> None:
    encoded = issued(alice, device, now + days * DAY_MS)
    assert refusal(current, encoded) is IdentityReason.NOT_NEWER


@pytest.mark.requirement("IDENT-16")
def test_bytes_that_are_no_certificate(current: VerifiedCertificate) -> None:
    with pytest.raises(DecodeError):
        newer_certificate(current, b"no certificate")
