"""UpdatePath (RFC 9420 Sections 7.5 and 7.6): the new keys along a committer's filtered direct path.

The structures, and what everybody can check of a path that was received: the receiver of a secret does it before
decrypting, the delivery service before relaying.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.crypto.errors import BadPublicKey
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.parent_hash import set_path
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.tls_syntax import Opaque, Struct, struct, vector

__all__ = ["HPKECiphertext", "UpdatePath", "UpdatePathNode", "merge_path"]


@struct
class UpdatePathNode(Struct):
    """RFC 9420 Section 7.6. One ciphertext for each node in the copath node's resolution, in its order."""

    encryption_key: Opaque
    encrypted_path_secret: Annotated[
        tuple[HPKECiphertext, ...], vector(HPKECiphertext.codec(), shortest=32)
    ]


@struct
class UpdatePath(Struct):
    """RFC 9420 Section 7.6. ``nodes`` follow the filtered direct path, from the leaf's parent up to the root: no tree is higher
    than 32."""

    leaf_node: LeafNode
    nodes: Annotated[tuple[UpdatePathNode, ...], vector(UpdatePathNode.codec(), most=32)]


def merge_path(
    tree: RatchetTree, leaf_index: int, path: UpdatePath, added: frozenset[int] = frozenset()
) -> RatchetTree:
    """The tree with the path of the member at ``leaf_index`` in it, its parent hashes checked.

    ``tree`` has the commit's proposals applied; ``added`` are the leaf indices that they filled. Raises
    ValidationError.
    """
    _check_shape(tree, leaf_index, path, added)
    _check_keys(tree, path)
    merged, due = set_path(tree, leaf_index, [node.encryption_key for node in path.nodes])
    # "recompute the expected value of parent_hash for the committer's new leaf and verify that it matches the
    # parent_hash value in the supplied leaf_node."
    if path.leaf_node.parent_hash != due:
        raise ValidationError(Rule.PATH_PARENT_HASH)
    return merged.with_leaf(leaf_index, path.leaf_node)


def _check_shape(
    tree: RatchetTree, leaf_index: int, path: UpdatePath, added: frozenset[int]
) -> None:
    filtered = tree.filtered_direct_path(leaf_index)
    # Section 7.5: "An UpdatePath contains the following information for each node in the filtered direct path of the
    # sender's leaf, including the root"
    if len(path.nodes) != len(filtered):
        detail = f"{len(path.nodes)} nodes for a filtered direct path of {len(filtered)}"
        raise ValidationError(Rule.PATH_LENGTH, detail)
    # "The length of the encrypted_path_secret vector MUST be equal to the length of the resolution of the copath node
    # (excluding new leaf nodes)"
    for node, (x, copath_child) in zip(path.nodes, filtered, strict=True):
        due = len(tree.resolution(copath_child, exclude=added))
        if len(node.encrypted_path_secret) != due:
            detail = f"{len(node.encrypted_path_secret)} ciphertexts for {due} nodes under node {x}"
            raise ValidationError(Rule.PATH_CIPHERTEXT_COUNT, detail)


def _check_keys(tree: RatchetTree, path: UpdatePath) -> None:
    keys = [path.leaf_node.encryption_key, *(node.encryption_key for node in path.nodes)]
    # "Verify that none of the public keys in the UpdatePath appear in any node of the new ratchet tree."
    if len(set(keys)) != len(keys) or any(key in tree.index.encryption_keys for key in keys):
        raise ValidationError(Rule.PATH_KEY_NOT_NEW)
    for key in keys[1:]:
        try:
            tree.suite.hpke.kem.check_public_key(key)
        except BadPublicKey as error:
            raise ValidationError(Rule.PATH_KEY_MALFORMED, error.detail) from None
