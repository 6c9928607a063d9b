"""RFC 9420 Sections 4.1, 7.7 and 12.4.3.3: the tree as it grows, shrinks and goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import DecodeError
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.parent_hash import set_path
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_index import TreeIndex
from e2ee.mls.tree_math import copath, direct_path, is_leaf, leaf_to_node, left, right
from e2ee.mls.tree_node import Node, ParentNode, TreeNode, ratchet_tree

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

SUITE = cipher_suite(0x0001)


def leaf(name: str) -> LeafNode:
    """A leaf of which only the name matters."""
    return LeafNode(
        name.encode(),
        b"signature key of " + name.encode(),
        Credential.basic(name.encode()),
        Capabilities((), (), (), (), ()),
        LeafNodeSource.UPDATE,
        None,
        (),
        b"",
    )


def parent(name: str, *unmerged: int) -> ParentNode:
    return ParentNode(name.encode(), b"", unmerged)


def tree_of(*nodes: TreeNode | None) -> RatchetTree:
    """The tree with these nodes in the array, as it comes over the wire."""
    return RatchetTree.decode(SUITE, encoded(*nodes))


def encoded(*nodes: TreeNode | None) -> bytes:
    return ratchet_tree.encode(tuple(None if node is None else Node.of(node) for node in nodes))


def leaves_of(tree: RatchetTree) -> str:
    """The names of the leaves from left to right; ``_`` is blank."""
    names = (tree.leaf(leaf_index) for leaf_index in range(tree.leaf_count))
    return "".join(node.encryption_key.decode() if node else "_" for node in names)


def grown(names: str) -> RatchetTree:
    tree = RatchetTree.of_leaf(SUITE, leaf(names[0]))
    for name in names[1:]:
        tree, _ = tree.add(leaf(name))
    return tree


A, B, C, D, E, F, G, H = map(leaf, "ABCDEFGH")


def test_resolutions_of_figure_10() -> None:
    """The subtree with X[B] over A B _ D and a blank node over Y's E F and _ H."""
    # fmt: off
    tree = tree_of(A, None, B, parent("X", 1), None, None, D, None, E, parent("Y"), F, None, None, None, H)
    # fmt: on
    assert tree.resolution(3) == [3, leaf_to_node(1)]
    assert tree.resolution(leaf_to_node(2)) == tree.resolution(leaf_to_node(6)) == []
    assert tree.resolution(7) == [3, leaf_to_node(1), 9, leaf_to_node(7)]
    assert tree.resolution(7, exclude=frozenset({1, 7})) == [3, 9]


@pytest.mark.parametrize(
    ("leaf_index", "filtered"),
    [(0, ["T", "W"]), (1, ["T", "W"]), (4, ["X", "Y", "W"]), (5, ["X", "Y", "W"]), (6, ["Y", "W"])],
)
def test_filtered_direct_paths_of_figure_11(leaf_index: int, filtered: list[str]) -> None:
    """W over a blank U (T over A B, nobody at C D) and Y (X over E F, G alone)."""
    names = {1: "T", 3: "U", 5: "V", 7: "W", 9: "X", 11: "Y", 13: "Z"}
    # fmt: off
    tree = tree_of(A, parent("T"), B, None, None, None, None, parent("W"), E, parent("X"), F, parent("Y"), G)
    # fmt: on
    path = tree.filtered_direct_path(leaf_index)
    assert [names[node] for node, _ in path] == filtered
    assert all(tree.resolution(child) for _, child in path)


def test_six_members_on_the_wire() -> None:
    """The example of Section 12.4.3.3: eleven entries, and the rest of the tree is blank."""
    # fmt: off
    tree = tree_of(A, parent("W"), B, parent("X"), C, None, D, parent("Y"), E, parent("Z"), F)
    # fmt: on
    assert (tree.width, tree.leaf_count, tree.root) == (15, 8, 7)
    assert leaves_of(tree) == "ABCDEF__"
    assert tree.node(9) == parent("Z")
    assert tree.node(99) is None
    assert tree.leaf(99) is None


def test_a_tree_wider_than_its_reader_allows_is_refused_before_it_is_looked_at() -> None:
    """Blank nodes take a byte each: a megabyte of them would keep a reader busy for seconds."""
    wide = encoded(A, parent("X"), B)
    assert RatchetTree.decode(SUITE, wide, maximum_leaves=2).leaf_count == 2
    for data in (wide, encoded(*[None] * 2_000)):
        with pytest.raises(ValidationError) as refused:
            RatchetTree.decode(SUITE, data, maximum_leaves=1)
        assert refused.value.reason is Rule.TREE_TOO_WIDE


@pytest.mark.parametrize(
    ("nodes", "rule"),
    [
        ((), Rule.TREE_EMPTY),
        ((A, None), Rule.TREE_ENDS_BLANK),
        ((A, parent("X"), None), Rule.TREE_ENDS_BLANK),
        ((A, B), Rule.TREE_NODE_MISPLACED),
        ((parent("X"),), Rule.TREE_NODE_MISPLACED),
    ],
)
def test_malformed_arrays_are_refused(nodes: tuple[TreeNode | None, ...], rule: Rule) -> None:
    with pytest.raises(ValidationError) as refused:
        tree_of(*nodes)
    assert refused.value.reason == rule


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_tree_or_refused(data: bytes) -> None:
    try:
        tree = RatchetTree.decode(SUITE, data)
    except (DecodeError, ValidationError):
        return
    assert tree.encode() == data


def test_a_new_member_takes_the_leftmost_empty_leaf() -> None:
    tree = grown("ABCDE").remove(1).remove(3)
    assert leaves_of(tree) == "A_C_E___"
    tree, at = tree.add(F)
    assert (at, leaves_of(tree)) == (1, "AFC_E___")
    tree, at = tree.add(G)
    assert (at, leaves_of(tree)) == (3, "AFCGE___")


def test_a_full_tree_is_extended() -> None:
    tree, at = grown("AB").add(C)
    assert (at, leaves_of(tree), tree.node(tree.root)) == (2, "ABC_", None)


def test_a_new_member_is_unmerged_below_the_nodes_above_it() -> None:
    tree = tree_of(A, parent("X"), None, parent("R", 3), C, None, D)
    after, at = tree.add(B)
    assert at == 1
    assert after.node(1) == parent("X", 1)
    assert after.node(3) == parent("R", 1, 3)  # in increasing order
    assert after.node(5) is None


def test_an_update_blanks_the_direct_path_only() -> None:
    tree = tree_of(A, parent("X"), B, parent("R"), C, parent("Y"), D)
    after = tree.update(2, E)
    assert leaves_of(after) == "ABED"
    assert [after.node(x) for x in (1, 3, 5)] == [parent("X"), None, None]


@pytest.mark.parametrize(
    ("removed", "left"),
    [([3], "ABC_"), ([2, 3], "AB"), ([3, 2], "AB"), ([1, 2, 3], "A"), ([0], "_BCD"), ([2], "AB_D")],
)
def test_a_removal_truncates_the_tree(removed: list[int], left: str) -> None:
    tree = grown("ABCD")
    for leaf_index in removed:
        tree = tree.remove(leaf_index)
    assert leaves_of(tree) == left


def test_a_removal_blanks_the_direct_path_only() -> None:
    after = tree_of(A, parent("X"), B, parent("R"), C, parent("Y"), D).remove(1)
    assert [after.node(x) for x in (1, 3, 5)] == [None, None, parent("Y")]


def test_truncation_discards_a_root_that_is_not_blank() -> None:
    # fmt: off
    tree = tree_of(A, parent("X"), B, parent("R"), C, None, D, parent("Top"), E)
    # fmt: on
    assert leaves_of(tree.remove(4)) == "ABCD"
    assert tree.remove(4).node(3) == parent("R")


def test_trees_are_equal_by_their_nodes() -> None:
    assert grown("ABC") == grown("ABC")
    assert grown("ABC") != grown("ABD")
    assert grown("ABC") != "ABC"


def test_a_tree_has_one_suite(workshop: Workshop) -> None:
    alice = workshop.leaf_node(workshop.client("alice"))
    one, other = (RatchetTree.of_leaf(cipher_suite(code), alice) for code in (0x0001, 0xF0E2))
    assert one != other
    assert tree_hash(one) != tree_hash(other)


Step = tuple[str, int]
steps = st.lists(
    st.tuples(st.sampled_from(["add", "update", "remove", "path"]), st.integers(0, 99))
)


def apply_step(tree: RatchetTree, number: int, step: Step) -> RatchetTree:
    """One step of a random life; ``number`` gives fresh keys."""
    what, choice = step
    members = [leaf_index for leaf_index, _ in tree.members()]
    chosen = members[choice % len(members)]
    if what == "add" or len(members) == 1:
        return tree.add(leaf(f"added {number}"))[0]
    if what == "update":
        return tree.update(chosen, leaf(f"updated {number}"))
    if what == "remove":
        return tree.remove(chosen)
    keys = [b"%d for %d" % (number, node) for node, _ in tree.filtered_direct_path(chosen)]
    return set_path(tree, chosen, keys)[0].with_leaf(chosen, leaf(f"committed {number}"))


def counts(index: TreeIndex) -> dict[str, Any]:
    return {name: getattr(index, name) for name in TreeIndex.__slots__}


@settings(max_examples=100)
@given(steps)
def test_a_random_life_keeps_hashes_and_counts_right(life: list[Step]) -> None:
    """What a tree remembers is what a tree that was decoded afresh computes; and no step changes an older tree."""
    tree = grown("AB")
    for number, step in enumerate(life):
        before, hash_before, index_before = tree.encode(), tree_hash(tree), counts(tree.index)
        after = apply_step(tree, number, step)
        fresh = RatchetTree.decode(SUITE, after.encode())
        assert after == fresh
        assert [tree_hash(after, x) for x in range(after.width)] == [
            tree_hash(fresh, x) for x in range(fresh.width)
        ]
        assert counts(after.index) == counts(fresh.index)
        assert (tree.encode(), counts(tree.index)) == (before, index_before)
        assert tree_hash(RatchetTree.decode(SUITE, before)) == hash_before
        tree = after


@given(steps)
def test_a_random_life_keeps_the_tree_well_formed(life: list[Step]) -> None:
    tree = grown("A")
    for number, step in enumerate(life):
        tree = apply_step(tree, number, step)
        half = [i for i, _ in tree.members() if i >= tree.leaf_count // 2]
        assert half or tree.leaf_count == 1
        everybody = {leaf_to_node(i) for i, _ in tree.members()}
        assert covered(tree, tree.resolution(tree.root)) == everybody
        for _, above in tree.parent_nodes():
            assert list(above.unmerged_leaves) == sorted(set(above.unmerged_leaves))


@given(steps)
def test_resolutions_and_filtered_paths_are_those_of_the_definition(life: list[Step]) -> None:
    tree = grown("A")
    for number, step in enumerate(life):
        tree = apply_step(tree, number, step)
    for x in range(tree.width):
        assert tree.resolution(x) == resolution_by_definition(tree, x)
    for leaf_index in range(tree.leaf_count):
        path = direct_path(leaf_to_node(leaf_index), tree.leaf_count)
        beside = copath(leaf_to_node(leaf_index), tree.leaf_count)
        assert tree.filtered_direct_path(leaf_index) == [
            (x, child)
            for x, child in zip(path, beside, strict=True)
            if resolution_by_definition(tree, child)
        ]


@given(steps, st.integers(0, 9), st.data())
def test_several_newcomers_or_leavers_at_once_are_one_after_the_other(
    life: list[Step], newcomers: int, data: st.DataObject
) -> None:
    tree = grown("ABC")
    for number, step in enumerate(life):
        tree = apply_step(tree, number, step)
    names = [leaf(f"newcomer {number}") for number in range(newcomers)]
    together, places = tree.add_all(names)
    one_by_one = tree
    for name, place in zip(names, places, strict=True):
        one_by_one, at = one_by_one.add(name)
        assert at == place
    assert_same(together, one_by_one)
    members = [leaf_index for leaf_index, _ in together.members()]
    leavers = data.draw(st.permutations(members))[: data.draw(st.integers(0, len(members) - 1))]
    for leaver in leavers:
        one_by_one = one_by_one.remove(leaver)
    assert_same(together.remove(*leavers), one_by_one)


def assert_same(one: RatchetTree, other: RatchetTree) -> None:
    assert (one, tree_hash(one)) == (other, tree_hash(other))
    assert counts(one.index) == counts(other.index)


def resolution_by_definition(tree: RatchetTree, x: int) -> list[int]:
    """Section 4.1.1, clause by clause."""
    node = tree.node(x)
    if isinstance(node, ParentNode):
        return [x, *map(leaf_to_node, node.unmerged_leaves)]
    if node is not None:
        return [x]
    if is_leaf(x):
        return []
    return resolution_by_definition(tree, left(x)) + resolution_by_definition(tree, right(x))


def covered(tree: RatchetTree, resolution: list[int]) -> set[int]:
    """The leaves that hold a private key of one of these nodes: all below it that are merged."""
    reached: set[int] = set()
    for x in resolution:
        node = tree.node(x)
        unmerged = node.unmerged_leaves if isinstance(node, ParentNode) else ()
        reached |= {
            leaf_to_node(i)
            for i, _ in tree.members()
            if is_below(leaf_to_node(i), x, tree.width) and i not in unmerged
        }
    return reached


def is_below(leaf_node_index: int, x: int, width: int) -> bool:
    """By bisection of the array, not by tree_math."""
    low, high = 0, width - 1
    while (middle := (low + high) // 2) != x:
        low, high = (low, middle - 1) if x < middle else (middle + 1, high)
    return low <= leaf_node_index <= high
