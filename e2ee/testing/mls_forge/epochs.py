"""Epochs: what all members of a group know together, seen by somebody who is every member at once."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.key_schedule import EpochSecrets
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.transcript_hash import confirmation_tag, interim_transcript_hash
from e2ee.mls.tree_hash import tree_hash
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.forge import Forge

__all__ = ["Epoch", "begin", "create_group"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. Private keys of the tree are missing: who commits needs none of them."""

    tree: RatchetTree
    context: GroupContext
    secrets: EpochSecrets
    confirmation_tag: bytes

    @property
    def suite(self) -> CipherSuite:
        """The group's."""
        return self.tree.suite

    @property
    def interim_transcript_hash(self) -> bytes:
        """To which the next commit is added."""
        confirmed = self.context.confirmed_transcript_hash
        return interim_transcript_hash(self.suite.kdf, confirmed, self.confirmation_tag)

    def leaf(self, leaf_index: int) -> LeafNode:
        """That of a member."""
        leaf_node = self.tree.leaf(leaf_index)
        if leaf_node is None:
            raise LookupError(f"nobody is at leaf {leaf_index}")
        return leaf_node


def begin(tree: RatchetTree, context: GroupContext, epoch_secret: Secret) -> Epoch:
    """The epoch of this ``epoch_secret``, with the confirmation tag that it should have."""
    kdf = tree.suite.kdf
    secrets = EpochSecrets.derive(kdf, epoch_secret)
    tag = confirmation_tag(kdf, secrets.confirmation_key, context.confirmed_transcript_hash)
    return Epoch(tree, context, secrets, tag)


def create_group(
    forge: Forge, creator: Client, group_id: bytes, extensions: tuple[Extension, ...] = ()
) -> Epoch:
    """RFC 9420 Section 11: epoch 0."""
    tree = RatchetTree.of_leaf(forge.suite, creator.leaf_node)
    context = GroupContext(
        version=ProtocolVersion.MLS10,
        cipher_suite=forge.suite.code_point,
        group_id=group_id,
        epoch=0,
        tree_hash=tree_hash(tree),
        confirmed_transcript_hash=b"",
        extensions=extensions,
    )
    return begin(tree, context, forge.secret())
