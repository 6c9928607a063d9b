"""RFC 9420 Sections 7.5, 7.6 and 12.4.2: each rule about an UpdatePath, broken alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.parent_hash import check_parent_hashes
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.update_path import HPKECiphertext, UpdatePath, merge_path

if TYPE_CHECKING:
    from tests.mls.conftest import Client, Workshop


@pytest.fixture
def alice(workshop: Workshop) -> Client:
    return workshop.client("alice")


@pytest.fixture
def tree(workshop: Workshop, alice: Client) -> RatchetTree:
    """Six members, nobody has committed: alice's path is three nodes long, to bob, to two and to two others."""
    names = ["bob", "carol", "dave", "erin", "frank"]
    return workshop.tree(alice, *map(workshop.client, names))


def refusal(tree: RatchetTree, path: UpdatePath) -> object:
    before = tree.encode()
    with pytest.raises(ValidationError) as refused:
        merge_path(tree, 0, path)
    assert tree.encode() == before
    return refused.value.reason


def test_a_sound_path_is_merged(workshop: Workshop, alice: Client, tree: RatchetTree) -> None:
    path = workshop.path(tree, alice, 0)
    merged = merge_path(tree, 0, path)
    assert [len(node.encrypted_path_secret) for node in path.nodes] == [1, 2, 2]
    assert merged.leaf(0) == path.leaf_node
    keys = {x: parent.encryption_key for x, parent in merged.parent_nodes()}
    assert keys == dict(zip([1, 3, 7], [node.encryption_key for node in path.nodes], strict=True))
    check_parent_hashes(merged)


def test_new_leaves_get_no_ciphertext(workshop: Workshop, alice: Client, tree: RatchetTree) -> None:
    after, at = tree.add(workshop.leaf_node(workshop.client("grace")))
    path = workshop.path(after, alice, 0, added=[at])
    assert [len(node.encrypted_path_secret) for node in path.nodes] == [1, 2, 2]
    merge_path(after, 0, path, added=frozenset([at]))
    assert refusal(after, path) == Rule.PATH_CIPHERTEXT_COUNT


@pytest.mark.parametrize("length", [0, 2, 4])
def test_one_node_for_each_of_the_filtered_direct_path(
    workshop: Workshop, alice: Client, tree: RatchetTree, length: int
) -> None:
    path = workshop.path(tree, alice, 0)
    nodes = (path.nodes * 2)[:length]
    assert refusal(tree, replace(path, nodes=nodes)) == Rule.PATH_LENGTH


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_ciphertext_for_each_of_the_resolution(
    workshop: Workshop, alice: Client, tree: RatchetTree, count: int
) -> None:
    path = workshop.path(tree, alice, 0)
    sealed = (HPKECiphertext(b"", b""),) * count
    top = replace(path.nodes[2], encrypted_path_secret=sealed)
    assert refusal(tree, replace(path, nodes=(*path.nodes[:2], top))) == Rule.PATH_CIPHERTEXT_COUNT


def test_no_key_of_the_path_is_in_the_tree(
    workshop: Workshop, alice: Client, tree: RatchetTree
) -> None:
    bob = tree.leaf(1)
    assert bob
    path = workshop.path(tree, alice, 0)
    stolen = replace(path.nodes[0], encryption_key=bob.encryption_key)
    assert refusal(tree, replace(path, nodes=(stolen, *path.nodes[1:]))) == Rule.PATH_KEY_NOT_NEW
    leaf = workshop.path(tree, alice, 0, encryption_key=bob.encryption_key).leaf_node
    assert refusal(tree, replace(path, leaf_node=leaf)) == Rule.PATH_KEY_NOT_NEW


def test_no_key_of_a_parent_in_the_tree_is_used_again(
    workshop: Workshop, alice: Client, tree: RatchetTree
) -> None:
    first = workshop.path(tree, alice, 0)
    merged = merge_path(tree, 0, first)
    assert (
        refusal(merged, workshop_path_with(first, merged, workshop, alice)) == Rule.PATH_KEY_NOT_NEW
    )


def workshop_path_with(
    old: UpdatePath, tree: RatchetTree, workshop: Workshop, alice: Client
) -> UpdatePath:
    """A path whose root key is the old path's."""
    path = workshop.path(tree, alice, 0)
    top = replace(path.nodes[2], encryption_key=old.nodes[2].encryption_key)
    return replace(path, nodes=(*path.nodes[:2], top))


def test_no_key_stands_twice_in_the_path(
    workshop: Workshop, alice: Client, tree: RatchetTree
) -> None:
    path = workshop.path(tree, alice, 0)
    again = replace(path.nodes[1], encryption_key=path.nodes[0].encryption_key)
    nodes = (path.nodes[0], again, path.nodes[2])
    assert refusal(tree, replace(path, nodes=nodes)) == Rule.PATH_KEY_NOT_NEW


@pytest.mark.parametrize("key", [b"", bytes(32)])
def test_the_keys_can_be_encrypted_to(
    workshop: Workshop, alice: Client, tree: RatchetTree, key: bytes
) -> None:
    path = workshop.path(tree, alice, 0)
    bad = replace(path.nodes[0], encryption_key=key)
    assert refusal(tree, replace(path, nodes=(bad, *path.nodes[1:]))) == Rule.PATH_KEY_MALFORMED


def test_the_leaf_carries_the_parent_hash(
    workshop: Workshop, alice: Client, tree: RatchetTree
) -> None:
    path = workshop.path(tree, alice, 0)
    other = replace(path.nodes[2], encryption_key=workshop.public_key())
    assert refusal(tree, replace(path, nodes=(*path.nodes[:2], other))) == Rule.PATH_PARENT_HASH
    for wrong in (b"", bytes(32)):
        leaf = workshop.path(tree, alice, 0, details=wrong).leaf_node
        assert refusal(tree, replace(path, leaf_node=leaf)) == Rule.PATH_PARENT_HASH


def test_a_lone_member_has_an_empty_path(workshop: Workshop, alice: Client) -> None:
    tree = workshop.tree(alice)
    path = workshop.path(tree, alice, 0)
    assert (path.nodes, path.leaf_node.parent_hash) == ((), b"")
    assert merge_path(tree, 0, path).leaf(0) == path.leaf_node
