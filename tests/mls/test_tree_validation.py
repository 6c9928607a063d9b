"""RFC 9420 Section 12.4.3.1: each rule about a tree that is being joined, broken alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.mls.credential import Certificate, Credential, CredentialType
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_math import leaf_to_node
from e2ee.mls.tree_node import ParentNode
from e2ee.mls.tree_validation import check_joined_tree, check_together

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

NAMES = ["alice", "bob", "carol", "dave", "erin"]


def grown(workshop: Workshop) -> RatchetTree:
    """Five members; dave and erin were added without a path, so carol's side knows them as unmerged."""
    clients = [workshop.client(name) for name in NAMES]
    group = workshop.grown(clients[:3])
    group = workshop.enter(group, workshop.commit(group, clients[2], 2))
    for newcomer in clients[3:]:
        added = workshop.add(newcomer)
        group = workshop.enter(group, workshop.commit(group, clients[0], 0, added, with_path=False))
    return group.tree


def refusal(workshop: Workshop, tree: RatchetTree) -> object:
    context = replace(workshop.group(workshop.client("zoe")).context, tree_hash=tree_hash(tree))
    with pytest.raises(RemoteProtocolError) as refused:
        check_joined_tree(tree, context, workshop.policy)
    return refused.value.reason


def test_a_sound_tree_is_accepted(workshop: Workshop) -> None:
    tree = grown(workshop)
    context = replace(workshop.group(workshop.client("zoe")).context, tree_hash=tree_hash(tree))
    workshop.application.asked.clear()
    check_joined_tree(tree, context, workshop.policy)
    assert [name.decode() for name, _ in workshop.application.asked] == NAMES


def test_the_tree_is_the_one_that_the_group_context_names(workshop: Workshop) -> None:
    context = workshop.group(workshop.client("zoe")).context
    with pytest.raises(RemoteProtocolError) as refused:
        check_joined_tree(grown(workshop), context, workshop.policy)
    assert refused.value.reason == Rule.TREE_HASH


@pytest.mark.parametrize(
    ("unmerged", "rule"),
    [
        ((3, 3), Rule.UNMERGED_LEAVES_NOT_SORTED),
        ((3, 1), Rule.UNMERGED_LEAVES_NOT_SORTED),
        ((3, 4), Rule.UNMERGED_LEAF_NOT_BELOW),
        ((99,), Rule.UNMERGED_LEAF_NOT_BELOW),
        ((1, 3), Rule.UNMERGED_LEAF_SKIPS_A_NODE),
    ],
)
def test_unmerged_leaves(workshop: Workshop, unmerged: tuple[int, ...], rule: Rule) -> None:
    tree = grown(workshop)
    above = tree.parent_node(3)
    assert above
    assert above.unmerged_leaves == (3,)
    forged = workshop.forged(tree, 3, replace(above, unmerged_leaves=unmerged))
    assert refusal(workshop, forged) == rule


def test_an_unmerged_leaf_is_known_to_all_nodes_between(workshop: Workshop) -> None:
    clients = [workshop.client(str(number)) for number in range(8)]
    group = workshop.grown(clients[:7])
    added = workshop.add(clients[7])
    group = workshop.enter(group, workshop.commit(group, clients[0], 0, added, with_path=False))
    below, root = group.tree.parent_node(11), group.tree.parent_node(7)
    assert below
    assert root
    assert below.unmerged_leaves == root.unmerged_leaves == (7,)
    check_joined_tree(group.tree, group.context, workshop.policy)
    forged = workshop.forged(group.tree, 11, replace(below, unmerged_leaves=()))
    assert refusal(workshop, forged) == Rule.UNMERGED_LEAF_SKIPS_A_NODE


def test_an_unmerged_leaf_is_not_blank(workshop: Workshop) -> None:
    assert (
        refusal(workshop, workshop.forged(grown(workshop), 6, None)) == Rule.UNMERGED_LEAF_NOT_BELOW
    )


def test_parent_keys_can_be_encrypted_to(workshop: Workshop) -> None:
    tree = grown(workshop)
    for key in (bytes(32), b""):
        forged = workshop.forged(tree, 3, ParentNode(key, b"", (3,)))
        assert refusal(workshop, forged) == Rule.TREE_PARENT_KEY_MALFORMED


def test_parent_hashes_are_checked(workshop: Workshop) -> None:
    forged = workshop.forged(grown(workshop), 3, ParentNode(workshop.public_key(), b"", (3,)))
    assert refusal(workshop, forged) == Rule.TREE_PARENT_HASH


def stolen_leaf_key(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    victim = tree.leaf(0)
    assert victim
    client = workshop.client("mallory")
    leaf = workshop.leaf_node(client, encryption_key=victim.encryption_key)
    return workshop.forged(tree, leaf_to_node(3), leaf)


def stolen_signature_key(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    mallory = workshop.client("mallory")
    for leaf_index in (3, 4):
        tree = workshop.forged(tree, leaf_to_node(leaf_index), workshop.leaf_node(mallory))
    return tree


def stolen_parent_key(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    victim = tree.parent_node(3)
    assert victim
    leaf = workshop.leaf_node(workshop.client("mallory"), encryption_key=victim.encryption_key)
    return workshop.forged(tree, leaf_to_node(4), leaf)


def repeated_parent_key(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    victim = tree.parent_node(3)
    assert victim
    return workshop.forged(tree, 1, ParentNode(victim.encryption_key, b"", ()))


def unsupported_credential(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    """A leaf with a certificate among members who know only basic credentials."""
    chain = Credential(CredentialType.X509, (Certificate(b"DER"),))
    leaf = workshop.leaf_node(
        workshop.client("mallory"),
        credential=chain,
        capabilities=workshop.capabilities(credentials=(1, 2)),
    )
    return workshop.forged(tree, leaf_to_node(3), leaf)


def unsupporting_member(workshop: Workshop, tree: RatchetTree) -> RatchetTree:
    """A leaf that does not know the credentials of the others."""
    leaf = workshop.leaf_node(
        workshop.client("mallory"), capabilities=workshop.capabilities(credentials=(2,))
    )
    return workshop.forged(tree, leaf_to_node(3), leaf)


@pytest.mark.parametrize(
    ("forge", "rule"),
    [
        (stolen_leaf_key, Rule.ENCRYPTION_KEY_NOT_UNIQUE),
        (stolen_signature_key, Rule.SIGNATURE_KEY_NOT_UNIQUE),
        (stolen_parent_key, Rule.TREE_PARENT_KEY_NOT_UNIQUE),
        (repeated_parent_key, Rule.TREE_PARENT_KEY_NOT_UNIQUE),
        (unsupported_credential, Rule.CREDENTIAL_TYPE_NOT_SUPPORTED),
        (unsupporting_member, Rule.CREDENTIAL_TYPE_NOT_SUPPORTED),
    ],
)
def test_what_all_nodes_keep_together(
    workshop: Workshop, forge: Callable[[Workshop, RatchetTree], RatchetTree], rule: Rule
) -> None:
    tree = grown(workshop)
    check_together(tree)
    forged = forge(workshop, tree)
    assert refusal(workshop, forged) == rule
    with pytest.raises(RemoteProtocolError) as refused:
        check_together(forged)
    assert refused.value.reason == rule


def test_every_leaf_is_validated(workshop: Workshop) -> None:
    tree, mallory = grown(workshop), workshop.client("mallory")
    sound = workshop.leaf_node(mallory)
    expired = workshop.leaf_node(mallory, details=Lifetime(0, 1))
    incapable = workshop.leaf_node(mallory, capabilities=workshop.capabilities(versions=()))
    unlisted = workshop.leaf_node(mallory, extensions=(Extension(0x0A0A, b""),))
    forged = replace(sound, encryption_key=workshop.public_key())
    for leaf, rule in (
        (expired, Rule.LEAF_EXPIRED),
        (incapable, Rule.LEAF_VERSION_NOT_LISTED),
        (unlisted, Rule.LEAF_EXTENSION_NOT_LISTED),
        (forged, Rule.LEAF_SIGNATURE),
    ):
        assert refusal(workshop, workshop.forged(tree, leaf_to_node(4), leaf)) == rule


def test_the_application_judges_every_credential(workshop: Workshop) -> None:
    workshop.application.unwelcome.add(b"dave")
    tree = workshop.tree(*map(workshop.client, NAMES))
    assert refusal(workshop, tree) == "NOT_WELCOME"


def test_a_joiner_tolerates_a_leaf_that_expired_today(workshop: Workshop) -> None:
    tree = workshop.tree(*map(workshop.client, NAMES))
    context = replace(workshop.group(workshop.client("zoe")).context, tree_hash=tree_hash(tree))
    two_days_on = workshop.policy.now + 2 * RECEIVER_TOLERANCE
    check_joined_tree(
        tree, context, replace(workshop.policy, now=two_days_on, tolerance=RECEIVER_TOLERANCE)
    )
    with pytest.raises(RemoteProtocolError) as refused:
        check_joined_tree(tree, context, replace(workshop.policy, now=two_days_on))
    assert refused.value.reason == Rule.LEAF_EXPIRED
