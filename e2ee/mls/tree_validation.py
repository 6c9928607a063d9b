"""Validation of a whole ratchet tree (RFC 9420 Sections 7.3 and 12.4.3.1), one function a rule.

``check_joined_tree`` is what a joiner asks of a tree that others made. ``check_together`` holds the rules that compare
nodes with each other; it is asked again of the tree after every commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from e2ee.crypto.errors import BadPublicKey
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_context import GroupContext
from e2ee.mls.leaf_node import check_leaf_signature
from e2ee.mls.leaf_node_validation import ValidationPolicy, check_compatible, check_leaf_node
from e2ee.mls.parent_hash import check_parent_hashes
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash

__all__ = ["check_joined_tree", "check_together"]


def check_joined_tree(tree: RatchetTree, context: GroupContext, policy: ValidationPolicy) -> None:
    """The tree is the one that ``context`` names, and valid in every part. Raises ValidationError."""
    # "Verify that the tree hash of the ratchet tree matches the tree_hash field in GroupInfo."
    if tree_hash(tree) != context.tree_hash:
        raise ValidationError(Rule.TREE_HASH)
    _check_unmerged_leaves(tree)
    _check_parent_keys(tree)
    check_together(tree)
    # "For each non-empty parent node, verify that it is "parent-hash valid""
    check_parent_hashes(tree)
    # "For each non-empty leaf node, validate the LeafNode as described in Section 7.3."
    for leaf_index, leaf_node in tree.members():
        check_leaf_node(tree.suite, leaf_node, policy)
        check_compatible(tree.suite, leaf_node, context.extensions)
        check_leaf_signature(tree.suite, leaf_node, context.group_id, leaf_index)
        policy.authentication.check(leaf_node.credential, leaf_node.signature_key)


def check_together(tree: RatchetTree) -> None:
    """What all nodes of a tree must keep together. Raises ValidationError."""
    index = tree.index
    # "Verify that the following fields are unique among the members of the group: signature_key, encryption_key"
    if len(index.signature_keys) != index.members:
        raise ValidationError(Rule.SIGNATURE_KEY_NOT_UNIQUE)
    if len(index.encryption_keys) != index.nodes:
        raise ValidationError(_shared_key_rule(tree))
    # "Verify that the credential type is supported by all members of the group, as specified by the capabilities field
    # of each member's LeafNode, and that the capabilities field of this LeafNode indicates support for all the
    # credential types currently in use by other members."
    in_use = {credential_type for credential_type, _ in index.credential_types}
    if not all(in_use.issubset(supported) for _, supported in index.credential_types):
        raise ValidationError(Rule.CREDENTIAL_TYPE_NOT_SUPPORTED)


def _shared_key_rule(tree: RatchetTree) -> Rule:
    """An encryption key stands in two nodes of the tree: of two leaves, or of a parent node and any other."""
    leaf_keys = {leaf_node.encryption_key for _, leaf_node in tree.members()}
    if len(leaf_keys) != tree.index.members:
        return Rule.ENCRYPTION_KEY_NOT_UNIQUE
    # Section 12.4.3.1: "Verify that the encryption key in the parent node does not appear in any other node of the
    # tree."
    return Rule.TREE_PARENT_KEY_NOT_UNIQUE


def _check_parent_keys(tree: RatchetTree) -> None:
    """Parent keys can be encrypted to."""
    for x, parent in tree.parent_nodes():
        try:
            tree.suite.hpke.kem.check_public_key(parent.encryption_key)
        except BadPublicKey:
            raise ValidationError(Rule.TREE_PARENT_KEY_MALFORMED, f"node {x}") from None


def _check_unmerged_leaves(tree: RatchetTree) -> None:
    unmerged = {x: frozenset(parent.unmerged_leaves) for x, parent in tree.parent_nodes()}
    for x, parent in tree.parent_nodes():
        # Section 7.1: "The entries in the unmerged_leaves vector MUST be sorted in increasing order."
        if any(before >= after for before, after in pairwise(parent.unmerged_leaves)):
            raise ValidationError(Rule.UNMERGED_LEAVES_NOT_SORTED, f"node {x}")
        for leaf_index in parent.unmerged_leaves:
            _check_unmerged_leaf(tree, x, leaf_index, unmerged)


def _check_unmerged_leaf(
    tree: RatchetTree, x: int, leaf_index: int, unmerged: Mapping[int, frozenset[int]]
) -> None:
    """``unmerged`` are the unmerged leaves of every parent node that is not blank."""
    # "Verify that the entry represents a non-blank leaf node that is a descendant of the parent node."
    if leaf_index not in tree_math.leaf_range(x) or tree.leaf(leaf_index) is None:
        raise ValidationError(Rule.UNMERGED_LEAF_NOT_BELOW, f"leaf {leaf_index}, node {x}")
    # "Verify that every non-blank intermediate node between the leaf node and the parent node also has an entry for the
    # leaf node in its unmerged_leaves."
    for y in tree_math.direct_path(tree_math.leaf_to_node(leaf_index), tree.leaf_count):
        if y == x:
            return
        if y in unmerged and leaf_index not in unmerged[y]:
            raise ValidationError(Rule.UNMERGED_LEAF_SKIPS_A_NODE, f"leaf {leaf_index}, node {y}")
