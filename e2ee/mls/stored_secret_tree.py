"""A secret tree as it is stored: what of Section 9's secrets is not consumed.

What is read is checked before it is a ``SecretTree``: secrets, keys and nonces have their lengths, ratchets hold no
generation that they cannot have skipped, and each leaf of the ratchet tree is covered exactly once, by its own ratchets
or by one node above it. The values themselves cannot be checked: what they were derived from is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.group_secrets import SecretOpaque
from e2ee.mls.secret_tree import END_OF_RATCHET, MessageKey, Ratchet, RatchetType, SecretTree
from e2ee.mls.stored_format import check_length, check_order
from e2ee.tls_syntax import Struct, Uint32, Uint64, struct, vector

__all__ = ["StoredSecretTree"]


@struct
class StoredNode(Struct):
    """A node of which no message key was derived yet."""

    node_index: Uint32
    secret: SecretOpaque


@struct
class StoredMessageKey(Struct):
    """A key that was skipped."""

    generation: Uint32
    key: SecretOpaque
    nonce: SecretOpaque


@struct
class StoredRatchet(Struct):
    """A ratchet that stands at ``generation``: 2^32 if it is exhausted."""

    generation: Uint64
    secret: SecretOpaque
    skipped: Annotated[tuple[StoredMessageKey, ...], vector(StoredMessageKey.codec())]

    @classmethod
    def of(cls, ratchet: Ratchet) -> StoredRatchet:
        """What is stored of ``ratchet``."""
        keys = (ratchet.skipped[generation] for generation in sorted(ratchet.skipped))
        skipped = tuple(StoredMessageKey(key.generation, key.key, key.nonce) for key in keys)
        return cls(ratchet.generation, ratchet.secret, skipped)

    def restore(self, suite: CipherSuite) -> Ratchet:
        """The ratchet. Raises StorageError."""
        check_length(self.secret, suite.kdf.Nh)
        check_order(key.generation for key in self.skipped)
        if self.generation > END_OF_RATCHET:
            raise StorageError(Rule.STORED_GENERATION, f"{self.generation} is no uint32")
        if self.skipped and self.skipped[-1].generation >= self.generation:
            detail = f"{self.skipped[-1].generation} skipped before {self.generation}"
            raise StorageError(Rule.STORED_GENERATION, detail)
        for key in self.skipped:
            check_length(key.key, suite.aead.Nk)
            check_length(key.nonce, suite.aead.Nn)
        skipped = {
            key.generation: MessageKey(key.generation, key.key, key.nonce) for key in self.skipped
        }
        return Ratchet(self.secret, self.generation, skipped)


@struct
class StoredLeaf(Struct):
    """The ratchets of a member who was heard."""

    leaf_index: Uint32
    handshake: StoredRatchet
    application: StoredRatchet

    def restore(self, suite: CipherSuite) -> dict[RatchetType, Ratchet]:
        """Both ratchets. Raises StorageError."""
        return {
            RatchetType.HANDSHAKE: self.handshake.restore(suite),
            RatchetType.APPLICATION: self.application.restore(suite),
        }


@struct
class StoredSecretTree(Struct):
    """See the module. Both lists are in the order of their indices."""

    nodes: Annotated[tuple[StoredNode, ...], vector(StoredNode.codec())]
    leaves: Annotated[tuple[StoredLeaf, ...], vector(StoredLeaf.codec())]

    @classmethod
    def of(cls, tree: SecretTree) -> StoredSecretTree:
        """What is stored of ``tree``."""
        return cls(
            tuple(StoredNode(x, tree.nodes[x]) for x in sorted(tree.nodes)),
            tuple(_stored_leaf(leaf, tree.leaves[leaf]) for leaf in sorted(tree.leaves)),
        )

    def restore(self, suite: CipherSuite, leaf_count: int) -> SecretTree:
        """The secret tree of a ratchet tree of ``leaf_count`` leaves. Raises StorageError."""
        check_order(node.node_index for node in self.nodes)
        check_order(leaf.leaf_index for leaf in self.leaves)
        _check_cover(self, leaf_count)
        for node in self.nodes:
            check_length(node.secret, suite.kdf.Nh)
        return SecretTree(
            suite,
            leaf_count,
            {node.node_index: node.secret for node in self.nodes},
            {leaf.leaf_index: leaf.restore(suite) for leaf in self.leaves},
        )


def _stored_leaf(leaf_index: int, ratchets: Mapping[RatchetType, Ratchet]) -> StoredLeaf:
    return StoredLeaf(
        leaf_index,
        StoredRatchet.of(ratchets[RatchetType.HANDSHAKE]),
        StoredRatchet.of(ratchets[RatchetType.APPLICATION]),
    )


def _check_cover(stored: StoredSecretTree, leaf_count: int) -> None:
    """No leaf twice: its messages would have two keys. No leaf left out: its messages would have none."""
    covered = [leaf.leaf_index for leaf in stored.leaves]
    for node in stored.nodes:
        if node.node_index >= tree_math.node_width(leaf_count):
            raise StorageError(
                Rule.STORED_SECRET_TREE, f"node {node.node_index} of {leaf_count} leaves"
            )
        covered += tree_math.leaf_range(node.node_index)
    if sorted(covered) != list(range(leaf_count)):
        raise StorageError(Rule.STORED_SECRET_TREE, "leaves left out, or covered twice")
