"""What the nodes of a ratchet tree hold, counted, so that a commit is judged without a look at every member.

RFC 9420 asks for keys that are unique in the whole tree and for credential types that all members understand:
``tree_validation.check_together`` reads both from a ``TreeIndex``. An index never changes. A tree that differs in some
nodes has an index that differs in what these nodes hold, and is equal to counting all nodes of that tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.tree_node import TreeNode

__all__ = ["TreeIndex"]


class TreeIndex:
    """The counts of one tree. ``members`` and ``nodes`` are numbers of leaves and of nodes that are not blank."""

    __slots__ = ("credential_types", "encryption_keys", "members", "nodes", "signature_keys")

    def __init__(self) -> None:
        self.nodes = self.members = 0
        self.encryption_keys: dict[bytes, int] = {}
        self.signature_keys: dict[bytes, int] = {}
        self.credential_types: dict[tuple[int, tuple[int, ...]], int] = {}
        """Of pairs: the type that a leaf's credential has, the types that its client supports."""

    @classmethod
    def of(cls, nodes: Iterable[TreeNode | None]) -> TreeIndex:
        """The index of a tree with these nodes."""
        return cls().replacing((), nodes)

    def replacing(
        self, old: Iterable[TreeNode | None], new: Iterable[TreeNode | None]
    ) -> TreeIndex:
        """The index of the tree in which the nodes ``new`` stand in the places of ``old``."""
        index = TreeIndex()
        index.nodes, index.members = self.nodes, self.members
        index.encryption_keys = self.encryption_keys.copy()
        index.signature_keys = self.signature_keys.copy()
        index.credential_types = self.credential_types.copy()
        for node in old:
            index._count(node, -1)
        for node in new:
            index._count(node, 1)
        return index

    def _count(self, node: TreeNode | None, times: int) -> None:
        if node is None:
            return
        self.nodes += times
        _add(self.encryption_keys, node.encryption_key, times)
        if isinstance(node, LeafNode):
            self.members += times
            _add(self.signature_keys, node.signature_key, times)
            types = (int(node.credential.credential_type), node.capabilities.credentials)
            _add(self.credential_types, types, times)


def _add(counts: dict[Any, int], item: Any, times: int) -> None:
    """What stands nowhere has no count, so that the length of ``counts`` is the number of different items."""
    total = counts.get(item, 0) + times
    if total:
        counts[item] = total
    else:
        del counts[item]
