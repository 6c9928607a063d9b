"""Parent hashes (RFC 9420 Section 7.9): each key on a path was put there by the member who signed the leaf below it.

Two uses. ``set_path`` puts a committer's new keys into a tree and gives the parent hash that the committer's leaf must
carry; committer and receivers call the same function. ``check_parent_hashes`` verifies a whole tree before joining.
"""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import original_tree_hash
from e2ee.mls.tree_node import ParentNode
from e2ee.tls_syntax import Opaque, Struct, struct

__all__ = ["check_parent_hashes", "parent_hash", "set_path"]


@struct
class ParentHashInput(Struct):
    """RFC 9420 Section 7.9."""

    encryption_key: Opaque
    parent_hash: Opaque
    original_sibling_tree_hash: Opaque


def parent_hash(tree: RatchetTree, parent: ParentNode, sibling: int) -> bytes:
    """The parent hash of ``parent`` with copath child ``sibling`` (a node index)."""
    original = original_tree_hash(tree, sibling, frozenset(parent.unmerged_leaves))
    hashed = ParentHashInput(parent.encryption_key, parent.parent_hash, original)
    return tree.suite.kdf.hash(hashed.encode())


def set_path(
    tree: RatchetTree, leaf_index: int, public_keys: Sequence[bytes]
) -> tuple[RatchetTree, bytes]:
    """The tree with these keys along the leaf's filtered direct path, and the parent hash that its leaf must carry.

    ``public_keys`` has one key for each node of ``tree.filtered_direct_path(leaf_index)``, lowest first.
    """
    path = tree.filtered_direct_path(leaf_index)
    parents: dict[int, ParentNode] = {}
    # "Note that these hashes are computed from root to leaf, so that each hash incorporates all the non-blank nodes
    # above it. The root node always has a zero-length hash for its parent hash."
    above = b""
    for (node, sibling), public_key in zip(reversed(path), reversed(public_keys), strict=True):
        parents[node] = ParentNode(public_key, above, ())
        above = parent_hash(tree, parents[node], sibling)
    return tree.with_path(leaf_index, parents), above


def check_parent_hashes(tree: RatchetTree) -> None:
    """RFC 9420 Section 7.9.2, for a tree that is being joined. Raises ValidationError."""
    for x, parent in tree.parent_nodes():
        left, right = tree_math.children(x)
        # "verifying that there is exactly one descendant of each non-blank parent node for which the parent node is
        # parent-hash valid."
        if _links(tree, parent, left, right) + _links(tree, parent, right, left) != 1:
            raise ValidationError(Rule.TREE_PARENT_HASH, f"node {x}")


def _links(tree: RatchetTree, parent: ParentNode, child: int, sibling: int) -> bool:
    """Whether a node below ``child`` was set together with ``parent``, by the same UpdatePath."""
    # "D is in the resolution of C, and the intersection of P's unmerged_leaves with the subtree under C is equal to
    # the resolution of C with D removed."
    below = tree_math.leaf_range(child)
    unmerged = {tree_math.leaf_to_node(i) for i in parent.unmerged_leaves if i in below}
    resolution = tree.resolution(child)
    others = [x for x in resolution if x not in unmerged]
    if len(others) != 1 or len(resolution) != len(unmerged) + 1:
        return False
    # "The parent_hash field of D is equal to the parent hash of P with copath child S."
    node = tree.node(others[0])
    return node is not None and node.parent_hash == parent_hash(tree, parent, sibling)
