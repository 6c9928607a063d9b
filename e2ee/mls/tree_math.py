"""The shape of ratchet trees: where nodes lie in the array (RFC 9420 Appendix C).

A tree with 2^d leaves is an array of 2^(d+1) - 1 nodes in left-to-right in-order; leaf ``L`` is node ``2 * L``. All
functions are arithmetic on node indices; none knows what a node holds.
"""

from __future__ import annotations

__all__ = [
    "children",
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
    "subtree",
]


def is_leaf(x: int) -> bool:
    """Leaves are the even nodes."""
    return x & 1 == 0


def leaf_to_node(leaf_index: int) -> int:
    """The node index of a leaf."""
    return 2 * leaf_index


def _level_bit(x: int) -> int:
    """2^level(x): the lowest zero bit of ``x``."""
    return ~x & (x + 1)


def level(x: int) -> int:
    """Height of node ``x`` above the leaves: the number of trailing one bits."""
    return _level_bit(x).bit_length() - 1


def node_width(n: int) -> int:
    """The number of nodes of a tree with ``n`` leaves."""
    return 2 * n - 1 if n else 0


def root(n: int) -> int:
    """The root of a tree with ``n`` leaves."""
    return (1 << (node_width(n).bit_length() - 1)) - 1


def children(x: int) -> tuple[int, int]:
    """The left and the right child of parent node ``x``."""
    if is_leaf(x):
        raise ValueError(f"node {x} is a leaf and has no children")
    half = _level_bit(x) >> 1
    return x - half, x + half


def left(x: int) -> int:
    """The left child of parent node ``x``."""
    return children(x)[0]


def right(x: int) -> int:
    """The right child of parent node ``x``."""
    return children(x)[1]


def parent(x: int, n: int) -> int:
    """The parent of node ``x``, which is not the root, in a tree with ``n`` leaves."""
    if x == root(n):
        raise ValueError(f"node {x} is the root and has no parent")
    return _parent(x)


def _parent(x: int) -> int:
    """parent=01x => left=00x, right=10x, where the lowest zero bit of ``x`` is at its level."""
    bit = _level_bit(x)
    return (x | bit) & ~(bit << 1)


def sibling(x: int, n: int) -> int:
    """The other child of the parent of node ``x``."""
    return _mirrored(x, parent(x, n))


def _mirrored(x: int, p: int) -> int:
    """The children of ``p`` lie as far to its left and to its right."""
    return 2 * p - x


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
    return [_mirrored(below, above) for below, above in zip([x, *path], path, strict=False)]


def common_ancestor(x: int, y: int) -> int:
    """The lowest node that has both ``x`` and ``y`` in its subtree."""
    height = max(level(x), level(y))
    while x >> (height + 1) != y >> (height + 1):
        height += 1
    return (x >> (height + 1) << (height + 1)) + (1 << height) - 1


def subtree(x: int) -> slice:
    """The part of the array that holds node ``x`` and all below it."""
    size = _level_bit(x)
    return slice(x + 1 - size, x + size)


def leaf_range(x: int) -> range:
    """The leaf indices below node ``x`` (of a leaf: its own)."""
    size = _level_bit(x)
    first = (x + 1 - size) // 2
    return range(first, first + size)


def full_width(entries: int) -> int:
    """The width of the smallest tree that has room for this many nodes, at least one: 2^(d+1) - 1."""
    return (1 << entries.bit_length()) - 1
