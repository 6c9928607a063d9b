"""RFC 9420 Section 7.9: every key on a path was put there by who signed the leaf below it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.parent_hash import check_parent_hashes, parent_hash, set_path
from e2ee.mls.proposal import Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_math import leaf_to_node
from e2ee.mls.tree_node import ParentNode

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

pytestmark = pytest.mark.parametrize("workshop", CIPHER_SUITES, indirect=True, ids="{:#06x}".format)

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"]


def refused(tree: RatchetTree) -> bool:
    try:
        check_parent_hashes(tree)
    except ValidationError as error:
        assert error.reason == Rule.TREE_PARENT_HASH
        return True
    return False


def test_the_evolution_of_appendix_b(workshop: Workshop) -> None:
    """A adds B, B adds C and D, C commits: Y' links to Z' and Z' to C', while X' hangs on B'."""
    a, b, c, d = map(workshop.client, NAMES[:4])
    group = workshop.group(a)
    group = workshop.enter(group, workshop.commit(group, a, 0, workshop.add(b)))
    group = workshop.enter(group, workshop.commit(group, b, 1, workshop.add(c), workshop.add(d)))
    group = workshop.enter(group, workshop.commit(group, c, 2))
    tree = group.tree
    x, y, z = (tree.parent_node(node) for node in (1, 3, 5))
    assert x
    assert y
    assert z
    assert (y.parent_hash, z.parent_hash) == (b"", parent_hash(tree, y, sibling=1))
    linked_to = {leaf_index: leaf.parent_hash for leaf_index, leaf in tree.members()}
    assert linked_to[1] == parent_hash(tree, x, sibling=leaf_to_node(0))
    assert linked_to[2] == parent_hash(tree, z, sibling=leaf_to_node(3))
    assert linked_to[3] is None
    assert linked_to[0] != parent_hash(tree, x, sibling=leaf_to_node(1))  # B has changed since
    assert x.parent_hash != parent_hash(tree, y, sibling=5)  # Y and Z have changed since
    check_parent_hashes(tree)


def test_trees_that_groups_make_are_valid(workshop: Workshop) -> None:
    """Joins, leaves, and members who join later without a path (so that they are unmerged)."""
    clients = [workshop.client(name) for name in NAMES]
    group = workshop.grown(clients[:7])
    check_parent_hashes(group.tree)
    added = workshop.add(clients[7])
    group = workshop.enter(group, workshop.commit(group, clients[0], 0, added, with_path=False))
    assert [parent.unmerged_leaves for _, parent in group.tree.parent_nodes()].count((7,)) == 2
    check_parent_hashes(group.tree)


def test_a_key_that_nobody_signed_is_found(workshop: Workshop) -> None:
    tree = workshop.grown([workshop.client(name) for name in NAMES[:5]]).tree
    assert not refused(tree)
    for x, parent in tree.parent_nodes():
        forged = replace(parent, encryption_key=workshop.public_key())
        assert refused(workshop.forged(tree, x, forged))


def test_a_parent_hash_that_was_changed_is_found(workshop: Workshop) -> None:
    tree = workshop.grown([workshop.client(name) for name in NAMES[:5]]).tree
    below_the_root = [x for x, parent in tree.parent_nodes() if parent.parent_hash]
    assert below_the_root
    for x in below_the_root:
        parent = tree.parent_node(x)
        assert parent
        assert refused(workshop.forged(tree, x, replace(parent, parent_hash=bytes(32))))


def test_a_node_over_leaves_that_never_committed_is_found(workshop: Workshop) -> None:
    tree = workshop.tree(*map(workshop.client, NAMES[:4]))
    assert not refused(tree)
    assert refused(workshop.forged(tree, 1, ParentNode(workshop.public_key(), b"", ())))


def test_a_hidden_unmerged_leaf_is_found(workshop: Workshop) -> None:
    """Without its entry, path secrets would not reach the member that was added."""
    clients = [workshop.client(name) for name in NAMES[:4]]
    group = workshop.grown(clients[:3])
    added = workshop.add(clients[3])
    tree = workshop.enter(group, workshop.commit(group, clients[0], 0, added, with_path=False)).tree
    assert not refused(tree)
    root = tree.parent_node(tree.root)
    assert root
    assert root.unmerged_leaves == (3,)
    assert refused(workshop.forged(tree, tree.root, replace(root, unmerged_leaves=())))


def test_an_unmerged_leaf_below_a_node_that_knows_it_is_found(workshop: Workshop) -> None:
    """The root claims that bob is unmerged, while the node between them holds a key of bob's."""
    clients = [workshop.client(name) for name in NAMES[:4]]
    group = workshop.grown(clients)
    tree = workshop.enter(group, workshop.commit(group, clients[0], 0)).tree
    root = tree.parent_node(3)
    assert root
    assert tree.resolution(1) == [1]
    assert refused(workshop.forged(tree, 3, replace(root, unmerged_leaves=(1,))))


def test_a_blank_leaf_does_not_stand_for_a_hidden_one(workshop: Workshop) -> None:
    """Bob was added below alice's root key; the root names a blank leaf in his place."""
    clients = [workshop.client(name) for name in NAMES[:6]]
    group = workshop.group(*clients[:5])
    gone = [Remove(leaf_index) for leaf_index in (1, 2, 3)]
    group = workshop.enter(group, workshop.commit(group, clients[0], 0, *gone))
    added = workshop.add(clients[5])
    tree = workshop.enter(group, workshop.commit(group, clients[0], 0, added, with_path=False)).tree
    root = tree.parent_node(7)
    assert root
    assert (root.unmerged_leaves, tree.leaf(2)) == ((1,), None)
    assert not refused(tree)
    assert refused(workshop.forged(tree, 7, replace(root, unmerged_leaves=(2,))))


def test_one_key_for_each_node_of_the_path(workshop: Workshop) -> None:
    tree = workshop.tree(*map(workshop.client, NAMES[:4]))
    for count in (1, 3):
        with pytest.raises(ValueError, match="argument"):
            set_path(tree, 0, [workshop.public_key() for _ in range(count)])
