"""Tree hashes (RFC 9420 Section 7.8): one hash for everything below a node.

A node's hash is computed once and kept in its tree; a new tree keeps those of the subtrees that it shares with the
old one. The three structures of the RFC are written out here, around nodes that keep their encoding.
"""

from __future__ import annotations

from e2ee.mls import tree_math
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import NodeType, ParentNode, TreeNode
from e2ee.tls_syntax import opaque, uint32

__all__ = ["original_tree_hash", "tree_hash"]


def tree_hash(tree: RatchetTree, x: int | None = None) -> bytes:
    """The tree hash of node ``x``, of the whole tree without one: ``Nh`` bytes."""
    if x is None:
        x = tree.root
    known = tree.hashes[x]
    if known is None:
        known = tree.hashes[x] = tree.suite.kdf.hash(_tree_hash_input(tree, x))
    return known


def _tree_hash_input(tree: RatchetTree, x: int) -> bytes:
    if tree_math.is_leaf(x):
        return _leaf_hash_input(x, tree.node(x))
    left, right = tree_math.children(x)
    return _parent_hash_input(tree.node(x), tree_hash(tree, left), tree_hash(tree, right))


_LEAF, _PARENT = (node_type.to_bytes(1, "big") for node_type in NodeType)


def _leaf_hash_input(x: int, leaf_node: TreeNode | None) -> bytes:
    """NodeType, then LeafNodeHashInput: uint32 leaf_index, optional<LeafNode> leaf_node."""
    return _LEAF + uint32.encode(x // 2) + _optional(leaf_node)


def _parent_hash_input(parent_node: TreeNode | None, left: bytes, right: bytes) -> bytes:
    """NodeType, then ParentNodeHashInput: optional<ParentNode> parent_node, opaque left_hash<V>, right_hash<V>."""
    return _PARENT + _optional(parent_node) + opaque.encode(left) + opaque.encode(right)


def _optional(node: TreeNode | None) -> bytes:
    """``optional<LeafNode>`` or ``optional<ParentNode>``."""
    return b"\x00" if node is None else b"\x01" + node.encode()


def original_tree_hash(tree: RatchetTree, x: int, unmerged: frozenset[int]) -> bytes:
    """The tree hash of node ``x`` as it was before these leaves were added (RFC 9420 Section 7.9).

    "For each leaf L in P.unmerged_leaves, blank L and remove it from the unmerged_leaves sets of all parent nodes."
    """
    below = tree_math.leaf_range(x)
    added = frozenset(leaf_index for leaf_index in unmerged if leaf_index in below)
    if not added:
        return tree_hash(tree, x)
    kdf = tree.suite.kdf
    if tree_math.is_leaf(x):
        return kdf.hash(_leaf_hash_input(x, None))
    left, right = (original_tree_hash(tree, child, added) for child in tree_math.children(x))
    return kdf.hash(_parent_hash_input(_without(tree.parent_node(x), added), left, right))


def _without(parent: ParentNode | None, added: frozenset[int]) -> ParentNode | None:
    if parent is None:
        return None
    kept = tuple(leaf_index for leaf_index in parent.unmerged_leaves if leaf_index not in added)
    return ParentNode(parent.encryption_key, parent.parent_hash, kept)
