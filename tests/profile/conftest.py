"""Devices of Alice, who calls, and of Bob and others, with real certificates and KeyPackages, the same at every run.

``new_device`` is there for properties, which draw from a cast that is made once; stories take the fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import LeafNode, Lifetime
from e2ee.profile.leaves import call_capabilities, key_package_lifetime

NOW = 1_800_000_000_000


@dataclass(frozen=True)
class Device:
    """A device, with its keys."""

    account: AccountKey
    key: SigningKey
    certificate: VerifiedCertificate
    bundle: KeyPackageBundle

    @property
    def key_package(self) -> KeyPackage:
        return self.bundle.key_package

    @property
    def leaf_node(self) -> LeafNode:
        return self.key_package.leaf_node


MakeDevice = Callable[..., Device]


@pytest.fixture
def now() -> int:
    """2027-01-15, in Unix milliseconds."""
    return NOW


@pytest.fixture
def make_device() -> MakeDevice:
    """A device of the account with this id."""
    return new_device


def new_device(
    account_id: str,
    device_id: int = 1,
    *,
    account: AccountKey | None = None,
    suites: Sequence[int] = (0x0001,),
    lifetime: Lifetime | None = None,
    credential: Credential | None = None,
    marks: Sequence[Extension] = (),
) -> Device:
    """A device of the account with this id; ``account`` makes it another's who uses the id.

    ``marks`` are the extensions of its KeyPackage: ``join``, or that it is a last resort.
    """
    entropy = SeededEntropy(f"tests/profile {account_id} {device_id}".encode())
    owner = account or AccountKey.create(account_id, SeededEntropy(account_id.encode()))
    key = ED25519.generate(entropy)
    certificate = owner.certify(
        key.public, device_id=device_id, now=NOW, versions=[0x0100], suites=suites
    ).encode()
    bundle = KeyPackageBundle.generate(
        cipher_suite(0x0001),
        key,
        credential or Credential.basic(certificate),
        call_capabilities(suites, marks),
        lifetime or key_package_lifetime(NOW),
        entropy,
        extensions=tuple(marks),
    )
    return Device(owner, key, verify_certificate(certificate, key.public), bundle)
