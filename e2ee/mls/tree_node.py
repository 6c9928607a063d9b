"""The nodes of a ratchet tree and how a tree is written (RFC 9420 Sections 7.1 and 12.4.3.3). Structures only."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from e2ee.mls.leaf_node import LeafNode
from e2ee.tls_syntax import (
    EncodedOnce,
    Opaque,
    Struct,
    enum,
    optional,
    select,
    struct,
    uint8,
    uint32,
    vector,
)

__all__ = ["Node", "NodeType", "ParentNode", "TreeNode", "ratchet_tree"]


@struct
class ParentNode(EncodedOnce):
    """RFC 9420 Section 7.1. ``unmerged_leaves`` are leaf indices, in increasing order."""

    encryption_key: Opaque
    parent_hash: Opaque
    unmerged_leaves: Annotated[tuple[int, ...], vector(uint32, most=1 << 15)]


TreeNode = LeafNode | ParentNode
"""What a node that is not blank holds."""


class NodeType(IntEnum):
    """RFC 9420 Section 7.8."""

    LEAF = 1
    PARENT = 2


@struct
class Node(Struct):
    """RFC 9420 Section 12.4.3.3."""

    node_type: Annotated[NodeType, enum(NodeType, uint8)]
    node: Annotated[
        TreeNode,
        select(
            "node_type",
            {NodeType.LEAF: LeafNode.codec(), NodeType.PARENT: ParentNode.codec()},
        ),
    ]

    @classmethod
    def of(cls, node: TreeNode) -> Node:
        """The node with its type."""
        return cls(NodeType.LEAF if isinstance(node, LeafNode) else NodeType.PARENT, node)


ratchet_tree = vector(optional(Node.codec()))
"""``optional<Node> ratchet_tree<V>``, the data of a ``ratchet_tree`` extension."""
