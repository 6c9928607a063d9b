"""RFC 9420 Section 7.3: each rule about one leaf, broken alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.leaf_node import LeafNodeSource, Lifetime
from e2ee.mls.leaf_node_validation import (
    MAXIMUM_LIFETIME,
    RECEIVER_TOLERANCE,
    check_compatible,
    check_leaf_node,
    check_leaf_source,
    check_successor,
)

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

NOW = 1_700_000_000  # the workshop's, in seconds
DAY = 86_400


def required(*extension_types: int, credentials: tuple[int, ...] = ()) -> Extension:
    capabilities = RequiredCapabilities(extension_types, (), credentials)
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, capabilities.encode())


def test_a_sound_leaf_is_accepted(workshop: Workshop) -> None:
    leaf = workshop.leaf_node(workshop.client("alice"))
    check_leaf_node(workshop.suite, leaf, workshop.policy)
    check_compatible(workshop.suite, leaf, ())
    check_leaf_source(leaf, LeafNodeSource.KEY_PACKAGE)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), bytes(32)])
def test_the_encryption_key_can_be_encrypted_to(workshop: Workshop, key: bytes) -> None:
    leaf = workshop.leaf_node(workshop.client("alice"), encryption_key=key)
    with pytest.raises(ValidationError) as refused:
        check_leaf_node(workshop.suite, leaf, workshop.policy)
    assert refused.value.reason == Rule.LEAF_ENCRYPTION_KEY_MALFORMED


@pytest.mark.requirement("KEYS-8")
@pytest.mark.parametrize(
    ("lifetime", "who_commits", "who_receives"),
    [
        (Lifetime(NOW, NOW), None, None),
        (Lifetime(NOW + 1, NOW + DAY), Rule.LEAF_NOT_YET_VALID, None),
        (Lifetime(NOW - DAY, NOW - 1), Rule.LEAF_EXPIRED, None),
        (Lifetime(NOW + DAY, NOW + 2 * DAY), Rule.LEAF_NOT_YET_VALID, None),
        (Lifetime(NOW - 2 * DAY, NOW - DAY), Rule.LEAF_EXPIRED, None),
        (
            Lifetime(NOW + DAY + 1, NOW + 2 * DAY),
            Rule.LEAF_NOT_YET_VALID,
            Rule.LEAF_NOT_YET_VALID,
        ),
        (Lifetime(NOW - 2 * DAY, NOW - DAY - 1), Rule.LEAF_EXPIRED, Rule.LEAF_EXPIRED),
        (Lifetime(NOW - 1, NOW - 1 + MAXIMUM_LIFETIME), None, None),
        (
            Lifetime(NOW - 1, NOW + MAXIMUM_LIFETIME),
            Rule.LEAF_LIFETIME_TOO_LONG,
            Rule.LEAF_LIFETIME_TOO_LONG,
        ),
        (Lifetime(0, 2**64 - 1), Rule.LEAF_LIFETIME_TOO_LONG, Rule.LEAF_LIFETIME_TOO_LONG),
    ],
)
def test_who_commits_is_strict_about_dates_and_who_receives_has_a_day(
    workshop: Workshop, lifetime: Lifetime, who_commits: Rule | None, who_receives: Rule | None
) -> None:
    leaf = workshop.leaf_node(workshop.client("alice"), details=lifetime)
    for tolerance, rule in ((0, who_commits), (RECEIVER_TOLERANCE, who_receives)):
        policy = replace(workshop.policy, tolerance=tolerance)
        if rule is None:
            check_leaf_node(workshop.suite, leaf, policy)
        else:
            with pytest.raises(ValidationError) as refused:
                check_leaf_node(workshop.suite, leaf, policy)
            assert refused.value.reason == rule


def test_a_leaf_lists_the_extensions_that_it_has(workshop: Workshop) -> None:
    alice, grease = workshop.client("alice"), Extension(0x0A0A, b"")
    default = Extension(ExtensionType.APPLICATION_ID, b"")
    listed = workshop.leaf_node(
        alice,
        extensions=(grease, default),
        capabilities=workshop.capabilities(extensions=(0x0A0A,)),
    )
    check_leaf_node(workshop.suite, listed, workshop.policy)
    unlisted = workshop.leaf_node(alice, extensions=(grease,))
    with pytest.raises(ValidationError) as refused:
        check_leaf_node(workshop.suite, unlisted, workshop.policy)
    assert refused.value.reason == Rule.LEAF_EXTENSION_NOT_LISTED


def test_a_leaf_lists_its_credential_type(workshop: Workshop) -> None:
    capabilities = workshop.capabilities(credentials=(2,))
    leaf = workshop.leaf_node(workshop.client("alice"), capabilities=capabilities)
    with pytest.raises(ValidationError) as refused:
        check_leaf_node(workshop.suite, leaf, workshop.policy)
    assert refused.value.reason == Rule.LEAF_CREDENTIAL_NOT_LISTED


def test_unknown_capabilities_are_ignored(workshop: Workshop) -> None:
    grease = (0x0A0A, 0xEAEA)
    capabilities = workshop.capabilities(
        versions=(1, 2),
        cipher_suites=(workshop.suite.code_point, *grease),
        extensions=grease,
        proposals=grease,
        credentials=(1, *grease),
    )
    leaf = workshop.leaf_node(workshop.client("alice"), capabilities=capabilities)
    check_leaf_node(workshop.suite, leaf, workshop.policy)
    check_compatible(workshop.suite, leaf, ())


@pytest.mark.parametrize(
    ("lacking", "extensions", "rule"),
    [
        ({"versions": (2,)}, (), Rule.LEAF_VERSION_NOT_LISTED),
        ({"cipher_suites": (2,)}, (), Rule.LEAF_CIPHER_SUITE_NOT_LISTED),
        ({}, (Extension(0xF0C1, b""),), Rule.LEAF_LACKS_GROUP_EXTENSION),
        ({}, (required(0xF0C1),), Rule.LEAF_LACKS_REQUIRED_CAPABILITY),
        ({}, (required(credentials=(2,)),), Rule.LEAF_LACKS_REQUIRED_CAPABILITY),
    ],
)
def test_a_leaf_supports_what_the_group_uses(
    workshop: Workshop,
    lacking: dict[str, tuple[int, ...]],
    extensions: tuple[Extension, ...],
    rule: Rule,
) -> None:
    capabilities = workshop.capabilities(**lacking)
    leaf = workshop.leaf_node(workshop.client("alice"), capabilities=capabilities)
    with pytest.raises(ValidationError) as refused:
        check_compatible(workshop.suite, leaf, extensions)
    assert refused.value.reason == rule


@pytest.mark.parametrize(
    ("due", "rule"),
    [
        (LeafNodeSource.KEY_PACKAGE, Rule.LEAF_SOURCE_NOT_KEY_PACKAGE),
        (LeafNodeSource.UPDATE, Rule.LEAF_SOURCE_NOT_UPDATE),
        (LeafNodeSource.COMMIT, Rule.LEAF_SOURCE_NOT_COMMIT),
    ],
)
def test_a_leaf_was_made_for_what_it_stands_in(
    workshop: Workshop, due: LeafNodeSource, rule: Rule
) -> None:
    alice = workshop.client("alice")
    published, updated = workshop.leaf_node(alice), workshop.update(alice, 0)
    for leaf in (published, updated):
        if leaf.leaf_node_source == due:
            check_leaf_source(leaf, due)
        else:
            with pytest.raises(ValidationError) as refused:
                check_leaf_source(leaf, due)
            assert refused.value.reason == rule


def test_a_new_leaf_has_a_new_key(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    old = workshop.leaf_node(alice)
    same = workshop.update(alice, 0, encryption_key=old.encryption_key)
    with pytest.raises(ValidationError) as refused:
        check_successor(old, same, workshop.policy)
    assert refused.value.reason == Rule.LEAF_KEY_NOT_REPLACED


def test_the_application_judges_a_changed_credential_or_key(workshop: Workshop) -> None:
    alice, other_key = workshop.client("alice"), workshop.client("alice")
    old = workshop.leaf_node(alice)
    changes: list[tuple[dict[str, Any], bool]] = [
        ({}, False),
        ({"signature_key": other_key.signing.public}, True),
        ({"credential": Credential.basic(b"mallory")}, True),
    ]
    for change, judged in changes:
        workshop.application.asked.clear()
        new = workshop.update(alice, 0, **change)
        if "credential" in change:
            with pytest.raises(RemoteProtocolError, match="ANOTHER_IDENTITY"):
                check_successor(old, new, workshop.policy)
        else:
            check_successor(old, new, workshop.policy)
        assert bool(workshop.application.asked) is judged
