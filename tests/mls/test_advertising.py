"""RFC 9420 Sections 7.2, 10 and 13.4: a client advertises what it has, and names it as the RFC says."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.advertising import check_advertised
from e2ee.mls.capabilities import Capabilities, ProposalType
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.key_package import LAST_RESORT, KeyPackage, check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.testing.mls_members import NOW, receiving

SUITE = cipher_suite(0x0001)


def capabilities(**changes: tuple[int, ...]) -> Capabilities:
    lists: dict[str, tuple[int, ...]] = {
        "versions": (1,),
        "cipher_suites": tuple(CIPHER_SUITES),
        "extensions": (0xF0C1,),
        "proposals": (0xF001,),
        "credentials": tuple(CredentialType),
    }
    return Capabilities(**(lists | changes))


def refusal(listed: Capabilities, *extensions: Extension) -> object:
    with pytest.raises(UsageError) as refused:
        check_advertised(SUITE, listed, extensions)
    return refused.value.reason


def test_what_we_have_can_be_advertised() -> None:
    application_id = Extension(ExtensionType.APPLICATION_ID, b"device 7")
    check_advertised(SUITE, capabilities(), (application_id, Extension(0xF0C1, b"")))


@pytest.mark.parametrize("default", ExtensionType)
def test_default_extensions_are_not_listed(default: ExtensionType) -> None:
    assert refusal(capabilities(extensions=(0xF0C1, default))) is Rule.DEFAULT_TYPE_LISTED


@pytest.mark.parametrize("default", ProposalType)
def test_default_proposals_are_not_listed(default: ProposalType) -> None:
    assert refusal(capabilities(proposals=(default, 0xF001))) is Rule.DEFAULT_TYPE_LISTED


@pytest.mark.parametrize(
    "changes",
    [
        {"versions": (1, 2)},
        {"cipher_suites": (0x0001, 0x00FF)},
        {"proposals": (0x0008,)},
        {"proposals": (0x0A0A,)},
        {"credentials": (1, 3)},
    ],
)
def test_what_we_lack_is_not_advertised(changes: dict[str, tuple[int, ...]]) -> None:
    assert refusal(capabilities(**changes)) is Rule.CAPABILITY_NOT_IMPLEMENTED


def test_extensions_are_listed() -> None:
    assert refusal(capabilities(), Extension(0xF0C2, b"")) is Rule.EXTENSION_NOT_LISTED
    assert refusal(capabilities(), LAST_RESORT) is Rule.EXTENSION_NOT_LISTED


def generate(listed: Capabilities, **options: Any) -> KeyPackage:
    entropy = SeededEntropy(b"advertised")
    key = SUITE.signature.generate(entropy)
    lifetime = Lifetime(NOW // 1000 - 60, NOW // 1000 + 60)
    credential = Credential.basic(b"alice")
    return KeyPackageBundle.generate(
        SUITE, key, credential, listed, lifetime, entropy, **options
    ).key_package


@pytest.mark.parametrize("place", ["extensions", "leaf_extensions"])
def test_key_packages_are_made_by_these_rules(place: str) -> None:
    options = {place: (Extension(0xF0C2, b""),)}
    with pytest.raises(UsageError) as refused:
        generate(capabilities(), **options)
    assert refused.value.reason is Rule.EXTENSION_NOT_LISTED
    made = generate(capabilities(extensions=(0xF0C2,)), **options)
    check_key_package(SUITE, made, receiving())


def test_a_key_package_of_last_resort_says_so() -> None:
    """Section 16.8: "An application MAY allow for reuse of a "last resort" KeyPackage"."""
    listed = capabilities(extensions=(LAST_RESORT.extension_type,))
    last = generate(listed, extensions=(LAST_RESORT,))
    assert KeyPackage.decode(last.encode()).is_last_resort
    assert not generate(listed).is_last_resort
    check_key_package(SUITE, last, receiving())
