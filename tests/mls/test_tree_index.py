"""The counts of a tree, against counting all of its nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.tree_index import TreeIndex
from e2ee.mls.tree_node import ParentNode, TreeNode

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAF = LeafNode(
    b"encryption key",
    b"signature key",
    Credential.basic(b"somebody"),
    Capabilities((1,), (1,), (), (), (1,)),
    LeafNodeSource.UPDATE,
    None,
    (),
    b"",
)

keys = st.sampled_from([b"A", b"B", b"C"])
leaf_nodes = st.builds(
    lambda encryption_key, signature_key, supported: replace(
        LEAF,
        encryption_key=encryption_key,
        signature_key=signature_key,
        capabilities=replace(LEAF.capabilities, credentials=supported),
    ),
    keys,
    keys,
    st.sampled_from([(1,), (1, 2)]),
)
parent_nodes = st.builds(lambda key: ParentNode(key, b"", ()), keys)
arrays = st.lists(st.none() | leaf_nodes | parent_nodes, max_size=8)


def counts(index: TreeIndex) -> dict[str, Any]:
    return {name: getattr(index, name) for name in TreeIndex.__slots__}


def counted(nodes: Sequence[TreeNode | None]) -> dict[str, Any]:
    present = [node for node in nodes if node is not None]
    leaves = [node for node in present if isinstance(node, LeafNode)]
    types = [
        (int(leaf.credential.credential_type), leaf.capabilities.credentials) for leaf in leaves
    ]
    return {
        "nodes": len(present),
        "members": len(leaves),
        "encryption_keys": times([node.encryption_key for node in present]),
        "signature_keys": times([leaf.signature_key for leaf in leaves]),
        "credential_types": times(types),
    }


def times(items: list[Any]) -> dict[Any, int]:
    return {item: items.count(item) for item in items}


@given(arrays)
def test_an_index_counts_all_nodes(nodes: list[TreeNode | None]) -> None:
    assert counts(TreeIndex.of(nodes)) == counted(nodes)


@given(arrays, st.data())
def test_an_index_of_changed_nodes_is_that_of_the_changed_tree(
    nodes: list[TreeNode | None], data: st.DataObject
) -> None:
    """Also where a key stood twice, and stands once more or once less."""
    before = TreeIndex.of(nodes)
    places = data.draw(st.sets(st.sampled_from(range(len(nodes))))) if nodes else set()
    after, new = list(nodes), st.none() | leaf_nodes | parent_nodes
    for place in places:
        after[place] = data.draw(new)
    replaced = before.replacing([nodes[x] for x in places], [after[x] for x in places])
    assert counts(replaced) == counted(after)
    assert counts(before) == counted(nodes)
