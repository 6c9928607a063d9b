"""The private half of what one member sees of the ratchet tree (RFC 9420 Section 4.2).

"The private key for a node in the tree is known to a member of the group only if the node's subtree contains that
member's leaf." So these are the own leaf's key and those of some of its ancestors.

One rule keeps them right: a private key lives exactly as long as its public key stands in its node. ``kept_in``
applies it to a new tree, whatever made the node change (a blanked path, a removed leaf, another member's commit),
which is also RFC 9420 Section 7.5's "Each outdated node key pair that was replaced by the update" being deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls import tree_math
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import ParentNode

__all__ = ["TreePrivateKeys"]


@dataclass(frozen=True, slots=True)
class TreePrivateKeys:
    """Key pairs by node index: that of the own leaf, and those known of its direct path."""

    leaf_index: int
    key_pairs: Mapping[int, KeyPair]

    @classmethod
    def of_leaf(cls, leaf_index: int, key_pair: KeyPair) -> TreePrivateKeys:
        """What a member knows who was just added."""
        return cls(leaf_index, {tree_math.leaf_to_node(leaf_index): key_pair})

    def with_key_pairs(self, key_pairs: Mapping[int, KeyPair]) -> TreePrivateKeys:
        """These, with others added or put in their place."""
        return TreePrivateKeys(self.leaf_index, {**self.key_pairs, **key_pairs})

    def kept_in(
        self, tree: RatchetTree, own_updates: Mapping[bytes, KeyPair] | None = None
    ) -> TreePrivateKeys:
        """Those whose public keys stand in ``tree``.

        ``own_updates`` are key pairs, by public key, of this member's Update proposals: the one whose leaf is now in
        the tree is taken.
        """
        leaf = tree.leaf(self.leaf_index)
        update = (own_updates or {}).get(leaf.encryption_key) if leaf is not None else None
        key_pairs = dict(self.key_pairs)
        if update is not None:
            key_pairs[tree_math.leaf_to_node(self.leaf_index)] = update
        return TreePrivateKeys(
            self.leaf_index,
            {x: pair for x, pair in key_pairs.items() if _stands_in(tree, x, pair.public)},
        )

    def first_of(self, resolution: Sequence[int]) -> tuple[int, Secret] | None:
        """Position and private key of the first node of ``resolution`` whose private key is known."""
        for position, node in enumerate(resolution):
            if (pair := self.key_pairs.get(node)) is not None:
                return position, pair.private
        return None

    def missing_in(self, tree: RatchetTree) -> list[int]:
        """The nodes of ``tree`` whose keys this member should know and does not.

        Every key that is sealed to a node above us must reach us: by the node's key, or as an unmerged leaf.
        """
        own = tree_math.leaf_to_node(self.leaf_index)
        unknown = [
            x
            for x in (own, *tree_math.direct_path(own, tree.leaf_count))
            if x not in self.key_pairs
        ]
        return [x for x in unknown if self._is_sealed_to(tree, x)]

    def _is_sealed_to(self, tree: RatchetTree, x: int) -> bool:
        """Whether what is sealed to all below ``x`` is sealed to this node, and not to us apart from it."""
        node = tree.node(x)
        if isinstance(node, ParentNode):
            return self.leaf_index not in node.unmerged_leaves
        return node is not None


def _stands_in(tree: RatchetTree, x: int, public_key: bytes) -> bool:
    node = tree.node(x)
    return node is not None and node.encryption_key == public_key
