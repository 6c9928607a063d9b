"""A KeyPackage with its private keys: valid as it is made, hidden when printed, whole or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.testing.mls_members import Client, sending

PRIVATE_KEYS = ["init_private_key", "encryption_private_key", "signature_private_key"]


def new_bundle(suite: CipherSuite, seed: bytes = b"bundle") -> KeyPackageBundle:
    entropy = SeededEntropy(seed)
    return Client.make("alice", suite, entropy).bundle(entropy)


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_what_is_published_is_valid(suite: CipherSuite) -> None:
    published = KeyPackage.decode(new_bundle(suite).key_package.encode())

    check_key_package(suite, published, sending())


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
@pytest.mark.parametrize("name", PRIVATE_KEYS)
def test_a_private_key_of_another_bundle_is_refused(suite: CipherSuite, name: str) -> None:
    bundle, other = new_bundle(suite), new_bundle(suite, b"other")

    with pytest.raises(UsageError) as refused:
        KeyPackageBundle.of(
            bundle.key_package,
            *(getattr(other if key == name else bundle, key) for key in PRIVATE_KEYS),
        )
    assert refused.value.reason is Rule.PRIVATE_KEY_DOES_NOT_MATCH


@pytest.mark.parametrize("name", ["init_key_pair", "leaf_key_pair"])
def test_a_key_pair_of_another_bundle_is_refused(name: str) -> None:
    bundle, other = (new_bundle(cipher_suite(0x0001), seed) for seed in (b"bundle", b"other"))

    with pytest.raises(UsageError) as refused:
        replace(bundle, **{name: getattr(other, name)})
    assert refused.value.reason is Rule.PRIVATE_KEY_DOES_NOT_MATCH


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_a_bundle_is_kept_as_its_parts(suite: CipherSuite) -> None:
    bundle = new_bundle(suite)
    parts = [getattr(bundle, name) for name in PRIVATE_KEYS]

    assert KeyPackageBundle.of(bundle.key_package, *parts) == bundle


@pytest.mark.parametrize("name", PRIVATE_KEYS)
def test_private_keys_are_not_printed(name: str) -> None:
    bundle = new_bundle(cipher_suite(0x0001))

    assert name not in repr(bundle)
    assert repr(bytes(getattr(bundle, name))) not in repr(bundle)
