"""Alice, her device, and the directory, the same at every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, AttestationAuthority
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.trust import MemoryTrustStore, Trust

Certify = Callable[..., VerifiedCertificate]


@pytest.fixture
def entropy() -> SeededEntropy:
    return SeededEntropy(b"tests/identity")


@pytest.fixture
def now() -> int:
    """2027-01-15, in Unix milliseconds."""
    return 1_800_000_000_000


@pytest.fixture
def alice(entropy: SeededEntropy) -> AccountKey:
    return AccountKey.create("alice", entropy.fork(b"alice"))


@pytest.fixture
def device(entropy: SeededEntropy) -> SigningKey:
    """The signature key of Alice's device."""
    return ED25519.generate(entropy.fork(b"alice's device"))


@pytest.fixture
def authority(entropy: SeededEntropy) -> AttestationAuthority:
    return AttestationAuthority(7, ED25519.generate(entropy.fork(b"directory")))


@pytest.fixture
def store() -> MemoryTrustStore:
    return MemoryTrustStore()


@pytest.fixture
def trust(store: MemoryTrustStore, authority: AttestationAuthority) -> Trust:
    return Trust(store, authority.directory_keys())


@pytest.fixture
def other_alice(entropy: SeededEntropy) -> AccountKey:
    """The same account id with another key: lost and made anew, or an impostor's."""
    return AccountKey.create("alice", entropy.fork(b"other alice"))


@pytest.fixture
def certify(device: SigningKey, authority: AttestationAuthority, now: int) -> Certify:
    def issue(
        account: AccountKey,
        *,
        attest: bool = True,
        generation: int = 0,
        suites: Sequence[int] = (1,),
    ) -> VerifiedCertificate:
        attestation = authority.attest(account.account_id, account.public, now)
        certificate = account.certify(
            device.public,
            device_id=1,
            generation=generation,
            now=now,
            versions=[0x0100],
            suites=suites,
            attestation=attestation if attest else NO_ATTESTATION,
        )
        return verify_certificate(certificate.encode(), device.public)

    return issue
