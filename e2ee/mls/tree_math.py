"""The shape of ratchet trees: where nodes lie in the array (RFC 9420 Appendix C).

A tree with 2^d leaves is an array of 2^(d+1) - 1 nodes in left-to-right in-order; leaf ``L`` is node ``2 * L``. All
functions are arithmetic on node indices; none knows what a node holds.
"""

from __future__ import annotations

__all__ = [
    "common_ancestor",
    "copath",
    "direct_path",
    "full_width",
    "is_leaf",
    "leaf_range",
    "leaf_to_node",
    "left",
    "level",
    "node_width",
    "parent",
    "right",
    "root",
    "sibling",
]


def is_leaf(x: int) -> bool:
    """Leaves are the even nodes."""
    return x & 1 == 0


def leaf_to_node(leaf_index: int) -> int:
    """The node index of a leaf."""
    return 2 * leaf_index


def level(x: int) -> int:
    """Height of node ``x`` above the leaves: the number of trailing one bits."""
    return (~x & (x + 1)).bit_length() - 1


def node_width(n: int) -> int:
    """The number of nodes of a tree with ``n`` leaves."""
    return 2 * n - 1 if n else 0


def root(n: int) -> int:
    """The root of a tree with ``n`` leaves."""
    return (1 << (node_width(n).bit_length() - 1)) - 1


def left(x: int) -> int:
    """The left child of parent node ``x``."""
    return x ^ (1 << (_parent_level(x) - 1))


def right(x: int) -> int:
    """The right child of parent node ``x``."""
    return x ^ (3 << (_parent_level(x) - 1))


def _parent_level(x: int) -> int:
    if is_leaf(x):
        raise ValueError(f"node {x} is a leaf and has no children")
    return level(x)


def parent(x: int, n: int) -> int:
    """The parent of node ``x``, which is not the root, in a tree with ``n`` leaves."""
    if x == root(n):
        raise ValueError(f"node {x} is the root and has no parent")
    return _parent(x)


def _parent(x: int) -> int:
    """parent=01x => left=00x, right=10x, where the lowest zero bit of ``x`` is at its level."""
    bit = ~x & (x + 1)
    return (x | bit) & ~(bit << 1)


def sibling(x: int, n: int) -> int:
    """The other child of the parent of node ``x``."""
    p = parent(x, n)
    return right(p) if x < p else left(p)


def direct_path(x: int, n: int) -> list[int]:
    """The ancestors of node ``x``, from its parent up to the root."""
    top, path = root(n), []
    while x != top:
        x = _parent(x)
        path.append(x)
    return path


def copath(x: int, n: int) -> list[int]:
    """The siblings of ``x`` and of its direct path without the root, from the lowest up."""
    path = direct_path(x, n)
    return [sibling(y, n) for y in [x, *path[:-1]]] if path else []


def common_ancestor(x: int, y: int) -> int:
    """The lowest node that has both ``x`` and ``y`` in its subtree."""
    height = max(level(x), level(y))
    while x >> (height + 1) != y >> (height + 1):
        height += 1
    return (x >> (height + 1) << (height + 1)) + (1 << height) - 1


def leaf_range(x: int) -> range:
    """The leaf indices below node ``x`` (of a leaf: its own)."""
    size = 1 << level(x)
    first = (x + 1 - size) // 2
    return range(first, first + size)


def full_width(entries: int) -> int:
    """The width of the smallest tree that has room for this many nodes, at least one: 2^(d+1) - 1."""
    return (1 << entries.bit_length()) - 1
