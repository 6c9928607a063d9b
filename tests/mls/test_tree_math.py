"""RFC 9420 Appendix C, against trees that are built node by node."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.mls import tree_math


@dataclass(eq=False)
class Link:
    """A node of a tree of links, numbered by an in-order walk."""

    left: Link | None = None
    right: Link | None = None
    parent: Link | None = None
    index: int = -1
    first_leaf: int = 0
    leaf_count: int = 1


def linked(depth: int, first_leaf: int = 0) -> Link:
    if depth == 0:
        return Link(first_leaf=first_leaf)
    half = 1 << (depth - 1)
    node = Link(
        linked(depth - 1, first_leaf),
        linked(depth - 1, first_leaf + half),
        None,
        -1,
        first_leaf,
        2 * half,
    )
    assert node.left
    assert node.right
    node.left.parent = node.right.parent = node
    return node


def in_order(node: Link | None) -> list[Link]:
    return [*in_order(node.left), node, *in_order(node.right)] if node else []


def numbered(depth: int) -> list[Link]:
    nodes = in_order(linked(depth))
    for index, node in enumerate(nodes):
        node.index = index
    return nodes


def ancestors(node: Link) -> list[Link]:
    return [node.parent, *ancestors(node.parent)] if node.parent else []


@pytest.mark.parametrize("depth", range(8))
def test_relations_are_those_of_a_linked_tree(depth: int) -> None:
    n, nodes = 1 << depth, numbered(depth)
    assert tree_math.node_width(n) == len(nodes)
    for node in nodes:
        x = node.index
        assert tree_math.is_leaf(x) == (node.left is None)
        assert list(tree_math.leaf_range(x)) == [
            *range(node.first_leaf, node.first_leaf + node.leaf_count)
        ]
        assert list(range(len(nodes)))[tree_math.subtree(x)] == sorted(
            below.index for below in in_order(node)
        )
        if node.left and node.right:
            assert (tree_math.left(x), tree_math.right(x)) == (node.left.index, node.right.index)
            assert tree_math.children(x) == (node.left.index, node.right.index)
            assert 1 << tree_math.level(x) == node.leaf_count
        if node.parent:
            assert tree_math.parent(x, n) == node.parent.index
        else:
            assert tree_math.root(n) == x


@given(st.integers(0, 6), st.data())
def test_paths_are_those_of_a_linked_tree(depth: int, data: st.DataObject) -> None:
    n, nodes = 1 << depth, numbered(depth)
    index = st.integers(0, len(nodes) - 1)
    node, other = nodes[data.draw(index)], nodes[data.draw(index)]
    path = ancestors(node)
    assert tree_math.direct_path(node.index, n) == [above.index for above in path]
    copath = [
        above.right if below is above.left else above.left
        for below, above in zip([node, *path], path, strict=False)
    ]
    assert tree_math.copath(node.index, n) == [beside.index for beside in copath if beside]
    common = next(a for a in [node, *path] if a in [other, *ancestors(other)])
    assert tree_math.common_ancestor(node.index, other.index) == common.index


@pytest.mark.parametrize(("entries", "width"), [(1, 1), (2, 3), (3, 3), (4, 7), (7, 7), (8, 15)])
def test_a_tree_is_filled_up_to_the_next_full_width(entries: int, width: int) -> None:
    assert tree_math.full_width(entries) == width


def test_leaves_have_no_children_and_the_root_no_parent() -> None:
    for child in (tree_math.left, tree_math.right):
        with pytest.raises(ValueError, match="leaf"):
            child(4)
    with pytest.raises(ValueError, match="root"):
        tree_math.parent(7, 8)
    with pytest.raises(ValueError, match="root"):
        tree_math.sibling(7, 8)
