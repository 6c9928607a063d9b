"""RFC 9420 Section 12.3: the order in which the proposals of a commit are applied, and what each may hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    ProposalContent,
    Remove,
    Update,
)
from e2ee.mls.public_group import PublicGroup

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop

ALICE, BOB, CAROL, DAVE = range(4)
From = tuple[int, ProposalContent]


@pytest.fixture
def clients(workshop: Workshop) -> list[Client]:
    return [workshop.client(name) for name in ("alice", "bob", "carol", "dave")]


@pytest.fixture
def group(workshop: Workshop, clients: list[Client]) -> PublicGroup:
    return workshop.group(*clients)


def required(*extension_types: int) -> Extension:
    data = RequiredCapabilities(extension_types, (), ()).encode()
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, data)


def test_updates_then_removes_then_adds(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    """The order is that of Section 12.3, not the list's; Adds keep theirs."""
    erin, frank = workshop.client("erin"), workshop.client("frank")
    updated = workshop.update(clients[CAROL], CAROL)
    adds = [workshop.add(erin), workshop.add(frank)]
    sent: list[From] = [(ALICE, adds[0]), (ALICE, Remove(BOB)), (ALICE, adds[1])]
    applied = workshop.applied(group, *sent, (CAROL, Update(updated)))
    assert [(member.leaf_index, member.key_package) for member in applied.added] == [
        (1, adds[0].key_package),
        (4, adds[1].key_package),
    ]
    assert (applied.updated, applied.removed) == ((CAROL,), (BOB,))
    assert applied.added_leaves == {1, 4}
    assert applied.tree.leaf(CAROL) == updated
    assert applied.tree.leaf(1) == adds[0].key_package.leaf_node
    assert applied.extensions == group.context.extensions
    assert [sent.sender.leaf_index for sent in applied.proposals] == [ALICE, ALICE, ALICE, CAROL]


def test_no_proposals_change_nothing(workshop: Workshop, group: PublicGroup) -> None:
    assert workshop.applied(group).tree == group.tree


def test_new_extensions_replace_all_old_ones(workshop: Workshop, clients: list[Client]) -> None:
    group = workshop.group(*clients, extensions=(Extension(1, b"old"),))
    applied = workshop.applied(group, (BOB, GroupContextExtensions((required(),))))
    assert applied.extensions == (required(),)


# ------------------------------------------------------------------------------------------- what stands in them


def test_added_key_packages_are_validated(workshop: Workshop, group: PublicGroup) -> None:
    erin = workshop.client("erin")
    for key_package, rule in (
        (workshop.key_package(erin, version=2), Rule.KEY_PACKAGE_VERSION),
        (replace(workshop.key_package(erin), signature=bytes(64)), Rule.KEY_PACKAGE_SIGNATURE),
        (workshop.add(erin, encryption_key=b"").key_package, Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
    ):
        assert isinstance(key_package, KeyPackage)
        assert workshop.refusal(group, (ALICE, Add(key_package))) == rule


def test_added_clients_support_the_group(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    group = workshop.group(alice, extensions=(Extension(0xF0C1, b""),))
    erin = workshop.client("erin")
    assert workshop.refusal(group, (ALICE, workshop.add(erin))) == Rule.LEAF_LACKS_GROUP_EXTENSION
    capable = workshop.add(erin, capabilities=workshop.capabilities(extensions=(0xF0C1,)))
    assert workshop.applied(group, (ALICE, capable)).added


def test_new_extensions_hold_for_the_adds_beside_them(
    workshop: Workshop, group: PublicGroup
) -> None:
    capable = {"capabilities": workshop.capabilities(extensions=(0xF0C1,))}
    group = workshop.group(workshop.client("alice"))
    alice = workshop.leaf_node(workshop.client("alice"), **capable)
    group = workshop.retold(group, workshop.forged(group.tree, 0, alice))
    erin = workshop.client("erin")
    extended = (ALICE, GroupContextExtensions((required(0xF0C1),)))
    assert (
        workshop.refusal(group, (ALICE, workshop.add(erin)), extended)
        == Rule.LEAF_LACKS_REQUIRED_CAPABILITY
    )
    assert workshop.applied(group, (ALICE, workshop.add(erin, **capable)), extended).added


def bad_update(workshop: Workshop, bob: Client, case: str) -> LeafNode:
    changes: dict[str, dict[str, Any]] = {
        "key": {"encryption_key": b""},
        "extension": {"extensions": (Extension(0x0A0A, b""),)},
        "version": {"capabilities": workshop.capabilities(versions=())},
        "identity": {"credential": Credential.basic(b"mallory")},
    }
    if case == "source":
        return workshop.leaf_node(bob)
    if case == "place":
        return workshop.update(bob, CAROL)
    return workshop.update(bob, BOB, **changes[case])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("source", Rule.LEAF_SOURCE_NOT_UPDATE),
        ("place", Rule.LEAF_SIGNATURE),
        ("key", Rule.LEAF_ENCRYPTION_KEY_MALFORMED),
        ("extension", Rule.LEAF_EXTENSION_NOT_LISTED),
        ("version", Rule.LEAF_VERSION_NOT_LISTED),
        ("identity", "ANOTHER_IDENTITY"),
    ],
)
def test_updates_are_validated(
    workshop: Workshop, group: PublicGroup, clients: list[Client], case: str, reason: str
) -> None:
    leaf = bad_update(workshop, clients[BOB], case)
    assert workshop.refusal(group, (BOB, Update(leaf))) == reason


def test_an_update_brings_a_new_key(
    workshop: Workshop, group: PublicGroup, clients: list[Client]
) -> None:
    old = group.tree.leaf(BOB)
    assert old
    same = workshop.update(clients[BOB], BOB, encryption_key=old.encryption_key)
    assert workshop.refusal(group, (BOB, Update(same))) == Rule.LEAF_KEY_NOT_REPLACED


def test_who_is_no_member_updates_nothing(workshop: Workshop, group: PublicGroup) -> None:
    leaf = workshop.update(workshop.client("erin"), 9)
    assert workshop.refusal(group, (9, Update(leaf))) == Rule.SENDER_NOT_A_MEMBER
