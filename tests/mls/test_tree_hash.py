"""RFC 9420 Sections 7.8 and 7.9: the inputs of tree hashes, written out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import original_tree_hash, tree_hash
from e2ee.mls.tree_node import ParentNode
from e2ee.tls_syntax import opaque

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


def leaf_hash(tree: RatchetTree, leaf_index: int) -> bytes:
    leaf = tree.leaf(leaf_index)
    content = b"\x00" if leaf is None else b"\x01" + leaf.encode()
    return tree.suite.kdf.hash(b"\x01" + leaf_index.to_bytes(4, "big") + content)


def parent_hash_of(
    tree: RatchetTree, parent: ParentNode | None, left: bytes, right: bytes
) -> bytes:
    content = b"\x00" if parent is None else b"\x01" + parent.encode()
    return tree.suite.kdf.hash(b"\x02" + content + opaque.encode(left) + opaque.encode(right))


def test_the_hash_of_three_members(workshop: Workshop) -> None:
    tree = workshop.tree(*map(workshop.client, ["alice", "bob", "carol"]))
    tree = tree.with_path(0, {1: ParentNode(b"key", b"parent hash", ())})
    left = parent_hash_of(tree, tree.parent_node(1), leaf_hash(tree, 0), leaf_hash(tree, 1))
    right = parent_hash_of(tree, None, leaf_hash(tree, 2), leaf_hash(tree, 3))
    assert tree_hash(tree, 1) == left
    assert tree_hash(tree) == parent_hash_of(tree, None, left, right)


def test_the_original_hash_is_that_before_the_leaves_were_added(workshop: Workshop) -> None:
    alice, bob, carol, dave, erin = map(workshop.client, ["alice", "bob", "carol", "dave", "erin"])
    before = workshop.tree(alice, bob, carol)
    before = before.with_path(2, {3: ParentNode(b"root", b"", ()), 5: ParentNode(b"Z", b"", ())})
    after, at = before.add(workshop.leaf_node(dave))
    assert at == 3
    assert tree_hash(after, 5) != tree_hash(before, 5)
    assert original_tree_hash(after, 5, frozenset([3])) == tree_hash(before, 5)
    assert original_tree_hash(after, 3, frozenset([3])) == tree_hash(before, 3)
    assert original_tree_hash(after, 1, frozenset([3])) == tree_hash(after, 1)
    assert original_tree_hash(after, 5, frozenset()) == tree_hash(after, 5)
    later = after.update(1, workshop.leaf_node(erin))
    assert original_tree_hash(later, 5, frozenset([3])) == tree_hash(before, 5)
