"""RFC 9420 Section 10.1: each rule about KeyPackages, broken alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage, check_key_package, make_key_package_ref

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


def refusal(workshop: Workshop, key_package: KeyPackage) -> object:
    with pytest.raises(RemoteProtocolError) as refused:
        check_key_package(workshop.suite, key_package, workshop.policy)
    return refused.value.reason


def test_a_sound_key_package_is_accepted(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    grease = (Extension(0x2A2A, b"random"), Extension(0xFAFA, b""))
    check_key_package(
        workshop.suite, workshop.key_package(alice, extensions=grease), workshop.policy
    )
    assert workshop.application.asked == [(b"alice", alice.signing.public)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"version": 2}, Rule.KEY_PACKAGE_VERSION),
        ({"cipher_suite": 2}, Rule.KEY_PACKAGE_CIPHER_SUITE),
        ({"init_key": bytes(32)}, Rule.KEY_PACKAGE_INIT_KEY_MALFORMED),
        ({"init_key": b"short"}, Rule.KEY_PACKAGE_INIT_KEY_MALFORMED),
    ],
)
def test_fields_of_the_key_package(workshop: Workshop, change: dict[str, Any], rule: Rule) -> None:
    assert refusal(workshop, workshop.key_package(workshop.client("alice"), **change)) == rule


def test_the_init_key_is_no_other_key(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    leaf = workshop.leaf_node(alice)
    reused = workshop.key_package(alice, leaf, init_key=leaf.encryption_key)
    assert refusal(workshop, reused) == Rule.KEY_PACKAGE_INIT_KEY_REUSED


def test_the_key_of_the_leaf_signs_both(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    sound = workshop.key_package(alice)
    assert (
        refusal(workshop, replace(sound, init_key=workshop.public_key()))
        == Rule.KEY_PACKAGE_SIGNATURE
    )
    by_mallory = workshop.key_package(workshop.client("mallory"), sound.leaf_node)
    assert refusal(workshop, by_mallory) == Rule.KEY_PACKAGE_SIGNATURE
    unsigned_leaf = replace(sound.leaf_node, signature=bytes(64))
    assert refusal(workshop, workshop.key_package(alice, unsigned_leaf)) == Rule.LEAF_SIGNATURE


def test_the_leaf_is_one_for_key_packages(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    key_package = workshop.key_package(alice, workshop.update(alice, 0))
    assert refusal(workshop, key_package) == Rule.LEAF_SOURCE_NOT_KEY_PACKAGE


def test_the_rules_of_leaves_hold(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    key_package = workshop.key_package(alice, workshop.leaf_node(alice, encryption_key=b""))
    assert refusal(workshop, key_package) == Rule.LEAF_ENCRYPTION_KEY_MALFORMED


def test_the_application_judges_the_credential(workshop: Workshop) -> None:
    workshop.application.unwelcome.add(b"mallory")
    key_package = workshop.key_package(workshop.client("mallory"))
    assert refusal(workshop, key_package) == "NOT_WELCOME"


def test_a_reference_names_one_key_package(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    one, other = workshop.key_package(alice), workshop.key_package(alice)
    assert make_key_package_ref(workshop.suite, one) != make_key_package_ref(workshop.suite, other)
    again = KeyPackage.decode(one.encode())
    assert make_key_package_ref(workshop.suite, again) == make_key_package_ref(workshop.suite, one)
