"""Ratchet trees with any nodes in any place, made of their encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import NodeType, TreeNode
from e2ee.tls_syntax import opaque

__all__ = ["encode_nodes", "nodes_of", "with_nodes"]


def nodes_of(tree: RatchetTree) -> list[TreeNode | None]:
    """All nodes, without the blank ones after the last member."""
    nodes = [tree.node(x) for x in range(tree.width)]
    while nodes[-1] is None:
        nodes.pop()
    return nodes


def encode_nodes(nodes: Sequence[TreeNode | None]) -> bytes:
    """``optional<Node> ratchet_tree<V>`` (RFC 9420 Section 12.4.3.3), whatever the nodes are."""
    return opaque.encode(b"".join(map(_entry, nodes)))


def _entry(node: TreeNode | None) -> bytes:
    if node is None:
        return b"\x00"
    node_type = NodeType.LEAF if isinstance(node, LeafNode) else NodeType.PARENT
    return bytes([1, node_type]) + node.encode()


def with_nodes(tree: RatchetTree, changes: Mapping[int, TreeNode | None]) -> RatchetTree:
    """The tree with other nodes at these node indices."""
    nodes = [changes.get(x, node) for x, node in enumerate(nodes_of(tree))]
    return RatchetTree.decode(tree.suite, encode_nodes(nodes))
