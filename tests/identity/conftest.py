"""Alice, her device, and the directory, the same at every run."""

from __future__ import annotations

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import AttestationAuthority


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
